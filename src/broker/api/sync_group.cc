// SyncGroup: answered when the leader's assignment is durable (src/broker/group/group.h).
#include <utility>

#include "broker/api/group_handlers.h"
#include "broker/group/coordinator.h"

namespace tripos::broker {

namespace {
constexpr std::int16_t protocol_from = 5;  // in which both sides must say which protocol they mean
}  // namespace

void handle_sync_group(RequestContext& context, const wire::SyncGroupRequest& request, Reply<wire::SyncGroupResponse> reply) {
  const auto answer_with = [reply](const groups::SyncAnswer& answer) {
    wire::SyncGroupResponse response;
    response.error_code = answer.error;
    response.protocol_type = answer.protocol_type;
    response.protocol_name = answer.protocol_name;
    response.assignment = answer.assignment;
    reply(response);
  };
  const auto refuse_with = [&answer_with](wire::ErrorCode code) {
    groups::SyncAnswer refused;
    refused.error = code;
    answer_with(refused);
  };
  if (!context.allows(Operation::read, ResourceType::group, request.group_id))
    return refuse_with(wire::ErrorCode::group_authorization_failed);
  if (context.version >= protocol_from && (!request.protocol_type || !request.protocol_name)) {
    return refuse_with(wire::ErrorCode::inconsistent_group_protocol);
  }
  groups::Sync event;
  event.member_id = request.member_id;
  event.instance_id = request.group_instance_id;
  event.generation = request.generation_id;
  event.protocol_type = request.protocol_type;
  event.protocol_name = request.protocol_name;
  event.assignments.reserve(request.assignments.size());
  for (const auto& given : request.assignments) event.assignments.push_back({given.member_id, Buffer(given.assignment)});
  context.broker.groups().sync(request.group_id, std::move(event), answer_with);
}

}  // namespace tripos::broker
