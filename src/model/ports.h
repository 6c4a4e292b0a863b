// RecordSource and RecordSink: the ports between what stores records and what understands them (design, 1).
// Everything behind them (log, broker, sockets, a Kafka cluster) is unknown to json, lambda, query, load, exam and serve.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "model/aborted.h"
#include "model/compression.h"
#include "model/ends.h"
#include "model/ids.h"

namespace tripos {

struct TopicDescription {
  TopicId id;
  std::string name;
  std::int32_t partition_count = 0;
  bool internal = false;                      // Kafka's and our own bookkeeping: never a table
  bool table = true;                          // tripos.table
  std::size_t table_fields_max = 5000;        // tripos.table.fields.max
  bool compacted = false;                     // cleanup.policy has compact
  std::size_t message_bytes_max = 1'048'588;  // max.message.bytes: of a batch
};

// Some file that stays readable as long as this lives, even after it was unlinked.
class LeasedFile {
 public:
  virtual ~LeasedFile() = default;
  // For mmap and for handing to a worker; -1 where the file is not the operating system's (simulation).
  [[nodiscard]] virtual int descriptor() const noexcept = 0;
  // Its path, for errors.
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  // Reads exactly `count` bytes at `position`, appending them to `to`.
  [[nodiscard]] virtual Result<> read(std::uint64_t position, std::size_t count, Buffer& to) const = 0;
};

// Whole record batches (magic 2) of one file, in offset order.
struct LogSlice {
  std::shared_ptr<const LeasedFile> file;
  std::uint64_t begin = 0;  // position in the file, at the start of a batch
  std::uint64_t end = 0;    // exclusive, at the end of a batch
  // The log knows that its batches have offsets of [from, to); readers hold them to it (batch_order.h).
  Offset from{0};
  Offset to = offset_max;
};

// The records [begin, end) of a partition. The first batch may start below `begin`: the reader drops what lies below.
struct PartitionRange {
  PartitionId partition;
  Offset begin;  // may be above what was asked for: what lay below has left the log
  StableOffset end;
  std::vector<LogSlice> slices;
  std::vector<AbortedTransaction> aborted;  // those that reach into the range: who reads the slices leaves their batches out
  // Committed transactions that reach into the range, while other partitions of theirs don't show them yet: rows leave them out too, so
  // that nobody sees half of one. Their records count where all that was committed does (schemas, what a load finds there).
  std::vector<TransactionRange> withheld = {};
  // Both, by first offsets: what a table's rows leave out.
  [[nodiscard]] std::vector<TransactionRange> left_out() const {
    std::vector<TransactionRange> both = aborted;
    both.insert(both.end(), withheld.begin(), withheld.end());
    std::ranges::sort(both, {}, &TransactionRange::first);
    return both;
  }
  Offset deleted_below{0};  // records below were deleted on request: nobody shows them, wherever they are still kept
};

struct RangeRequest {
  TopicPartition partition;
  Offset begin;
  // End it before the first record that is withheld: what lies in it will be the same for every later reader.
  bool settled = false;
};

// Durable, stable records, in offset order.
// Threads: any but the event loop's own; each call is answered in one turn of the loop, so that one call is one consistent cut.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  [[nodiscard]] virtual std::vector<TopicDescription> topics() = 0;
  // All ranges as of one moment, each from its `begin` to the last stable offset. A partition that is gone: not_found.
  [[nodiscard]] virtual Result<std::vector<PartitionRange>> ranges(std::span<const RangeRequest> requests) = 0;
};

struct NewRecord {
  std::optional<Buffer> key;
  std::optional<Buffer> value;
  std::optional<WallTime> timestamp;  // none: now
};

struct NewRecords {
  std::string topic;  // by name; created if it is internal or auto-creation is on
  PartitionId partition;
  std::vector<NewRecord> records;
  std::optional<TopicId> topic_id = {};  // given: the topic must still be that one, and is not created
  Compression compression = Compression::none;
};

class RecordSink {
 public:
  virtual ~RecordSink() = default;
  // Appends; returns the base offset in the partition once all records are durable. Threads as RecordSource.
  [[nodiscard]] virtual Result<Offset> append(NewRecords records) = 0;
  // The same without waiting: `done` is called once, on the loop or in this call. What one thread appends to a partition in several calls
  // is written in their order, unless one of them fails.
  using AppendDone = std::function<void(const Result<Offset>&)>;
  virtual void append(NewRecords records, AppendDone done) = 0;
};

}  // namespace tripos
