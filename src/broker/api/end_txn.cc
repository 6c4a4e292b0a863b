// EndTxn: answered when the transaction has ended everywhere: its markers are durable and all stable offsets have moved (rules, 2.2).
#include "broker/api/transaction_handlers.h"
#include "broker/transaction/transaction_coordinator.h"

namespace tripos::broker {

void handle_end_txn(RequestContext& context, const wire::EndTxnRequest& request, Reply<wire::EndTxnResponse> reply) {
  const auto answer = [reply, version = context.version](wire::ErrorCode error) {
    wire::EndTxnResponse response;
    response.error_code = older_fencing_error(error, version, fenced_from);
    reply(response);
  };
  if (!context.allows(Operation::write, ResourceType::transactional_id, request.transactional_id)) {
    return answer(wire::ErrorCode::transactional_id_authorization_failed);
  }
  context.broker.transactions().end(request.transactional_id, {ProducerId(request.producer_id), ProducerEpoch(request.producer_epoch)},
                                    request.committed, answer);
}

}  // namespace tripos::broker
