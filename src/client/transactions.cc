#include "client/transactions.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "wire/describe_producers.h"
#include "wire/describe_transactions.h"
#include "wire/init_producer_id.h"
#include "wire/list_transactions.h"

namespace tripos::client {
namespace {

constexpr std::chrono::milliseconds ask_again{50};
constexpr int tries_max = 600;  // half a minute: markers are written while the disk has room

std::string transaction_subject(const std::string& id) { return "transactional id " + id; }

TransactionDescription convert_transaction(const wire::DescribeTransactionsResponse::TransactionState& from) {
  TransactionDescription description{.id = from.transactional_id,
                                     .state = from.transaction_state,
                                     .producer_id = from.producer_id,
                                     .producer_epoch = from.producer_epoch,
                                     .timeout_ms = from.transaction_timeout_ms,
                                     .start_time_ms = from.transaction_start_time_ms,
                                     .partitions = {}};
  for (const auto& topic : from.topics) {
    for (const std::int32_t partition : topic.partitions) description.partitions.push_back({.topic = topic.topic, .partition = partition});
  }
  std::ranges::sort(description.partitions);
  return description;
}

Result<wire::DescribeTransactionsResponse> describe(KafkaConnection& connection, std::vector<std::string> ids) {
  wire::DescribeTransactionsRequest request;
  request.transactional_ids = std::move(ids);
  return connection.call<wire::DescribeTransactionsResponse>(request);
}

}  // namespace

Result<std::vector<TransactionDescription>> list_transactions(KafkaConnection& connection) {
  TRIPOS_ASSIGN(const auto listed, connection.call<wire::ListTransactionsResponse>(wire::ListTransactionsRequest{}));
  if (listed.error_code != wire::ErrorCode::none) return tl::unexpected(kafka_error(listed.error_code, "the transactions"));
  std::vector<std::string> ids;
  for (const auto& transaction : listed.transaction_states) ids.push_back(transaction.transactional_id);
  std::ranges::sort(ids);
  std::vector<TransactionDescription> descriptions;
  if (ids.empty()) return descriptions;
  TRIPOS_ASSIGN(const auto described, describe(connection, std::move(ids)));
  for (const auto& transaction : described.transaction_states) {
    if (transaction.error_code == wire::ErrorCode::transactional_id_not_found) continue;  // expired meanwhile
    if (transaction.error_code != wire::ErrorCode::none) {
      return tl::unexpected(kafka_error(transaction.error_code, transaction_subject(transaction.transactional_id)));
    }
    descriptions.push_back(convert_transaction(transaction));
  }
  return descriptions;
}

Result<TransactionDescription> describe_transaction(KafkaConnection& connection, const std::string& id) {
  TRIPOS_ASSIGN(const auto described, describe(connection, {id}));
  if (described.transaction_states.size() != 1) {
    return fail(ErrorCode::malformed, "the broker answered {} transactional ids for one", described.transaction_states.size());
  }
  const auto& transaction = described.transaction_states.front();
  if (transaction.error_code == wire::ErrorCode::transactional_id_not_found) {
    return fail(ErrorCode::not_found, "nobody uses transactional id {}: tripos txn list names all", id);
  }
  if (transaction.error_code != wire::ErrorCode::none) return tl::unexpected(kafka_error(transaction.error_code, transaction_subject(id)));
  return convert_transaction(transaction);
}

Result<std::vector<OpenTransaction>> open_transactions(KafkaConnection& connection, const TopicAndPartition& place) {
  wire::DescribeProducersRequest request;
  request.topics.push_back({.name = place.topic, .partition_indexes = {place.partition}});
  TRIPOS_ASSIGN(const auto response, connection.call<wire::DescribeProducersResponse>(request));
  std::vector<OpenTransaction> open;
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != wire::ErrorCode::none) {
        return tl::unexpected(kafka_error(partition.error_code, fmt::format("partition {} of topic {}", place.partition, place.topic)));
      }
      for (const auto& producer : partition.active_producers) {
        if (producer.current_txn_start_offset < 0) continue;
        open.push_back({.producer_id = producer.producer_id, .first_offset = producer.current_txn_start_offset});
      }
    }
  }
  std::ranges::sort(open, {}, &OpenTransaction::first_offset);
  return open;
}

Result<> abort_transaction(KafkaConnection& connection, const TransactionDescription& described) {
  wire::InitProducerIdRequest request;
  request.transactional_id = described.id;
  request.transaction_timeout_ms = std::max(described.timeout_ms, 1);
  request.producer_id = described.producer_id;  // only this producer's (KIP-360)
  request.producer_epoch = described.producer_epoch;
  for (int tries = 1;; ++tries) {
    TRIPOS_ASSIGN(const auto response, connection.call<wire::InitProducerIdResponse>(request));
    switch (response.error_code) {
      case wire::ErrorCode::none: return {};
      case wire::ErrorCode::concurrent_transactions:
      case wire::ErrorCode::coordinator_load_in_progress: break;  // the abort is under way
      case wire::ErrorCode::producer_fenced:
      case wire::ErrorCode::invalid_producer_epoch:
        // The abort that the first try began has raised the epoch itself.
        if (tries > 1) return {};
        return fail(ErrorCode::conflict, "{}: its producer is another one by now; nothing was aborted", transaction_subject(described.id));
      default: return tl::unexpected(kafka_error(response.error_code, transaction_subject(described.id)));
    }
    if (tries == tries_max) {
      return fail(ErrorCode::timed_out, "{}: decided, but its markers are not written yet: a full disk or a damaged partition keeps them",
                  transaction_subject(described.id));
    }
    std::this_thread::sleep_for(ask_again);
  }
}

}  // namespace tripos::client
