#include "client/producer.h"

#include <utility>

#include "wire/produce.h"

namespace tripos::client {
namespace {

constexpr std::int16_t produce_names_version_max = 12;  // from 13 on topics are named by id
constexpr std::size_t record_overhead_max = 64;         // of a record's own lengths and deltas

// MurmurHash2 by Austin Appleby (public domain), 32 bits, with the seed that Kafka's clients agree on. Words are little-endian.
std::uint32_t murmur2(Bytes bytes) noexcept {
  constexpr std::uint32_t multiplier = 0x5bd1e995;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i])); };
  std::uint32_t hash = 0x9747b28c ^ static_cast<std::uint32_t>(bytes.size());
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    std::uint32_t word = byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
    word *= multiplier;
    word ^= word >> 24;
    word *= multiplier;
    hash = (hash * multiplier) ^ word;
  }
  if (at < bytes.size()) {
    for (std::size_t i = bytes.size(); i-- > at;) hash ^= byte(i) << (8 * (i - at));
    hash *= multiplier;
  }
  hash ^= hash >> 13;
  hash *= multiplier;
  return hash ^ hash >> 15;
}

}  // namespace

std::int32_t partition_of_key(Bytes key, std::int32_t count) noexcept {
  return static_cast<std::int32_t>(murmur2(key) & 0x7fffffffU) % count;
}

Producer::Producer(KafkaConnection& connection, std::string topic, std::int32_t partition_count, const ProducerOptions& options,
                   Acknowledged acknowledged)
    : connection_(connection),
      topic_(std::move(topic)),
      options_(options),
      acknowledged_(std::move(acknowledged)),
      batches_(static_cast<std::size_t>(partition_count)) {}

Result<std::int32_t> Producer::choose_partition(const ProducedRecord& record) const {
  const auto count = static_cast<std::int32_t>(batches_.size());
  if (record.partition) {
    if (*record.partition >= 0 && *record.partition < count) return *record.partition;
    return fail(ErrorCode::invalid_argument, "topic {} has the partitions 0 to {}, not {}", topic_, count - 1, *record.partition);
  }
  if (record.key) return partition_of_key(*record.key, count);
  return next_partition_;
}

Result<> Producer::add(const ProducedRecord& record) {
  TRIPOS_ASSIGN(const std::int32_t partition, choose_partition(record));
  RecordBatchBuilder& batch = batches_[static_cast<std::size_t>(partition)];
  std::size_t size = record_overhead_max + record.key.value_or("").size() + record.value.value_or("").size();
  for (const RecordHeader& header : record.headers) size += record_overhead_max + header.key.size() + header.value.value_or("").size();
  if (batch.record_count() > 0 && batch.size_bytes() + size > options_.batch_size_bytes) {
    TRIPOS_TRY(send_batch(partition));
    if (!record.partition && !record.key) next_partition_ = (next_partition_ + 1) % static_cast<std::int32_t>(batches_.size());
    return add(record);
  }
  batch.add(record.timestamp, record.key, record.value, record.headers);
  return {};
}

Result<> Producer::send_batch(std::int32_t partition) {
  while (in_flight_.size() >= options_.in_flight_max) TRIPOS_TRY(take_acknowledgement());
  RecordBatchBuilder& batch = batches_[static_cast<std::size_t>(partition)];
  const InFlight sent{.partition = partition, .record_count = batch.record_count(), .size_bytes = batch.size_bytes()};
  RecordBatchFields fields;
  fields.compression = options_.compression;
  const Buffer bytes = batch.finish(fields);
  wire::ProduceRequest request;
  request.acks = options_.acks;
  request.timeout_ms = options_.timeout_ms;
  auto& topic = request.topic_data.emplace_back();
  topic.name = topic_;
  auto& data = topic.partition_data.emplace_back();
  data.index = partition;
  data.records = bytes;
  TRIPOS_TRY(connection_.send(request, produce_names_version_max));
  if (options_.acks == 0) {
    connection_.expect_no_answer();
    if (acknowledged_) acknowledged_(static_cast<std::uint64_t>(sent.record_count), sent.size_bytes);
    return {};
  }
  in_flight_.push_back(sent);
  return {};
}

Result<> Producer::take_acknowledgement() {
  TRIPOS_ASSIGN(const auto response, connection_.receive<wire::ProduceResponse>());
  const InFlight sent = in_flight_.front();
  in_flight_.pop_front();
  for (const auto& topic : response.responses) {
    for (const auto& partition : topic.partition_responses) {
      if (partition.error_code != wire::ErrorCode::none) {
        return tl::unexpected(kafka_error(partition.error_code, fmt::format("partition {} of topic {}", partition.index, topic_),
                                          partition.error_message.value_or("")));
      }
      ends_[partition.index] = partition.base_offset + sent.record_count;
      if (acknowledged_) acknowledged_(static_cast<std::uint64_t>(sent.record_count), sent.size_bytes);
      return {};
    }
  }
  return fail(ErrorCode::malformed, "the broker acknowledged no partition of topic {}", topic_);
}

Result<> Producer::flush() {
  for (std::size_t partition = 0; partition < batches_.size(); ++partition) {
    if (batches_[partition].record_count() > 0) TRIPOS_TRY(send_batch(static_cast<std::int32_t>(partition)));
  }
  while (!in_flight_.empty()) TRIPOS_TRY(take_acknowledgement());
  return {};
}

}  // namespace tripos::client
