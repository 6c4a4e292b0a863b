#include "broker/transaction/transaction_metadata.h"

#include <algorithm>
#include <map>
#include <vector>

#include "base/integer_reader.h"
#include "wire/transaction_records.h"
#include "wire/versioned.h"

namespace tripos::transactions {

namespace {

constexpr std::int16_t key_version = 0;
constexpr std::int16_t value_version = 0;
constexpr std::int16_t own_version = 0;  // of what stands behind Kafka's value
constexpr std::size_t transaction_size_min = sizeof(std::int64_t) + sizeof(std::int32_t);
constexpr std::size_t part_size = sizeof(Uuid::bytes) + sizeof(std::int32_t) + 2 * sizeof(std::int64_t);

auto broken(std::string_view what, const wire::Malformed& malformed) {
  return fail(ErrorCode::malformed, "{} in __transaction_state: {}", what, malformed.text());
}

constexpr std::int64_t no_offset = -1;

void append_own_part(Buffer& to, const TransactionMetadata& metadata) {
  append_be(to, own_version);
  append_be(to, static_cast<std::int32_t>(metadata.straddling.size()));
  for (const StraddlingTransaction& transaction : metadata.straddling) {
    append_be(to, transaction.producer_id.value());
    append_be(to, static_cast<std::int32_t>(transaction.parts.size()));
    for (const TransactionPart& part : transaction.parts) {
      to.append(part.partition.topic.bytes.data(), part.partition.topic.bytes.size());
      append_be(to, part.partition.partition.value());
      append_be(to, part.first.value());
      append_be(to, part.last.value());
    }
  }
  if (!metadata.first_offsets) return;
  for (const TopicPartitionName& partition : metadata.partitions) {
    const auto first = metadata.first_offsets->find(partition);
    append_be(to, first == metadata.first_offsets->end() ? no_offset : first->second.value());
  }
}

// Into `metadata`, which has all that Kafka's part says.
Result<> decode_own_part(Bytes bytes, TransactionMetadata& metadata) {
  IntegerReader from(bytes);
  const auto version = from.next<std::int16_t>();
  std::vector<StraddlingTransaction>& straddling = metadata.straddling;
  for (std::int32_t left = from.count(transaction_size_min); left > 0; --left) {
    StraddlingTransaction& transaction = straddling.emplace_back();
    transaction.producer_id = ProducerId(from.next<std::int64_t>());
    for (std::int32_t parts_left = from.count(part_size); parts_left > 0; --parts_left) {
      TransactionPart& part = transaction.parts.emplace_back();
      const Bytes topic = from.bytes(part.partition.topic.bytes.size());
      std::ranges::copy(topic, part.partition.topic.bytes.begin());
      part.partition.partition = PartitionId(from.next<std::int32_t>());
      part.first = Offset(from.next<std::int64_t>());
      part.last = Offset(from.next<std::int64_t>());
    }
  }
  if (!from.at_end()) {
    metadata.first_offsets.emplace();
    for (const TopicPartitionName& partition : metadata.partitions) {
      const auto first = from.next<std::int64_t>();
      if (first != no_offset) metadata.first_offsets->emplace(partition, first);
    }
  }
  if (version != own_version || !from.ok() || !from.at_end()) {
    return fail(ErrorCode::malformed, "what stands behind a transaction in __transaction_state can't be read");
  }
  return {};
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
  Buffer bytes = wire::encode_versioned(value, value_version);
  if (!metadata.straddling.empty() || metadata.first_offsets) append_own_part(bytes, metadata);
  return bytes;
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
  // Kafka's readers stop where its value ends. Version 0 has one form only, so that its size tells where that is.
  if (load_be<std::int16_t>(bytes.data()) == value_version) {
    const Bytes own = bytes.substr(wire::encode_versioned(*value, value_version).size());
    if (!own.empty()) {
      TRIPOS_TRY(decode_own_part(own, metadata));
    }
  }
  return metadata;
}

}  // namespace tripos::transactions
