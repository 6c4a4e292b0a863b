// check_produced(): what a producer sent for one partition, before it is appended. A producer is never trusted: what passes can be
// read, record by record, by every consumer and by the tables.
// Pure. Ownership: views of what was sent, or of `rewritten`. Threads: none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "broker/config/broker_config.h"
#include "broker/kafka_error.h"
#include "model/record_batch.h"

namespace tripos::broker {

// What a batch may grow to when it is decompressed: a bound on bombs, above the uncompressed batch of any producer's defaults by far.
inline constexpr std::size_t decompressed_size_max = std::size_t{128} << 20;

struct CheckedBatch {
  RecordBatchView batch;
  std::int64_t log_append_time_ms = -1;  // -1: the records keep their creation time
};

struct RefusedRecord {
  std::int32_t place;  // in the batch
  std::string why;
};

// So many of a batch are named: a sender of nothing but bad ones can't make an answer of any size.
inline constexpr std::size_t refused_records_max = 10'000;

struct RefusedBatch {
  KafkaError error;
  std::vector<RefusedRecord> records;  // those at fault, where it is not the batch itself: a client sends the others again without them
  bool reached_log = false;            // one batch came as it was sent, and it is the log that can't take it: Kafka tells where that starts
};

// `rewritten` takes the batch if it must be changed (LogAppendTime; a wrong largest timestamp; another compression.type), which costs a
// copy. CORRUPT_MESSAGE: damaged on the way (retriable); INVALID_RECORD: wrong in itself; MESSAGE_TOO_LARGE; INVALID_TIMESTAMP;
// UNSUPPORTED_COMPRESSION_TYPE. Whether a transaction is open is for the caller to check.
[[nodiscard]] tl::expected<CheckedBatch, RefusedBatch> check_produced(Bytes records, const TopicConfig& config, WallTime now,
                                                                      std::int16_t request_version, RecordReader& reader,
                                                                      Buffer& rewritten);

}  // namespace tripos::broker
