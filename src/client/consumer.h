// Consumer: reads records of one topic from given offsets on, in offset order within each partition. No group: it is told what to read.
// Reads committed records only: control records and records of aborted transactions are passed over.
// One Fetch is under way at a time; its answer is bounded by `fetch_bytes_max`. Threads: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/kafka_connection.h"
#include "model/record_batch.h"

namespace tripos::client {

struct ConsumerOptions {
  std::int32_t wait_ms_max = 500;  // the broker waits so long for something to come
  std::int32_t fetch_bytes_max = 16 << 20;
  std::size_t decompressed_size_max = 256U << 20;  // of one batch
};

struct ConsumedPartition {
  std::int32_t index = 0;
  std::int64_t position = 0;        // the next offset to be read
  std::optional<std::int64_t> end;  // read no further; none: go on for ever
  std::int64_t batches_end = 0;     // where the last batch that was read has ended
  [[nodiscard]] bool done() const noexcept { return end && position >= *end; }
};

class Consumer {
 public:
  // True: go on. The record's views last until it returns.
  using Sink = std::function<Result<bool>(std::int32_t partition, const Record& record)>;

  Consumer(KafkaConnection& connection, std::string topic, std::vector<ConsumedPartition> partitions, const ConsumerOptions& options)
      : connection_(connection),
        topic_(std::move(topic)),
        partitions_(std::move(partitions)),
        options_(options),
        reader_(options.decompressed_size_max) {}

  // One Fetch: gives its records to the sink. False: the sink wants no more, or every partition is at its end.
  [[nodiscard]] Result<bool> poll(const Sink& sink);

  [[nodiscard]] const std::vector<ConsumedPartition>& partitions() const noexcept { return partitions_; }

 private:
  struct AbortedTransaction {
    std::int64_t producer_id;
    std::int64_t first_offset;
  };

  [[nodiscard]] Result<bool> read_batches(ConsumedPartition& partition, Bytes batches, Offset high_watermark,
                                          std::vector<AbortedTransaction> aborted, const Sink& sink);
  [[nodiscard]] Result<bool> read_batch(ConsumedPartition& partition, const RecordBatchView& batch, const Sink& sink);
  [[nodiscard]] std::string place(const ConsumedPartition& partition) const;

  KafkaConnection& connection_;
  std::string topic_;
  std::vector<ConsumedPartition> partitions_;
  ConsumerOptions options_;
  RecordReader reader_;
};

}  // namespace tripos::client
