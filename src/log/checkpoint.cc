#include "log/checkpoint.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/crc32c.h"
#include "log/paths.h"

namespace tripos::log {
namespace {

constexpr std::string_view checkpoint_head = "tripos checkpoint 2\n";
constexpr std::size_t size_max = 4096;

// Takes "name value\n" off the front of `text`.
template <typename T>
bool take_value(Bytes& text, std::string_view name, T& value) {
  if (!text.starts_with(name) || text.size() <= name.size() || text[name.size()] != ' ') return false;
  const char* const begin = text.data() + name.size() + 1;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stop == end || *stop != '\n') return false;
  text.remove_prefix(static_cast<std::size_t>(stop + 1 - text.data()));
  return true;
}

}  // namespace

Buffer encode_checkpoint(const Checkpoint& checkpoint) {
  Buffer text = fmt::format(
      "{}start {}\ndeleted_below {}\ncompacted_below {}\nsegment {}\nposition {}\nend {}\nmax_timestamp_ms {}\nmax_timestamp_offset {}\n"
      "offset_entries {}\ntime_entries {}\n",
      checkpoint_head, checkpoint.start, checkpoint.deleted_below, checkpoint.compacted_below, checkpoint.segment, checkpoint.position,
      checkpoint.end, checkpoint.max_timestamp_ms, checkpoint.max_timestamp_offset, checkpoint.offset_entries, checkpoint.time_entries);
  text += fmt::format("crc32c {}\n", crc32c(text));
  return text;
}

Result<Checkpoint> decode_checkpoint(Bytes text) {
  const auto broken = [] { return fail(ErrorCode::corrupt, "not a checkpoint of this version"); };
  const std::size_t sum_line = text.rfind("crc32c ");
  if (sum_line == Bytes::npos || !text.starts_with(checkpoint_head)) return broken();
  std::uint32_t sum = 0;
  Bytes last = text.substr(sum_line);
  if (!take_value(last, "crc32c", sum) || !last.empty()) return broken();
  if (sum != crc32c(text.substr(0, sum_line))) return fail(ErrorCode::corrupt, "wrong checksum");
  Bytes lines = text.substr(checkpoint_head.size(), sum_line - checkpoint_head.size());
  std::int64_t start = 0;
  std::int64_t deleted_below = 0;
  std::int64_t compacted_below = 0;
  std::int64_t segment = 0;
  std::int64_t end = 0;
  std::int64_t max_timestamp_offset = 0;
  Checkpoint checkpoint;
  if (!take_value(lines, "start", start) || !take_value(lines, "deleted_below", deleted_below) ||
      !take_value(lines, "compacted_below", compacted_below) || !take_value(lines, "segment", segment) ||
      !take_value(lines, "position", checkpoint.position) || !take_value(lines, "end", end) ||
      !take_value(lines, "max_timestamp_ms", checkpoint.max_timestamp_ms) ||
      !take_value(lines, "max_timestamp_offset", max_timestamp_offset) || !take_value(lines, "offset_entries", checkpoint.offset_entries) ||
      !take_value(lines, "time_entries", checkpoint.time_entries) || !lines.empty()) {
    return broken();
  }
  if (start < 0 || segment < 0 || end < segment || end < start) return broken();
  if (deleted_below < 0 || deleted_below > end || compacted_below < 0 || compacted_below > end) return broken();
  checkpoint.start = Offset(start);
  checkpoint.deleted_below = Offset(deleted_below);
  checkpoint.compacted_below = Offset(compacted_below);
  checkpoint.segment = Offset(segment);
  checkpoint.end = Offset(end);
  checkpoint.max_timestamp_offset = Offset(max_timestamp_offset);
  return checkpoint;
}

Result<std::optional<Checkpoint>> read_checkpoint(io::FileSystem& files, const std::string& partition_directory) {
  const std::string path = checkpoint_path(partition_directory);
  auto text = io::read_file(files, path, size_max);
  if (!text) {
    if (text.error().code == ErrorCode::not_found) return std::optional<Checkpoint>();
    if (text.error().code == ErrorCode::too_large) return fail(ErrorCode::corrupt, "{}", text.error().message);
    return tl::unexpected(std::move(text).error());
  }
  auto checkpoint = decode_checkpoint(*text);
  if (!checkpoint) return tl::unexpected(std::move(checkpoint).error().within(path));
  return std::optional<Checkpoint>(*checkpoint);
}

Result<> write_checkpoint(io::FileSystem& files, const std::string& partition_directory, const Checkpoint& checkpoint) {
  return io::replace_file(files, checkpoint_path(partition_directory), encode_checkpoint(checkpoint));
}

}  // namespace tripos::log
