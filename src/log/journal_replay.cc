#include "log/journal_replay.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "log/checkpoint.h"
#include "log/journal_format.h"
#include "log/paths.h"

namespace tripos::log {
namespace {

constexpr std::size_t journal_bytes_max = std::size_t{1} << 30;
constexpr const char* advice =
    "If the machine has not lost power since the server ended, the logs hold all that the journal does: move it away, and start again";

// The records that are needed, by number. The views in them are of `bytes`.
Result<std::map<std::uint64_t, JournalRecord>> needed_records(Bytes bytes, const std::string& path) {
  const auto head = decode_journal_head(bytes);
  if (!head || bytes.size() != head->file_bytes()) return fail(ErrorCode::corrupt, "{}: its head is damaged. {}", path, advice);
  std::map<std::uint64_t, JournalRecord> records;
  for (std::uint64_t at = journal_block; at < bytes.size();) {
    auto record = decode_journal_record(bytes.substr(at), head->run);
    at += record ? record->size : journal_block;
    if (record) records.emplace(record->number, std::move(*record));
  }
  if (records.empty()) return records;
  const std::uint64_t last = records.rbegin()->first;
  const std::uint64_t first = records.rbegin()->second.drained_below;
  records.erase(records.begin(), records.lower_bound(first));
  for (std::uint64_t number = first; number <= last; ++number) {
    if (!records.contains(number)) {
      return fail(ErrorCode::corrupt, "{}: its record {} is damaged, though it was followed by others up to {}. {}", path, number, last,
                  advice);
    }
  }
  return records;
}

// Whether a path from a directory on leads to something in it.
bool lies_within(std::string_view path) {
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (name.empty() || name == "." || name == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

class Replay {
 public:
  Replay(io::FileSystem& files, const std::string& data) : files_(files), data_(data) {}

  Result<> apply(const JournalEntry& entry) {
    const std::string path = data_ + "/" + std::string(entry.name);
    const std::string directory = io::parent_of(path);
    const auto base = segment_base_offset(path.substr(directory.size() + 1));
    if (!base || !lies_within(entry.name))
      return fail(ErrorCode::corrupt, "{}: it speaks of {}, which is no segment", journal_path(data_), entry.name);
    const Result<std::optional<Checkpoint>>& read = checkpoint_of(directory);
    if (!read && read.error().code != ErrorCode::corrupt) return tl::unexpected(read.error());
    const std::optional<Checkpoint> checkpoint = read.value_or(std::nullopt);
    const std::uint64_t end = entry.position + entry.bytes.size();
    if (checkpoint && (*base < checkpoint->segment || (*base == checkpoint->segment && end <= checkpoint->position))) return {};
    if (file_ == nullptr || file_->path() != path) {
      auto file = files_.open(path, io::OpenMode::write);
      if (!file && file.error().code == ErrorCode::not_found) return {};  // retention or a deletion has taken it
      if (!file) return tl::unexpected(std::move(file).error());
      file_ = std::move(*file);
    }
    TRIPOS_ASSIGN(const std::uint64_t size, file_->size());
    if (size < entry.position) {
      if (holes_.insert(path).second) {
        result_.damaged.push_back(fmt::format("{} ends at byte {}, though {} holds what was acknowledged from byte {} on: records are lost",
                                              path, size, journal_path(data_), entry.position));
      }
      return {};
    }
    if (!read) {  // perhaps compaction has put another segment under this name
      TRIPOS_ASSIGN(const bool stands, stands_there(entry));
      if (!stands) {
        return fail(ErrorCode::corrupt, "{}; without it {} may not be written to {}. {}", read.error().message, journal_path(data_), path,
                    advice);
      }
    }
    result_.bytes += entry.bytes.size();
    return file_->write_at(entry.position, std::array{entry.bytes});
  }
  [[nodiscard]] JournalReplay result(std::uint64_t records) && {
    result_.records = records;
    return std::move(result_);
  }

 private:
  const Result<std::optional<Checkpoint>>& checkpoint_of(const std::string& directory) {
    const auto known = checkpoints_.find(directory);
    if (known != checkpoints_.end()) return known->second;
    return checkpoints_.emplace(directory, read_checkpoint(files_, directory)).first->second;
  }
  // Whether its bytes are in the file already.
  Result<bool> stands_there(const JournalEntry& entry) const {
    Buffer bytes(entry.bytes.size(), '\0');
    TRIPOS_ASSIGN(const std::size_t count, file_->read_at(entry.position, bytes));
    return Bytes(bytes).substr(0, count) == entry.bytes;
  }

  io::FileSystem& files_;
  const std::string& data_;
  std::map<std::string, Result<std::optional<Checkpoint>>> checkpoints_;  // by directory
  std::shared_ptr<io::File> file_;                                        // of the last entry
  JournalReplay result_;
  std::set<std::string> holes_;
};

}  // namespace

Result<JournalReplay> replay_journal(io::FileSystem& files, const std::string& data) {
  const std::string path = journal_path(data);
  TRIPOS_ASSIGN(const bool exists, files.exists(path));
  if (!exists) return JournalReplay{};
  TRIPOS_ASSIGN(const Buffer bytes, io::read_file(files, path, journal_bytes_max));
  TRIPOS_ASSIGN(const auto records, needed_records(bytes, path));
  Replay replay(files, data);
  for (const auto& [number, record] : records) {
    for (const JournalEntry& entry : record.entries) TRIPOS_TRY(replay.apply(entry));
  }
  return std::move(replay).result(records.size());
}

Result<> remove_journal(io::FileSystem& files, const std::string& data) {
  bool removed = false;
  for (const std::string& path : {unfinished_journal_path(data), journal_path(data)}) {
    auto done = files.remove(path);
    if (!done && done.error().code != ErrorCode::not_found) return done;
    removed = removed || done;
  }
  return removed ? files.sync_directory(data) : Result<>();
}

}  // namespace tripos::log
