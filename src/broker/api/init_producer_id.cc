// InitProducerId for idempotent producers. Transactions are not built: a transactional id is refused.
#include "broker/api/handlers.h"
#include "broker/producer_ids.h"

namespace tripos::broker {

void handle_init_producer_id(RequestContext& context, const wire::InitProducerIdRequest& request,
                             Reply<wire::InitProducerIdResponse> reply) {
  const auto refuse_with = [&reply](wire::ErrorCode code) {
    wire::InitProducerIdResponse response;
    response.error_code = code;
    response.producer_epoch = no_producer_epoch.value();
    reply(response);
  };
  if (request.transactional_id && request.transactional_id->empty()) return refuse_with(wire::ErrorCode::invalid_request);
  if (request.transactional_id) return refuse_with(wire::ErrorCode::unsupported_version);
  if (!context.allows(Operation::idempotent_write, ResourceType::cluster, cluster_resource)) {
    return refuse_with(wire::ErrorCode::cluster_authorization_failed);
  }
  // A producer that has an id and wants its next epoch gets a new id instead, as Kafka gives it.
  context.broker.producer_ids().next([reply](const Outcome<ProducerId>& id) {
    wire::InitProducerIdResponse response;
    response.error_code = id ? wire::ErrorCode::none : id.error().code;
    response.producer_id = id ? id->value() : no_producer_id.value();
    response.producer_epoch = id ? std::int16_t{0} : no_producer_epoch.value();
    reply(response);
  });
}

}  // namespace tripos::broker
