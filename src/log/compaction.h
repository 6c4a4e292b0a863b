// Compaction: rewrites closed segments of a log so that of each key the last record is left (compaction_rules.h). One run over one log.
//
//   mapping ── a part of the log that no compaction has seen is read, the last offset of each of its keys remembered
//      │        (as many keys as fit into memory: the rest is for the next run)
//      ▼
//   writing ── segments, some at a time, are rewritten to <base>.log.cleaned, with indexes, and synced
//      │ ▲
//      ▼ │
//   ready   ── the caller puts the new segment in the place of the old ones (PartitionLog::replace), and goes on with step()
//      │
//      ▼
//   done
//
// The old segments are only read: giving up at any moment leaves nothing but .cleaned files, which the next run or recovery removes.
// Ownership: holds the segments' files open. Threads: one at a time; it blocks, a few MiB of log a step.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"
#include "log/compaction_rules.h"
#include "log/offset_map.h"
#include "log/partition_log.h"
#include "log/segment.h"
#include "model/aborted.h"
#include "model/batch_rewriter.h"

namespace tripos::log {

struct CompactionOptions {
  std::uint64_t segment_bytes = 1u << 30;
  std::uint32_t index_interval_bytes = 4096;
  std::int64_t delete_retention_ms = 0;
  std::uint64_t map_bytes = std::uint64_t{128} << 20;  // log.cleaner.dedupe.buffer.size
  std::uint64_t step_bytes = std::uint64_t{4} << 20;
  std::uint64_t seed = 0;  // of the keys' hashes: random
};

class Compaction {
 public:
  enum class State { mapping, writing, ready, done };

  // `segments`: PartitionLog::closed_segments() up to the plan's end. `start`: of the log. `aborted`: all transactions that were aborted
  // and reach into them.
  Compaction(io::FileSystem& files, std::string directory, std::vector<ClosedSegment> segments, Offset start, Offset dirty_from,
             std::span<const AbortedTransaction> aborted, const CompactionOptions& options, std::int64_t now_ms);
  ~Compaction();
  Compaction(const Compaction&) = delete;
  Compaction& operator=(const Compaction&) = delete;

  // Goes on for a while. corrupt: a batch is damaged. After an error nothing goes on.
  [[nodiscard]] Result<State> step();
  // While ready: what takes the place of which segments.
  [[nodiscard]] const CleanedSegment& cleaned() const noexcept { return cleaned_; }
  // When done: every record below it was judged, and only the last of each key is left.
  [[nodiscard]] Offset compacted_below() const noexcept { return mapped_end_; }

 private:
  class Batches;

  [[nodiscard]] Result<> map_some();
  [[nodiscard]] Result<> map(const RecordBatchView& batch);
  void end_mapping(Offset end);
  [[nodiscard]] Result<> begin_group();
  [[nodiscard]] Result<> write_some();
  [[nodiscard]] Result<> write(const RecordBatchView& batch);
  [[nodiscard]] Result<> write_marker(const RecordBatchView& batch);
  [[nodiscard]] Result<> write_records(const RecordBatchView& batch);
  [[nodiscard]] Result<> put(Bytes batch);
  [[nodiscard]] Result<> flush();
  [[nodiscard]] Result<> end_group();

  io::FileSystem& files_;
  std::string directory_;
  std::vector<ClosedSegment> segments_;
  Offset start_;
  Offset dirty_from_;
  AbortedBatches aborted_;
  CompactionOptions options_;
  std::int64_t now_ms_;

  State state_ = State::mapping;
  OffsetMap last_offsets_;
  RecordReader reader_;
  BatchRewriter rewriter_;
  CompactedTransactions transactions_;
  Offset mapped_end_{0};
  bool mapped_any_ = false;

  std::size_t segment_ = 0;  // being read
  std::unique_ptr<Batches> batches_;
  std::size_t group_end_ = 0;        // behind the last segment of the group
  std::unique_ptr<Segment> output_;  // of the group
  Buffer unwritten_;
  std::uint64_t unsynced_bytes_ = 0;
  std::vector<bool> kept_;
  CleanedSegment cleaned_;
};

}  // namespace tripos::log
