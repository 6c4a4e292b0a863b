// DescribeGroups: state and members of groups.
#include "broker/api/group_handlers.h"
#include "broker/group/coordinator.h"

namespace tripos::broker {

namespace {

using DescribedGroup = wire::DescribeGroupsResponse::DescribedGroup;

constexpr std::int16_t not_found_from = 6;
// Operations that may be done, as a set of Kafka's numbers (AclOperation): there are no rights yet, so read, delete, describe, and both
// of its configs.
constexpr std::int32_t all_group_operations = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

DescribedGroup describe_group(const groups::Group& group) {
  DescribedGroup described;
  described.group_id = group.id();
  described.group_state = to_string(group.state());
  described.protocol_type = group.protocol_type().value_or("");
  // Between two generations there is no protocol; assignments are those of the last one.
  const bool is_stable = group.state() == groups::State::stable;
  const std::string protocol = is_stable ? group.protocol_name().value_or("") : "";
  described.protocol_data = protocol;
  for (const auto& [id, member] : group.members().all()) {
    auto& told = described.members.emplace_back();
    told.member_id = id;
    told.group_instance_id = member.instance_id;
    told.client_id = member.client_id;
    told.client_host = member.client_host;
    told.member_assignment = member.assignment;
    if (is_stable) told.member_metadata = member.metadata_of(protocol);
  }
  return described;
}

}  // namespace

void handle_describe_groups(RequestContext& context, const wire::DescribeGroupsRequest& request,
                            Reply<wire::DescribeGroupsResponse> reply) {
  wire::DescribeGroupsResponse response;
  response.groups.reserve(request.groups.size());
  for (const std::string& id : request.groups) {
    DescribedGroup described;
    described.group_id = id;
    if (!context.allows(Operation::describe, ResourceType::group, id)) {
      described.error_code = wire::ErrorCode::group_authorization_failed;
    } else if (const groups::Group* group = context.broker.groups().find(id)) {
      described = describe_group(*group);
      if (request.include_authorized_operations) described.authorized_operations = all_group_operations;
    } else if (const auto unread = context.broker.groups().check_group(id); unread != wire::ErrorCode::none) {
      described.error_code = unread;
    } else {
      described.group_state = to_string(groups::State::dead);
      if (context.version >= not_found_from) {
        described.error_code = wire::ErrorCode::group_id_not_found;
        described.error_message = fmt::format("Group {} not found.", id);
      } else if (request.include_authorized_operations) {
        described.authorized_operations = all_group_operations;
      }
    }
    response.groups.push_back(std::move(described));
  }
  reply(response);
}

}  // namespace tripos::broker
