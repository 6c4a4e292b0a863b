// Recovery: what PartitionLog::open does (rules, 1.7; docs/format/segment.md).
//
// A crash walk. What the checkpoint names was synced and is believed. Above it every batch is checked, to the first bad one. At most
// 4 MiB were unsynced, so if a valid batch starts more than 4 MiB behind the bad one, no crash explains it: that is damage, and the log is
// refused, unchanged. Otherwise the bad tail is cut. A segment that does not begin where the one before ends has lost that one's tail: a
// bad batch there. What remains may live in the page cache only (the process was killed, the machine was not), so it is synced before
// anybody sees it. After a sync that failed (file `sync-failed`) the cache may even hold clean pages that never reached the disk: the tail
// is written anew. A swap of segments that was decided (segment_swap.h) is finished first. A crash during recovery leaves a log that the
// next recovery ends with in the same way. Invariant: but for that, run() changes nothing on the disk before it knows that it will not
// refuse.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "log/checkpoint.h"
#include "log/partition_log.h"

namespace tripos::log {

// The directory and those that lead to it, up to `data` (docs/format/directory.md): all their names may be new.
[[nodiscard]] std::vector<std::string> directories_to_sync(const std::string& directory, const std::string& data);

class Recovery {
 public:
  explicit Recovery(PartitionLog& log) : log_(log) {}
  [[nodiscard]] Result<> run();
  [[nodiscard]] const RecoveryReport& report() const noexcept { return report_; }

 private:
  struct Place {
    std::size_t segment = 0;
    std::uint64_t position = 0;
  };

  [[nodiscard]] Result<> list();
  [[nodiscard]] Result<> read_checkpoint();
  [[nodiscard]] Result<> open_segments();
  [[nodiscard]] Result<> verify_below_checkpoint();
  [[nodiscard]] Result<> scan();
  // Checks the batches of a segment from its end on; where it stops is the segment's end.
  [[nodiscard]] Result<> scan_segment(Segment& segment, Offset& next);
  // The bytes from a place to the end of the log.
  [[nodiscard]] std::uint64_t bytes_behind(const Place& place) const noexcept;
  // Whether a valid batch starts more than `unsynced_bytes_max` behind the bad one.
  [[nodiscard]] Result<std::optional<std::string>> valid_batch_far_behind(const Place& bad, Offset next);
  [[nodiscard]] Result<> cut();
  [[nodiscard]] Result<> keep();
  [[nodiscard]] Result<> write_tail_anew();
  [[nodiscard]] Result<> raise_end();
  void take_over();

  PartitionLog& log_;
  RecoveryReport report_;
  std::vector<Offset> bases_;
  std::vector<std::string> leftovers_;     // files that belong to nothing
  std::vector<std::uint64_t> file_sizes_;  // by segment
  std::optional<Checkpoint> checkpoint_;
  bool checkpoint_damaged_ = false;
  bool sync_had_failed_ = false;
  std::size_t first_scanned_ = 0;  // segment
  std::uint64_t scanned_from_ = 0;
  std::optional<Place> bad_;
  Offset end_{0};
};

}  // namespace tripos::log
