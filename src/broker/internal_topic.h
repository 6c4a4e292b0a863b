// InternalTopic: a compacted topic in which a part of Tripos keeps what it must remember (__consumer_offsets, __tripos_catalog).
// Created when it is first written to; until then it has no records. Users may read it like any topic, not write it.
// Threads: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "broker/kafka_error.h"
#include "model/control_record.h"
#include "model/record_batch.h"

namespace tripos::broker {

class Broker;

struct KeyValue {
  Buffer key;
  std::optional<Buffer> value;  // none: a tombstone
};

class InternalTopic {
 public:
  // `partition_count`, `segment_bytes`: for its creation; it keeps the count that it was created with.
  InternalTopic(Broker& broker, std::string name, std::int32_t partition_count, std::int64_t segment_bytes);

  // Stays the same for as long as the topic lives, also before it exists.
  [[nodiscard]] std::int32_t partition_count() const;

  // Appends the records as one batch; `done`, later, once they are durable (their base offset) or refused. At least one record.
  // Order of calls = order of records, also while the topic is being created. `fields`: a transaction that they belong to.
  void append(PartitionId partition, std::span<const KeyValue> records, std::function<void(Outcome<Offset>)> done,
              const RecordBatchFields& fields = {});

  // What stands in the topic: a record, or the end of a producer's transaction.
  struct Entry {
    const Record* record = nullptr;           // nullptr: `marker`
    ProducerId transaction = no_producer_id;  // that the record belongs to
    std::optional<TransactionMarker> marker;
  };
  // Shows all that is durable in the partition, in offset order, open transactions included. Reads files: for start-up and first use.
  [[nodiscard]] Result<> read_all(PartitionId partition, const std::function<void(const Entry&)>& visit) const;

 private:
  Broker& broker_;
  std::string name_;
  std::int32_t partition_count_;
  std::int64_t segment_bytes_;
};

}  // namespace tripos::broker
