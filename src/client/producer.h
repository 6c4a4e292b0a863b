// Producer: sends records of one topic, several batches in flight on one connection, in the order of add().
//
// Memory is bounded: a batch being filled per partition and `in_flight_max` sent ones; add() waits when that is full.
// With acks all or 1 a record counts as acknowledged once the broker says so, which in Tripos means: durable.
// A failure ends the producer: which of the unacknowledged records were taken is then unknown.
// Threads: one at a time. The connection is used for nothing else between the first add() and flush().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/kafka_connection.h"
#include "model/record_batch.h"

namespace tripos::client {

struct ProducerOptions {
  std::int16_t acks = -1;
  Compression compression = Compression::none;
  std::size_t batch_size_bytes = 900'000;  // below the broker's default limit of a batch, 1,048,588
  std::size_t in_flight_max = 6;
  std::int32_t timeout_ms = 60'000;
};

struct ProducedRecord {
  std::optional<std::int32_t> partition;  // none: by the key, else in turns of a batch
  WallTime timestamp{};
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  std::vector<RecordHeader> headers;
};

class Producer {
 public:
  // Called with the records of each batch that was acknowledged.
  using Acknowledged = std::function<void(std::uint64_t record_count, std::uint64_t size_bytes)>;

  Producer(KafkaConnection& connection, std::string topic, std::int32_t partition_count, const ProducerOptions& options,
           Acknowledged acknowledged);

  [[nodiscard]] Result<> add(const ProducedRecord& record);
  // Sends what is left and waits for every acknowledgement.
  [[nodiscard]] Result<> flush();

  // Per partition that took records: the offset after the last acknowledged one.
  [[nodiscard]] const std::map<std::int32_t, std::int64_t>& ends() const noexcept { return ends_; }

 private:
  struct InFlight {
    std::int32_t partition;
    std::int32_t record_count;
    std::size_t size_bytes;
  };

  [[nodiscard]] Result<std::int32_t> choose_partition(const ProducedRecord& record) const;
  [[nodiscard]] Result<> send_batch(std::int32_t partition);
  [[nodiscard]] Result<> take_acknowledgement();

  KafkaConnection& connection_;
  std::string topic_;
  ProducerOptions options_;
  Acknowledged acknowledged_;
  std::vector<RecordBatchBuilder> batches_;  // by partition
  std::deque<InFlight> in_flight_;
  std::int32_t next_partition_ = 0;  // of records without a key
  std::map<std::int32_t, std::int64_t> ends_;
};

// Which of `count` partitions a key belongs to: as Kafka's own Java client decides (murmur2).
[[nodiscard]] std::int32_t partition_of_key(Bytes key, std::int32_t count) noexcept;

}  // namespace tripos::client
