#include "broker/transaction/transaction_metadata.h"

#include <map>
#include <vector>

#include "wire/transaction_records.h"
#include "wire/versioned.h"

namespace tripos::transactions {

namespace {

constexpr std::int16_t key_version = 0;
constexpr std::int16_t value_version = 0;

auto broken(std::string_view what, const wire::Malformed& malformed) {
  return fail(ErrorCode::malformed, "{} in __transaction_state: {}", what, malformed.text());
}

}  // namespace

std::string_view to_string(State state) noexcept {
  switch (state) {
    case State::empty: return "Empty";
    case State::ongoing: return "Ongoing";
    case State::prepare_commit: return "PrepareCommit";
    case State::prepare_abort: return "PrepareAbort";
    case State::complete_commit: return "CompleteCommit";
    case State::complete_abort: return "CompleteAbort";
    case State::dead: return "Dead";
  }
  return "Dead";
}

Buffer encode_transaction_key(std::string_view transactional_id) {
  wire::TransactionLogKey key;
  key.transactional_id = std::string(transactional_id);
  return wire::encode_versioned(key, key_version);
}

Buffer encode(const TransactionMetadata& metadata) {
  wire::TransactionLogValue value;
  value.producer_id = metadata.producer_id.value();
  value.producer_epoch = metadata.producer_epoch.value();
  value.transaction_timeout_ms = metadata.timeout_ms;
  value.transaction_status = static_cast<std::int8_t>(metadata.state);
  value.transaction_last_update_timestamp_ms = metadata.update_timestamp_ms;
  value.transaction_start_timestamp_ms = metadata.start_timestamp_ms;
  if (metadata.state != State::empty) {  // Kafka's: null without a transaction
    std::map<std::string, std::vector<std::int32_t>> by_topic;
    for (const TopicPartitionName& each : metadata.partitions) by_topic[each.topic].push_back(each.partition);
    auto& partitions = value.transaction_partitions.emplace();
    for (auto& [topic, ids] : by_topic) {
      auto& to = partitions.emplace_back();
      to.topic = topic;
      to.partition_ids = std::move(ids);
    }
  } else {
    value.transaction_partitions.reset();
  }
  return wire::encode_versioned(value, value_version);
}

Result<std::string> decode_transaction_key(Bytes bytes) {
  auto key = wire::decode_versioned<wire::TransactionLogKey>(bytes);
  if (!key) return broken("a key", key.error());
  return std::string(key->transactional_id);
}

Result<TransactionMetadata> decode_transaction_metadata(Bytes bytes) {
  const auto value = wire::decode_versioned<wire::TransactionLogValue>(bytes);
  if (!value) return broken("a transaction", value.error());
  if (value->transaction_status < static_cast<std::int8_t>(State::empty) ||
      value->transaction_status > static_cast<std::int8_t>(State::dead) || value->producer_id < 0 || value->producer_epoch < 0) {
    return fail(ErrorCode::malformed, "a transaction in __transaction_state has the state {} and the producer {} of epoch {}",
                value->transaction_status, value->producer_id, value->producer_epoch);
  }
  TransactionMetadata metadata;
  metadata.producer_id = ProducerId(value->producer_id);
  metadata.producer_epoch = ProducerEpoch(value->producer_epoch);
  metadata.last_producer_id = ProducerId(value->previous_producer_id);
  metadata.timeout_ms = value->transaction_timeout_ms;
  metadata.state = static_cast<State>(value->transaction_status);
  metadata.update_timestamp_ms = value->transaction_last_update_timestamp_ms;
  metadata.start_timestamp_ms = value->transaction_start_timestamp_ms;
  if (value->transaction_partitions) {
    for (const auto& topic : *value->transaction_partitions) {
      for (const std::int32_t partition : topic.partition_ids) metadata.partitions.insert({std::string(topic.topic), partition});
    }
  }
  return metadata;
}

}  // namespace tripos::transactions
