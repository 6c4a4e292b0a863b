// OffsetsTopic: __consumer_offsets as the coordinator sees it: a compacted topic that it appends to and reads at start.
// Threads: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "model/ids.h"
#include "wire/error_code.h"

namespace tripos::groups {

struct OffsetsTopicRecord {
  Buffer key;
  std::optional<Buffer> value;  // none: the key is deleted
};

// A producer whose transaction the records belong to.
struct TransactionalProducer {
  ProducerId id;
  ProducerEpoch epoch;
};

// What stands in the topic: a record, or the end of a producer's transaction.
struct OffsetsTopicEntry {
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  ProducerId transaction = no_producer_id;  // the record counts if this producer's transaction is committed; none: at once
  std::optional<bool> ends_committed;       // no record: the producer's transaction was committed (true) or aborted
};

class OffsetsTopic {
 public:
  virtual ~OffsetsTopic() = default;

  // Never changes while the topic lives.
  [[nodiscard]] virtual std::int32_t partition_count() const = 0;

  // Appends all or none of the records, of which there is at least one. `done`, later and in the order of the calls: once they are durable,
  // or why they can't be.
  virtual void append(PartitionId partition, std::vector<OffsetsTopicRecord> records, std::optional<TransactionalProducer> transaction,
                      std::function<void(wire::ErrorCode)> done) = 0;

  // Shows all that is durable in offset order; blocks (for the start).
  [[nodiscard]] virtual Result<> read_all(PartitionId partition, const std::function<void(const OffsetsTopicEntry&)>& visit) const = 0;
};

}  // namespace tripos::groups
