// JoinGroup: answered when the group's members have joined (src/broker/group/group.h).
#include <utility>

#include "broker/api/group_handlers.h"
#include "broker/group/coordinator.h"

namespace tripos::broker {

namespace {

constexpr std::int16_t member_id_required_from = 4;
constexpr std::int16_t null_protocol_from = 7;
constexpr std::int16_t skip_assignment_from = 9;

wire::JoinGroupResponse to_response(const groups::JoinAnswer& answer, std::int16_t version) {
  wire::JoinGroupResponse response;
  response.error_code = answer.error;
  response.generation_id = answer.generation;
  response.protocol_type = answer.protocol_type;
  response.protocol_name = answer.protocol_name;
  if (version < null_protocol_from && !response.protocol_name) response.protocol_name = "";
  response.leader = answer.leader;
  response.skip_assignment = answer.skip_assignment;
  response.member_id = answer.member_id;
  response.members.reserve(answer.members.size());
  for (const groups::JoinedMember& member : answer.members) {
    auto& told = response.members.emplace_back();
    told.member_id = member.member_id;
    told.group_instance_id = member.instance_id;
    told.metadata = member.metadata;
  }
  return response;
}

}  // namespace

void handle_join_group(RequestContext& context, const wire::JoinGroupRequest& request, Reply<wire::JoinGroupResponse> reply) {
  const auto answer_with = [reply, version = context.version](const groups::JoinAnswer& answer) { reply(to_response(answer, version)); };
  if (!context.allows(Operation::read, ResourceType::group, request.group_id)) {
    groups::JoinAnswer refused;
    refused.error = wire::ErrorCode::group_authorization_failed;
    return answer_with(refused);
  }
  groups::Join event;
  event.member_id = request.member_id;
  event.instance_id = request.group_instance_id;
  event.client_id = std::string(context.client_id);
  event.client_host = "/" + context.session.client_host;  // as Java writes addresses, and Kafka's tools expect them
  event.session_timeout = std::chrono::milliseconds(request.session_timeout_ms);
  event.rebalance_timeout =
      std::chrono::milliseconds(request.rebalance_timeout_ms < 0 ? request.session_timeout_ms : request.rebalance_timeout_ms);
  event.protocol_type = request.protocol_type;
  event.protocols.reserve(request.protocols.size());
  for (const auto& protocol : request.protocols) event.protocols.push_back({protocol.name, Buffer(protocol.metadata)});
  event.must_know_its_id = context.version >= member_id_required_from && !request.group_instance_id;
  event.can_skip_assignment = context.version >= skip_assignment_from;
  context.broker.groups().join(request.group_id, std::move(event), answer_with);
}

}  // namespace tripos::broker
