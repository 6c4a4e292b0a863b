// TxnOffsetCommit: offsets that count once the producer's transaction is committed. Answered when they are durable.
#include <memory>
#include <utility>

#include "broker/api/offsets_to_commit.h"
#include "broker/api/transaction_handlers.h"
#include "broker/consumer_offsets.h"
#include "broker/transaction/transaction_coordinator.h"

namespace tripos::broker {

namespace {

wire::ErrorCode check_rights(RequestContext& context, const wire::TxnOffsetCommitRequest& request) {
  if (!context.allows(Operation::write, ResourceType::transactional_id, request.transactional_id))
    return wire::ErrorCode::transactional_id_authorization_failed;
  if (!context.allows(Operation::read, ResourceType::group, request.group_id)) return wire::ErrorCode::group_authorization_failed;
  return wire::ErrorCode::none;
}

// Of the partitions that there are.
wire::ErrorCode check_group_transaction(RequestContext& context, const wire::TxnOffsetCommitRequest& request) {
  if (request.group_id.empty()) return wire::ErrorCode::invalid_group_id;
  const std::int32_t partition = context.broker.groups().partition_of(request.group_id).value();
  return context.broker.transactions().verify(request.transactional_id,
                                              {ProducerId(request.producer_id), ProducerEpoch(request.producer_epoch)},
                                              {std::string(consumer_offsets_name), partition});
}

}  // namespace

void handle_txn_offset_commit(RequestContext& context, const wire::TxnOffsetCommitRequest& request,
                              Reply<wire::TxnOffsetCommitResponse> reply) {
  wire::TxnOffsetCommitResponse response;
  auto offsets = offsets_to_commit(context, request.topics, check_rights(context, request), response);
  if (offsets.empty()) return reply(response);
  if (const wire::ErrorCode error = check_group_transaction(context, request); error != wire::ErrorCode::none) {
    set_commit_error(response, error);
    return reply(response);
  }

  groups::Commit event;
  event.member_id = request.member_id;
  event.instance_id = request.group_instance_id;
  event.generation = request.generation_id;
  const auto committed = [reply, response = std::make_shared<wire::TxnOffsetCommitResponse>(std::move(response))](wire::ErrorCode code) {
    set_commit_error(*response, code);
    reply(*response);
  };
  context.broker.groups().commit_in_transaction(request.group_id, std::move(event), std::move(offsets),
                                                {ProducerId(request.producer_id), ProducerEpoch(request.producer_epoch)}, committed);
}

}  // namespace tripos::broker
