// ListGroups: all groups, or those in given states.
#include <algorithm>
#include <cctype>

#include "broker/api/group_handlers.h"
#include "broker/group/coordinator.h"

namespace tripos::broker {

namespace {

constexpr std::string_view group_type = "classic";

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// An empty filter lets everything through.
bool passes_in_any_case(const std::vector<std::string>& filter, std::string_view value) {
  return filter.empty() || std::ranges::any_of(filter, [value](std::string_view wanted) { return equals_ignoring_case(wanted, value); });
}

}  // namespace

void handle_list_groups(RequestContext& context, const wire::ListGroupsRequest& request, Reply<wire::ListGroupsResponse> reply) {
  wire::ListGroupsResponse response;
  response.error_code = context.broker.groups().check_all();
  const bool may_see_all = context.allows(Operation::describe, ResourceType::cluster, cluster_resource);
  context.broker.groups().for_each_group([&](const groups::Group& group) {
    if (!may_see_all && !context.allows(Operation::describe, ResourceType::group, group.id())) return;
    if (!passes_in_any_case(request.states_filter, to_string(group.state())) || !passes_in_any_case(request.types_filter, group_type))
      return;
    auto& listed = response.groups.emplace_back();
    listed.group_id = group.id();
    listed.protocol_type = group.protocol_type().value_or("");
    listed.group_state = to_string(group.state());
    listed.group_type = group_type;
  });
  reply(response);
}

}  // namespace tripos::broker
