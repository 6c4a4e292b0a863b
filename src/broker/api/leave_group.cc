// LeaveGroup: members leave, or an operator removes static ones by their instance id.
#include <utility>

#include "broker/api/group_handlers.h"
#include "broker/group/coordinator.h"

namespace tripos::broker {

namespace {
constexpr std::int16_t several_members_from = 3;
}  // namespace

void handle_leave_group(RequestContext& context, const wire::LeaveGroupRequest& request, Reply<wire::LeaveGroupResponse> reply) {
  const auto answer_with = [reply, version = context.version](const groups::LeaveAnswer& answer) {
    wire::LeaveGroupResponse response;
    response.error_code = answer.error;
    if (version < several_members_from) {
      if (response.error_code == wire::ErrorCode::none && !answer.members.empty()) response.error_code = answer.members.front().error;
      return reply(response);
    }
    if (answer.error != wire::ErrorCode::none) return reply(response);  // which is that of all
    for (const groups::LeftMember& left : answer.members) {
      auto& told = response.members.emplace_back();
      told.member_id = left.member.member_id;
      told.group_instance_id = left.member.instance_id;
      told.error_code = left.error;
    }
    reply(response);
  };
  if (!context.allows(Operation::read, ResourceType::group, request.group_id)) {
    groups::LeaveAnswer refused;
    refused.error = wire::ErrorCode::group_authorization_failed;
    return answer_with(refused);
  }
  groups::Leave event;
  if (context.version < several_members_from) {
    event.members.push_back({request.member_id, std::nullopt});
  } else {
    for (const auto& member : request.members) event.members.push_back({member.member_id, member.group_instance_id});
  }
  context.broker.groups().leave(request.group_id, std::move(event), answer_with);
}

}  // namespace tripos::broker
