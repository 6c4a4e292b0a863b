#include "log/paths.h"

#include <fmt/format.h>

#include <charconv>

namespace tripos::log {
namespace {

constexpr std::size_t offset_digits = 20;
constexpr std::string_view segment_suffix = ".log";
constexpr std::string_view snapshot_suffix = ".snapshot";

template <typename T>
std::optional<T> parse_digits(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || text.front() == '-') return std::nullopt;
  return value;
}

// The offset of a file that is named by it: 20 digits and a suffix.
std::optional<Offset> offset_in_name(std::string_view file_name, std::string_view suffix) {
  if (file_name.size() != offset_digits + suffix.size() || !file_name.ends_with(suffix)) return std::nullopt;
  const auto value = parse_digits<std::int64_t>(file_name.substr(0, offset_digits));
  if (!value) return std::nullopt;
  return Offset(*value);
}

}  // namespace

std::string lock_path(std::string_view data) { return fmt::format("{}/LOCK", data); }
std::string server_path(std::string_view data) { return fmt::format("{}/server.json", data); }
std::string journal_path(std::string_view data) { return fmt::format("{}/journal", data); }
std::string unfinished_journal_path(std::string_view data) { return fmt::format("{}/journal.tmp", data); }
std::string metadata_directory(std::string_view data) { return fmt::format("{}/meta", data); }
std::string topics_directory(std::string_view data) { return fmt::format("{}/topics", data); }
std::string topic_directory(std::string_view data, const TopicId& topic) { return fmt::format("{}/topics/{}", data, topic.text()); }
std::string partition_directory(std::string_view data, const TopicPartition& partition) {
  return fmt::format("{}/topics/{}/{}", data, partition.topic.text(), partition.partition);
}
std::string table_directory(std::string_view data, const TopicId& topic) { return fmt::format("{}/topics/{}/table", data, topic.text()); }

std::string segment_path(std::string_view directory, Offset base_offset) {
  return fmt::format("{}/{:020}{}", directory, base_offset.value(), segment_suffix);
}
std::string offset_index_path(std::string_view directory, Offset base_offset) {
  return fmt::format("{}/{:020}.index", directory, base_offset.value());
}
std::string time_index_path(std::string_view directory, Offset base_offset) {
  return fmt::format("{}/{:020}.timeindex", directory, base_offset.value());
}
std::string transaction_index_path(std::string_view directory, Offset base_offset) {
  return fmt::format("{}/{:020}.txnindex", directory, base_offset.value());
}
std::vector<std::string> segment_files(std::string_view directory, Offset base_offset) {
  return {segment_path(directory, base_offset), offset_index_path(directory, base_offset), time_index_path(directory, base_offset),
          transaction_index_path(directory, base_offset)};
}
std::string producer_snapshot_path(std::string_view directory, Offset offset) {
  return fmt::format("{}/{:020}{}", directory, offset.value(), snapshot_suffix);
}
std::string checkpoint_path(std::string_view directory) { return fmt::format("{}/checkpoint", directory); }
std::string swap_path(std::string_view directory) { return fmt::format("{}/swap", directory); }
std::string sync_failed_path(std::string_view directory) { return fmt::format("{}/sync-failed", directory); }

std::optional<Offset> segment_base_offset(std::string_view file_name) { return offset_in_name(file_name, segment_suffix); }
std::optional<Offset> producer_snapshot_offset(std::string_view file_name) { return offset_in_name(file_name, snapshot_suffix); }

std::optional<PartitionId> partition_from_name(std::string_view directory_name) {
  if (directory_name.size() > 1 && directory_name.front() == '0') return std::nullopt;
  const auto value = parse_digits<std::int32_t>(directory_name);
  if (!value) return std::nullopt;
  return PartitionId(*value);
}

}  // namespace tripos::log
