// FindCoordinator: of every group and every transactional id, this broker.
#include "broker/api/group_handlers.h"

namespace tripos::broker {

namespace {

using Coordinator = wire::FindCoordinatorResponse::Coordinator;

constexpr std::int8_t key_type_group = 0;
constexpr std::int8_t key_type_transaction = 1;
constexpr std::int16_t several_keys_from = 4;

Coordinator find(RequestContext& context, std::int8_t key_type, const std::string& key) {
  Coordinator found;
  found.key = key;
  found.node_id = -1;
  found.port = -1;
  if (key_type != key_type_group && key_type != key_type_transaction) {
    found.error_code = wire::ErrorCode::invalid_request;
    found.error_message = fmt::format("There is no coordinator of key type {}.", key_type);
  } else if (key_type == key_type_group && !context.allows(Operation::describe, ResourceType::group, key)) {
    found.error_code = wire::ErrorCode::group_authorization_failed;
  } else if (key_type == key_type_transaction && !context.allows(Operation::describe, ResourceType::transactional_id, key)) {
    found.error_code = wire::ErrorCode::transactional_id_authorization_failed;
  } else {
    found.error_message = context.version >= several_keys_from ? "" : "NONE";  // as Kafka says it
    found.node_id = context.broker.config().node_id;
    found.host = context.broker.advertised().host;
    found.port = context.broker.advertised().port;
  }
  return found;
}

}  // namespace

void handle_find_coordinator(RequestContext& context, const wire::FindCoordinatorRequest& request,
                             Reply<wire::FindCoordinatorResponse> reply) {
  wire::FindCoordinatorResponse response;
  if (context.version >= several_keys_from) {
    for (const std::string& key : request.coordinator_keys) response.coordinators.push_back(find(context, request.key_type, key));
  } else {
    Coordinator found = find(context, request.key_type, request.key);
    response.error_code = found.error_code;
    response.error_message = std::move(found.error_message);
    response.node_id = found.node_id;
    response.host = std::move(found.host);
    response.port = found.port;
  }
  reply(response);
}

}  // namespace tripos::broker
