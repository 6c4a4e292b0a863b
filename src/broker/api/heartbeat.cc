// Heartbeat: a member is alive; the answer calls it to rebalance.
#include <utility>

#include "broker/api/group_handlers.h"
#include "broker/group/coordinator.h"

namespace tripos::broker {

void handle_heartbeat(RequestContext& context, const wire::HeartbeatRequest& request, Reply<wire::HeartbeatResponse> reply) {
  const auto answer_with = [reply](wire::ErrorCode code) {
    wire::HeartbeatResponse response;
    response.error_code = code;
    reply(response);
  };
  if (!context.allows(Operation::read, ResourceType::group, request.group_id))
    return answer_with(wire::ErrorCode::group_authorization_failed);
  groups::Heartbeat event;
  event.member_id = request.member_id;
  event.instance_id = request.group_instance_id;
  event.generation = request.generation_id;
  context.broker.groups().heartbeat(request.group_id, std::move(event), answer_with);
}

}  // namespace tripos::broker
