// verify_partition: reads a partition's files and says what is wrong with them, changing nothing; beside a server that writes them, too.
//
//   damage    what acknowledged records may have suffered from: a wrong checksum, a batch that is none, offsets that do not rise, a segment
//             that does not follow the one before it, records that their batch does not hold
//   warning   what the next start repairs by itself: an index entry that names no batch (indexes are hints)
//   note      what no crash-free log has, and is none the worse for: bytes behind the checkpoint that are no whole batch (never
//             acknowledged; the next start cuts them), offsets that nobody has (compaction, offsets that were raised)
//
// Each batch is read whole, its records too. Memory: the indexes of one segment, and the largest batch, which is bounded.
// Threads: none of its own; blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "model/record_batch.h"

namespace tripos::log {

struct Finding {
  enum class Kind { damage, warning, note };
  Kind kind = Kind::damage;
  std::string path;
  std::uint64_t position = 0;
  std::string what;
};

struct PartitionVerdict {
  std::uint64_t segments = 0;
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  Offset start{0};  // of what the segments hold
  Offset end{0};
  std::vector<Finding> findings;
};

// An error: the directory can't be read. All else is a finding.
[[nodiscard]] Result<PartitionVerdict> verify_partition(io::FileSystem& files, const std::string& directory,
                                                        std::size_t decompressed_size_max);

// The batches of a segment's file in order, whole and with a right checksum; `visit`'s error ends it.
// corrupt: what stands at a position, which is named, is none.
[[nodiscard]] Result<> for_each_batch_of(const io::File& file, const std::function<Result<>(const RecordBatchView&, std::uint64_t)>& visit);

}  // namespace tripos::log
