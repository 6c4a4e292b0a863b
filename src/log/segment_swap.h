// SegmentSwap: puts a compacted segment in the place of those that it was made of, so that a crash leaves the old ones or the new one
// (docs/format/segment.md, "Compaction").
//
//   on the disk                        what a crash leaves              recovery
//   <base>.log.cleaned, unsynced or    the old segments                 removes .cleaned files
//   synced
//   `swap`, durable                    the old ones, the new one, or    goes on from here: each step can be repeated
//   names changed, some or all         something in between
//   `swap` removed, durable            the new segment                  nothing to do
//
// Invariant: no .cleaned file is made for a base that a `swap` on the disk names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"
#include "model/ids.h"

namespace tripos::log {

// A segment that compaction has made, under its .cleaned names, synced.
struct CleanedSegment {
  Offset base;
  Offset end;                    // base of the segment behind those that it replaces
  std::vector<Offset> replaced;  // their bases, `base` first
  std::uint64_t size = 0;
  std::vector<Offset> dropped_markers;  // offsets of markers that are in none of them any more
};

// Makes it durable that the new segment counts. `cleaned`: its files are synced; their names need not be yet.
[[nodiscard]] Result<> decide_swap(io::FileSystem& files, const std::string& directory, const CleanedSegment& cleaned);
// Changes the names; not durable yet.
[[nodiscard]] Result<> swap_names(io::FileSystem& files, const std::string& directory, const CleanedSegment& cleaned);
// Makes that durable, and forgets the decision.
[[nodiscard]] Result<> end_swap(io::FileSystem& files, const std::string& directory);

// For recovery: finishes a swap that was decided. corrupt: the files are not those that it was decided about; nothing was changed.
[[nodiscard]] Result<> finish_swap(io::FileSystem& files, const std::string& directory);

}  // namespace tripos::log
