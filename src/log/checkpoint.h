// Checkpoint: how far a partition's log is known to be durable, in the file `checkpoint` of its directory (docs/format/segment.md).
// Replaced atomically after the sync that it describes; recovery scans only what lies above it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/file_system.h"
#include "model/ids.h"

namespace tripos::log {

struct Checkpoint {
  Offset start;                        // the log's start offset
  Offset deleted_below;                // records below it were deleted on request: no table shows them any more
  Offset compacted_below;              // records below it have been compacted
  Offset segment;                      // base offset of the segment that holds the durable end
  std::uint64_t position = 0;          // bytes of that segment that are durable
  Offset end;                          // the durable end: offset of the batch that would start at `position`
  std::int64_t max_timestamp_ms = -1;  // of that segment below `position`, and the last offset of the batch that has it
  Offset max_timestamp_offset;
  std::uint64_t offset_entries = 0;  // entries of that segment's indexes that are durable; earlier segments' indexes are whole
  std::uint64_t time_entries = 0;
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

[[nodiscard]] Buffer encode_checkpoint(const Checkpoint& checkpoint);
[[nodiscard]] Result<Checkpoint> decode_checkpoint(Bytes text);

// Nothing: there is none. corrupt: it is damaged, which no crash explains.
[[nodiscard]] Result<std::optional<Checkpoint>> read_checkpoint(io::FileSystem& files, const std::string& partition_directory);
[[nodiscard]] Result<> write_checkpoint(io::FileSystem& files, const std::string& partition_directory, const Checkpoint& checkpoint);

}  // namespace tripos::log
