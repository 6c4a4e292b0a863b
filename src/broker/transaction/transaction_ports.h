// What the transaction coordinator needs of the broker: a log to remember in, partitions to end transactions in, producer ids.
// Threads: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "broker/transaction/transaction_metadata.h"
#include "model/control_record.h"
#include "wire/error_code.h"

namespace tripos::transactions {

// __transaction_state: a compacted topic that is appended to and read at start.
class TransactionLog {
 public:
  virtual ~TransactionLog() = default;
  // Never changes while the topic lives.
  [[nodiscard]] virtual std::int32_t partition_count() const = 0;
  // `done`, later and in the order of the calls: once the record is durable, or why it can't be. No value: a tombstone.
  virtual void append(PartitionId partition, Buffer key, std::optional<Buffer> value, std::function<void(wire::ErrorCode)> done) = 0;
  // Shows all durable records in offset order; blocks (for the start).
  [[nodiscard]] virtual Result<> read_all(PartitionId partition,
                                          const std::function<void(std::optional<Bytes> key, std::optional<Bytes> value)>& visit) const = 0;
};

class TransactionPartitions {
 public:
  virtual ~TransactionPartitions() = default;
  // `done`, during the call or later: none when the marker is durable, unknown_topic_or_partition when there is nothing to write it to,
  // invalid_producer_epoch when the partition knows a newer epoch (the transaction has ended there); else it must be tried again.
  virtual void append_marker(const TopicPartitionName& partition, const TransactionMarker& marker,
                             std::function<void(wire::ErrorCode)> done) = 0;
  // The marker is durable everywhere: all of them show what the transaction wrote, or never will, in one step; but for those where an
  // earlier transaction is open.
  virtual void release(const std::string& id, const TransactionMarker& marker, const Partitions& partitions) = 0;
  // Where the producer's open transaction begins, in those of the partitions that have records of it.
  [[nodiscard]] virtual FirstOffsets first_offsets(ProducerId producer_id, const Partitions& partitions) = 0;
  // The committed transactions of this id that straddle now.
  [[nodiscard]] virtual std::vector<StraddlingTransaction> straddling(const std::string& id) = 0;
  // Those that were stored. At start, before anybody reads.
  virtual void restore(const std::string& id, const std::vector<StraddlingTransaction>& straddling) = 0;
};

// A fresh producer id, once it is durable that it was given.
using NextProducerId = std::function<void(std::function<void(tl::expected<ProducerId, wire::ErrorCode>)>)>;

}  // namespace tripos::transactions
