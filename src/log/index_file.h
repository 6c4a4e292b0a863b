// IndexFile: one of a segment's two sparse indexes, in Kafka's format (docs/format/segment.md).
//   .index      8 bytes: last offset of a batch - base offset (4), position of the batch (4)
//   .timeindex 12 bytes: largest timestamp so far (8), last offset of the batch that has it - base offset (4)
// Indexes are hints: who follows an entry checks it against the batch that it names, and rebuilds the index if they differ.
// New entries are kept in memory and written some at a time; nothing waits for them.
// Threads: the loop's only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "model/ids.h"

namespace tripos::log {

struct OffsetEntry {
  Offset offset;  // last offset of a batch
  std::uint64_t position = 0;

  static constexpr std::size_t size = 8;
  static OffsetEntry decode(const char* from, Offset base) noexcept;
  void encode(char* to, Offset base) const noexcept;
};

struct TimeEntry {
  std::int64_t timestamp_ms = -1;  // largest of all batches up to the place where the entry was made
  Offset offset;                   // last offset of the first batch that has it

  static constexpr std::size_t size = 12;
  static TimeEntry decode(const char* from, Offset base) noexcept;
  void encode(char* to, Offset base) const noexcept;
};

template <typename Entry>
class IndexFile {
 public:
  IndexFile(io::FileSystem& files, std::string path, Offset base) : files_(files), path_(std::move(path)), base_(base) {}

  // Makes the file, or empties it.
  [[nodiscard]] Result<> create();
  // Takes over the file's whole entries; a missing file has none.
  [[nodiscard]] Result<> load();
  // Drops the entries from `count` on; the file follows at the next flush().
  void cut(std::uint64_t count) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return written_ + tail_.size(); }
  [[nodiscard]] std::size_t unwritten() const noexcept { return tail_.size(); }
  [[nodiscard]] Result<Entry> at(std::uint64_t index) const;
  void append(const Entry& entry) { tail_.push_back(entry); }

  // The last entry for which `holds` is true, given that it is true for a prefix of the entries.
  [[nodiscard]] Result<std::optional<Entry>> last_where(const std::function<bool(const Entry&)>& holds) const;

  // Hands all entries to the operating system; not a sync.
  [[nodiscard]] Result<> flush();
  // For syncing; open after flush().
  [[nodiscard]] const std::shared_ptr<io::File>& file() const noexcept { return file_; }
  void close() noexcept { file_.reset(); }

 private:
  [[nodiscard]] Result<> open(io::OpenMode mode) const;

  io::FileSystem& files_;
  std::string path_;
  Offset base_;
  mutable std::shared_ptr<io::File> file_;  // opened when needed
  std::uint64_t written_ = 0;               // entries in the file
  bool stale_ = false;                      // the file goes on behind them
  std::vector<Entry> tail_;                 // entries that are not in the file yet
};

extern template class IndexFile<OffsetEntry>;
extern template class IndexFile<TimeEntry>;

}  // namespace tripos::log
