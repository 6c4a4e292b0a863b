// AddOffsetsToTxn: the partition of __consumer_offsets that keeps the group takes part in the transaction.
#include "broker/api/transaction_handlers.h"
#include "broker/consumer_offsets.h"
#include "broker/group/coordinator.h"
#include "broker/transaction/transaction_coordinator.h"

namespace tripos::broker {

void handle_add_offsets_to_txn(RequestContext& context, const wire::AddOffsetsToTxnRequest& request,
                               Reply<wire::AddOffsetsToTxnResponse> reply) {
  const auto answer = [reply, version = context.version](wire::ErrorCode error) {
    wire::AddOffsetsToTxnResponse response;
    response.error_code = older_fencing_error(error, version, fenced_from);
    reply(response);
  };
  if (!context.allows(Operation::write, ResourceType::transactional_id, request.transactional_id)) {
    return answer(wire::ErrorCode::transactional_id_authorization_failed);
  }
  if (!context.allows(Operation::read, ResourceType::group, request.group_id)) return answer(wire::ErrorCode::group_authorization_failed);
  const transactions::TopicPartitionName partition{std::string(consumer_offsets_name),
                                                   context.broker.groups().partition_of(request.group_id).value()};
  context.broker.transactions().add_partitions(
      request.transactional_id, {ProducerId(request.producer_id), ProducerEpoch(request.producer_epoch)}, {partition}, answer);
}

}  // namespace tripos::broker
