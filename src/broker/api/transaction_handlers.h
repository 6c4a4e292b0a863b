// The handlers of the requests around transactions: each translates between the wire and TransactionCoordinator, and checks rights.
#pragma once

#include "broker/api/request.h"
#include "wire/add_offsets_to_txn.h"
#include "wire/add_partitions_to_txn.h"
#include "wire/describe_producers.h"
#include "wire/describe_transactions.h"
#include "wire/end_txn.h"
#include "wire/init_producer_id.h"
#include "wire/list_transactions.h"
#include "wire/txn_offset_commit.h"

namespace tripos::broker {

void handle_init_producer_id(RequestContext& context, const wire::InitProducerIdRequest& request,
                             Reply<wire::InitProducerIdResponse> reply);
void handle_add_partitions_to_txn(RequestContext& context, const wire::AddPartitionsToTxnRequest& request,
                                  Reply<wire::AddPartitionsToTxnResponse> reply);
void handle_add_offsets_to_txn(RequestContext& context, const wire::AddOffsetsToTxnRequest& request,
                               Reply<wire::AddOffsetsToTxnResponse> reply);
void handle_end_txn(RequestContext& context, const wire::EndTxnRequest& request, Reply<wire::EndTxnResponse> reply);
void handle_txn_offset_commit(RequestContext& context, const wire::TxnOffsetCommitRequest& request,
                              Reply<wire::TxnOffsetCommitResponse> reply);

void handle_describe_producers(RequestContext& context, const wire::DescribeProducersRequest& request,
                               Reply<wire::DescribeProducersResponse> reply);
void handle_describe_transactions(RequestContext& context, const wire::DescribeTransactionsRequest& request,
                                  Reply<wire::DescribeTransactionsResponse> reply);
void handle_list_transactions(RequestContext& context, const wire::ListTransactionsRequest& request,
                              Reply<wire::ListTransactionsResponse> reply);

// Producers that do not know PRODUCER_FENCED yet (KIP-588) are told INVALID_PRODUCER_EPOCH. The first version of AddPartitionsToTxn,
// AddOffsetsToTxn and EndTxn that knows it:
inline constexpr std::int16_t fenced_from = 2;
[[nodiscard]] constexpr wire::ErrorCode older_fencing_error(wire::ErrorCode error, std::int16_t version, std::int16_t known_from) noexcept {
  return error == wire::ErrorCode::producer_fenced && version < known_from ? wire::ErrorCode::invalid_producer_epoch : error;
}

}  // namespace tripos::broker
