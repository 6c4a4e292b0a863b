// InitProducerId: a producer id and epoch. Without a transactional id a new one each time; with one the coordinator's, which fences the
// producer that had it before.
#include <utility>

#include "broker/api/transaction_handlers.h"
#include "broker/producer_ids.h"
#include "broker/transaction/transaction_coordinator.h"

namespace tripos::broker {

namespace {

constexpr std::int16_t init_fenced_from = 4;  // the first version that knows PRODUCER_FENCED

void answer(const Reply<wire::InitProducerIdResponse>& reply, wire::ErrorCode code, transactions::ProducerIdAndEpoch producer) {
  wire::InitProducerIdResponse response;
  response.error_code = code;
  response.producer_id = producer.id.value();
  response.producer_epoch = producer.epoch.value();
  reply(response);
}

void init_idempotent(RequestContext& context, const Reply<wire::InitProducerIdResponse>& reply) {
  if (!context.allows(Operation::idempotent_write, ResourceType::cluster, cluster_resource)) {
    return answer(reply, wire::ErrorCode::cluster_authorization_failed, {});
  }
  // A producer that has an id and wants its next epoch gets a new id instead, as Kafka gives it.
  context.broker.producer_ids().next([reply](const Outcome<ProducerId>& id) {
    if (!id) return answer(reply, id.error().code, {});
    answer(reply, wire::ErrorCode::none, {*id, ProducerEpoch(0)});
  });
}

}  // namespace

void handle_init_producer_id(RequestContext& context, const wire::InitProducerIdRequest& request,
                             Reply<wire::InitProducerIdResponse> reply) {
  const bool has_id = request.producer_id != no_producer_id.value();
  const bool has_epoch = request.producer_epoch != no_producer_epoch.value();
  if (has_id != has_epoch) return answer(reply, wire::ErrorCode::invalid_request, {});
  if (!request.transactional_id) return init_idempotent(context, reply);
  const std::string& id = *request.transactional_id;
  if (!context.allows(Operation::write, ResourceType::transactional_id, id)) {
    return answer(reply, wire::ErrorCode::transactional_id_authorization_failed, {});
  }
  std::optional<transactions::ProducerIdAndEpoch> expected;
  if (has_id) expected = transactions::ProducerIdAndEpoch{ProducerId(request.producer_id), ProducerEpoch(request.producer_epoch)};
  const auto done = [reply, version = context.version](wire::ErrorCode error, transactions::ProducerIdAndEpoch producer) {
    answer(reply, older_fencing_error(error, version, init_fenced_from), producer);
  };
  context.broker.transactions().init_producer(id, request.transaction_timeout_ms, expected, done);
}

}  // namespace tripos::broker
