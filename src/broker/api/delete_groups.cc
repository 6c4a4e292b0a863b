// DeleteGroups: groups without members go, with their offsets. Answered when all of that is durable.
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "broker/api/group_handlers.h"
#include "broker/group/coordinator.h"

namespace tripos::broker {

namespace {

struct PendingGroups {
  Reply<wire::DeleteGroupsResponse> reply;
  wire::DeleteGroupsResponse response;
  std::size_t outstanding = 1;  // deletions, and the request's own turn

  void finish_one() {
    if (--outstanding == 0) reply(response);
  }
};

}  // namespace

void handle_delete_groups(RequestContext& context, const wire::DeleteGroupsRequest& request, Reply<wire::DeleteGroupsResponse> reply) {
  const auto answer = std::make_shared<PendingGroups>(PendingGroups{.reply = std::move(reply), .response = {}});
  std::set<std::string_view> named;
  for (const std::string& id : request.groups_names) {
    if (!named.insert(id).second) continue;  // a group is deleted, and told of, once
    const std::size_t index = answer->response.results.size();
    auto& result = answer->response.results.emplace_back();
    result.group_id = id;
    if (!context.allows(Operation::remove, ResourceType::group, id)) {
      result.error_code = wire::ErrorCode::group_authorization_failed;
      continue;
    }
    ++answer->outstanding;
    context.broker.groups().delete_group(id, [answer, index](wire::ErrorCode code) {
      answer->response.results[index].error_code = code;
      answer->finish_one();
    });
  }
  answer->finish_one();
}

}  // namespace tripos::broker
