#include "log/segment_swap.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/crc32c.h"
#include "log/paths.h"

namespace tripos::log {
namespace {

constexpr std::string_view swap_head = "tripos swap 1\n";
constexpr std::size_t swap_size_max = std::size_t{16} << 20;

Buffer encode(const CleanedSegment& cleaned) {
  Buffer text = fmt::format("{}size {}\n", swap_head, cleaned.size);
  for (const Offset base : cleaned.replaced) text += fmt::format("replaced {}\n", base);
  text += fmt::format("crc32c {}\n", crc32c(text));
  return text;
}

// The number behind "name " at the front of `text`, which moves behind its line.
std::optional<std::uint64_t> take(Bytes& text, std::string_view name) {
  if (!text.starts_with(name) || text.size() <= name.size() || text[name.size()] != ' ') return std::nullopt;
  const char* const begin = text.data() + name.size() + 1;
  const char* const end = text.data() + text.size();
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stop == end || *stop != '\n') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop + 1 - text.data()));
  return value;
}

Result<CleanedSegment> decode(Bytes text, const std::string& path) {
  const auto broken = [&path] { return fail(ErrorCode::corrupt, "{}: it does not tell which segments are replaced", path); };
  const std::size_t sum_line = text.rfind("crc32c ");
  if (sum_line == Bytes::npos || !text.starts_with(swap_head)) return broken();
  Bytes last = text.substr(sum_line);
  const auto sum = take(last, "crc32c");
  if (!sum || !last.empty() || *sum != crc32c(text.substr(0, sum_line))) return broken();
  Bytes lines = text.substr(swap_head.size(), sum_line - swap_head.size());
  CleanedSegment cleaned;
  const auto size = take(lines, "size");
  if (!size) return broken();
  cleaned.size = *size;
  while (const auto base = take(lines, "replaced")) {
    if (*base > static_cast<std::uint64_t>(INT64_MAX)) return broken();
    cleaned.replaced.emplace_back(static_cast<std::int64_t>(*base));
  }
  if (!lines.empty() || cleaned.replaced.empty()) return broken();
  cleaned.base = cleaned.replaced.front();
  return cleaned;
}

Result<std::optional<std::uint64_t>> size_of(io::FileSystem& files, const std::string& path) {
  const auto file = files.open(path, io::OpenMode::read);
  if (!file && file.error().code == ErrorCode::not_found) return std::optional<std::uint64_t>();
  if (!file) return tl::unexpected(file.error());
  TRIPOS_ASSIGN(const std::uint64_t size, (*file)->size());
  return std::optional(size);
}

}  // namespace

Result<> decide_swap(io::FileSystem& files, const std::string& directory, const CleanedSegment& cleaned) {
  const std::string path = swap_path(directory);
  // Where the decision stands, the new files must: their names first.
  TRIPOS_TRY(files.sync_directory(directory));
  auto decided = io::replace_file(files, path, encode(cleaned));
  if (decided) return {};
  // Perhaps it stands there. Nobody may find it: the new files will be others.
  auto taken_back = files.remove(path);
  if (taken_back) taken_back = files.sync_directory(directory);
  if (!taken_back && taken_back.error().code != ErrorCode::not_found) return fail(ErrorCode::io, "{}", taken_back.error().message);
  return decided;
}

Result<> swap_names(io::FileSystem& files, const std::string& directory, const CleanedSegment& cleaned) {
  for (const Offset base : cleaned.replaced) {
    if (base == cleaned.base) continue;
    for (const std::string& path : segment_files(directory, base)) {
      if (auto removed = files.remove(path); !removed && removed.error().code != ErrorCode::not_found) return removed;
    }
  }
  for (const std::string& path :
       {segment_path(directory, cleaned.base), offset_index_path(directory, cleaned.base), time_index_path(directory, cleaned.base)}) {
    const std::string from = path + std::string(cleaned_suffix);
    TRIPOS_ASSIGN(const bool exists, files.exists(from));
    if (exists) TRIPOS_TRY(files.rename(from, path));
  }
  return {};
}

Result<> end_swap(io::FileSystem& files, const std::string& directory) {
  TRIPOS_TRY(files.sync_directory(directory));
  TRIPOS_TRY(files.remove(swap_path(directory)));
  return files.sync_directory(directory);
}

Result<> finish_swap(io::FileSystem& files, const std::string& directory) {
  const std::string path = swap_path(directory);
  const auto text = io::read_file(files, path, swap_size_max);
  if (!text && text.error().code == ErrorCode::not_found) return {};
  if (!text) return tl::unexpected(text.error());
  TRIPOS_ASSIGN(const CleanedSegment cleaned, decode(*text, path));
  const std::string log = segment_path(directory, cleaned.base);
  const std::string new_log = log + std::string(cleaned_suffix);
  TRIPOS_ASSIGN(const auto waiting, size_of(files, new_log));
  TRIPOS_ASSIGN(const auto standing, size_of(files, log));
  if (waiting.value_or(standing.value_or(0)) != cleaned.size || (!waiting && !standing)) {
    return fail(ErrorCode::corrupt, "{} says that {} takes the place of {} segments with {} bytes, which it does not have", path,
                waiting ? new_log : log, cleaned.replaced.size(), cleaned.size);
  }
  TRIPOS_TRY(swap_names(files, directory, cleaned));
  return end_swap(files, directory);
}

}  // namespace tripos::log
