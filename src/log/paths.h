// The names of everything in a data directory, in one place (docs/format/directory.md).
//
//   DATA/LOCK                               held by the server or the offline command that works on the directory
//   DATA/server.json                        where the server listens; stale unless LOCK is held
//   DATA/journal                            bytes of logs that were acknowledged before their own files were synced
//   DATA/meta/                              the metadata log: a partition like any other
//   DATA/topics/<topic id>/<partition>/     a partition's log: segments, indexes, checkpoint
//   DATA/topics/<topic id>/table/           manifests and Parquet (src/lambda names what lies in it)
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"

namespace tripos::log {

[[nodiscard]] std::string lock_path(std::string_view data);
[[nodiscard]] std::string server_path(std::string_view data);
[[nodiscard]] std::string journal_path(std::string_view data);
[[nodiscard]] std::string unfinished_journal_path(std::string_view data);
[[nodiscard]] std::string metadata_directory(std::string_view data);
[[nodiscard]] std::string topics_directory(std::string_view data);
[[nodiscard]] std::string topic_directory(std::string_view data, const TopicId& topic);
[[nodiscard]] std::string partition_directory(std::string_view data, const TopicPartition& partition);
[[nodiscard]] std::string table_directory(std::string_view data, const TopicId& topic);

// Inside of a partition's directory.
[[nodiscard]] std::string segment_path(std::string_view partition_directory, Offset base_offset);
[[nodiscard]] std::string offset_index_path(std::string_view partition_directory, Offset base_offset);
[[nodiscard]] std::string time_index_path(std::string_view partition_directory, Offset base_offset);
[[nodiscard]] std::string transaction_index_path(std::string_view partition_directory, Offset base_offset);
// All of the four above: what goes with a segment.
[[nodiscard]] std::vector<std::string> segment_files(std::string_view partition_directory, Offset base_offset);
[[nodiscard]] std::string producer_snapshot_path(std::string_view partition_directory, Offset offset);
[[nodiscard]] std::string checkpoint_path(std::string_view partition_directory);
[[nodiscard]] std::string sync_failed_path(std::string_view partition_directory);
[[nodiscard]] std::string swap_path(std::string_view partition_directory);
// Behind the names of the files of a segment that compaction is making.
inline constexpr std::string_view cleaned_suffix = ".cleaned";

// The base offset of "00000000000000000042.log"; nothing if the name is not a segment's.
[[nodiscard]] std::optional<Offset> segment_base_offset(std::string_view file_name);
// The offset of "00000000000000000042.snapshot"; nothing if the name is not a producer snapshot's.
[[nodiscard]] std::optional<Offset> producer_snapshot_offset(std::string_view file_name);
// The partition of the directory name "7"; nothing if it is not one.
[[nodiscard]] std::optional<PartitionId> partition_from_name(std::string_view directory_name);

}  // namespace tripos::log
