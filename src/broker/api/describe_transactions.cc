// DescribeTransactions: what is known of transactional ids (KIP-664).
#include "broker/api/transaction_handlers.h"
#include "broker/transaction/transaction_coordinator.h"

namespace tripos::broker {

namespace {

wire::DescribeTransactionsResponse::TransactionState describe_transaction(RequestContext& context, const std::string& id) {
  wire::DescribeTransactionsResponse::TransactionState described;
  described.transactional_id = id;
  if (id.empty()) {
    described.error_code = wire::ErrorCode::invalid_request;
    return described;
  }
  if (!context.allows(Operation::describe, ResourceType::transactional_id, id)) {
    described.error_code = wire::ErrorCode::transactional_id_authorization_failed;
    return described;
  }
  const auto& coordinator = context.broker.transactions();
  described.error_code = coordinator.check_id(id);
  if (described.error_code != wire::ErrorCode::none) return described;
  const transactions::Transaction* transaction = coordinator.find(id);
  if (transaction == nullptr) {
    described.error_code = wire::ErrorCode::transactional_id_not_found;
    return described;
  }
  const transactions::TransactionMetadata& metadata = transaction->metadata();
  described.transaction_state = to_string(metadata.state);
  described.transaction_timeout_ms = metadata.timeout_ms;
  described.transaction_start_time_ms = metadata.start_timestamp_ms;
  described.producer_id = metadata.producer_id.value();
  described.producer_epoch = metadata.producer_epoch.value();
  for (const auto& [topic, partition] : metadata.partitions) {  // by topic
    if (!context.allows(Operation::describe, ResourceType::topic, topic)) continue;
    if (described.topics.empty() || described.topics.back().topic != topic) described.topics.emplace_back().topic = topic;
    described.topics.back().partitions.push_back(partition);
  }
  return described;
}

}  // namespace

void handle_describe_transactions(RequestContext& context, const wire::DescribeTransactionsRequest& request,
                                  Reply<wire::DescribeTransactionsResponse> reply) {
  wire::DescribeTransactionsResponse response;
  response.transaction_states.reserve(request.transactional_ids.size());
  for (const std::string& id : request.transactional_ids) response.transaction_states.push_back(describe_transaction(context, id));
  reply(response);
}

}  // namespace tripos::broker
