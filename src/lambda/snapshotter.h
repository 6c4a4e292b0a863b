// Snapshotter: the batch layer. Turns the live part of tables, [X, last stable offset), into column files and the next manifest
// (rules, 3).
//
//   pin → write each range to a staging file → sync, name, sync the directory → make the manifest by create-if-absent
//
// A crash anywhere leaves the old manifest or the new one; files that none names are removed by the next start. A range is named by
// its offsets, so doing it again is harmless: exactly once, without coordination. Who finds the next version taken pins again.
// Large ranges are cut at batch borders, so that several workers write at a time and no file grows without bound.
// Threads: any but the event loop's; one run at a time, a few may wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/time.h"
#include "lambda/column_files.h"
#include "lambda/tables.h"

namespace tripos::lambda {

enum class SnapshotOutcome : std::uint8_t {
  written,    // a new manifest counts
  no_change,  // nothing came since the last one
  no_rows,    // no JSON object yet: there is no table
  compacted,  // the table is the last value of each key: read from the log
};

struct TableSnapshot {
  TopicDescription topic;
  SnapshotOutcome outcome = SnapshotOutcome::no_change;
  Manifest manifest;          // that counts now
  std::size_t new_files = 0;  // the last ones of their partitions
  std::int64_t new_row_count = 0;
  std::uint64_t new_bytes = 0;
};

struct TableStatus {
  TopicDescription topic;
  Manifest manifest;
  struct Live {
    PartitionId partition;
    Offset begin;
    Offset end;
    std::uint64_t log_bytes = 0;
  };
  std::vector<Live> live;
};

class Snapshotter {
 public:
  struct Limits {
    std::uint64_t parallel_bytes_min = std::uint64_t{32} << 20;  // of log: smaller ranges are not cut for the sake of several workers
    std::uint64_t file_bytes_max = std::uint64_t{512} << 20;     // of log, that go into one file
  };

  Snapshotter(Tables& tables, ColumnFiles& files, std::function<WallTime()> now) : Snapshotter(tables, files, std::move(now), Limits()) {}
  Snapshotter(Tables& tables, ColumnFiles& files, std::function<WallTime()> now, Limits limits)
      : tables_(tables), files_(files), now_(std::move(now)), limits_(limits) {}

  // The named topic, or all tables if it is empty. not_found: no table has that name. unavailable: too many runs wait.
  [[nodiscard]] Result<std::vector<TableSnapshot>> run(const std::string& topic);
  // Before retention trims the log: makes a snapshot unless the partition's rows below `end` are in files. The offset below which they now
  // are; it lies below `end` if the last stable offset does.
  [[nodiscard]] Result<Offset> cover(const TopicDescription& topic, PartitionId partition, Offset end);
  // Before compaction drops records of a topic: keeps what they have added to its table's schema, in a manifest that changes nothing else.
  [[nodiscard]] Result<> keep_schema(const TopicDescription& topic);
  [[nodiscard]] Result<std::vector<TableStatus>> status(const std::string& topic);

 private:
  struct Piece {
    ColumnFileOrder order;
    std::string name;
  };

  [[nodiscard]] Result<std::vector<TopicDescription>> chosen(const std::string& topic);
  [[nodiscard]] Result<TableSnapshot> snapshot(const TopicDescription& topic);
  [[nodiscard]] Result<TableSnapshot> snapshot_once(const TopicDescription& topic);
  // The successor of the pinned one, without a new file.
  [[nodiscard]] Manifest next_manifest(const PinnedTable& pinned) const;
  [[nodiscard]] Result<TableSnapshot> write(const PinnedTable& pinned);
  [[nodiscard]] Result<std::vector<WrittenColumnFile>> write_files(const std::vector<Piece>& pieces);
  [[nodiscard]] Result<std::vector<Piece>> pieces(const PinnedTable& pinned, SchemaId schema) const;

  Tables& tables_;
  ColumnFiles& files_;
  std::function<WallTime()> now_;
  Limits limits_;
  std::mutex running_;
  std::atomic<int> run_count_ = 0;  // running and waiting
};

// Cuts a range at batch borders into ranges of about `bytes_max` bytes of log.
[[nodiscard]] Result<std::vector<PartitionRange>> cut_range(const PartitionRange& range, std::uint64_t bytes_max);

[[nodiscard]] std::string_view to_string(SnapshotOutcome outcome) noexcept;

}  // namespace tripos::lambda
