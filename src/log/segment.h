// Segment: one .log file of whole record batches, with its indexes (docs/format/segment.md).
// The newest segment of a log is written; older ones only read: their files are opened when needed and may be released.
// Invariant: size() is the end of the last whole batch; positions given out are batch borders.
// Threads: the loop's only. File descriptors are shared with the LogSlices that were handed out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "io/file_system.h"
#include "log/batch_header.h"
#include "log/checkpoint.h"
#include "log/index_file.h"
#include "model/ports.h"

namespace tripos::log {

// A segment's file as readers hold it: stays readable after the segment was removed.
class SegmentFile final : public LeasedFile {
 public:
  explicit SegmentFile(std::shared_ptr<io::File> file) : file_(std::move(file)) {}
  [[nodiscard]] int descriptor() const noexcept override { return file_->descriptor(); }
  [[nodiscard]] const std::string& name() const noexcept override { return file_->path(); }
  [[nodiscard]] Result<> read(std::uint64_t position, std::size_t count, Buffer& to) const override;
  [[nodiscard]] const std::shared_ptr<io::File>& file() const noexcept { return file_; }

 private:
  std::shared_ptr<io::File> file_;
};

class Segment {
 public:
  // A new, empty one; files left under its name by a crash are emptied. `suffix`: behind the names of its files.
  [[nodiscard]] static Result<std::unique_ptr<Segment>> create(io::FileSystem& files, const std::string& directory, Offset base,
                                                               std::uint32_t index_interval_bytes, std::string_view suffix = {});
  // One that exists. It counts as closed, its end as the file's, its indexes as whole, until resume() or restart().
  [[nodiscard]] static Result<std::unique_ptr<Segment>> open(io::FileSystem& files, const std::string& directory, Offset base,
                                                             std::uint32_t index_interval_bytes);

  [[nodiscard]] Offset base() const noexcept { return base_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] Result<std::shared_ptr<const SegmentFile>> file();
  // Closes the files of a segment that is only read; slices that were handed out stay good.
  void release() noexcept;

  // --- Writing

  // Makes room for `bytes` behind the end, ahead of what is needed. no_space: nothing has changed.
  [[nodiscard]] Result<> reserve(std::uint64_t bytes);
  // Writes behind the end, without moving it: add() does, batch by batch.
  [[nodiscard]] Result<> write(std::span<const Bytes> parts);
  // Cuts the file at the end: takes away what a failed write() left, and gives reserved space back.
  [[nodiscard]] Result<> trim();
  // A batch stands at the end: the end moves behind it, the indexes learn of it.
  void add(const BatchHeader& batch);
  // Hands the indexes to the operating system when enough has gathered; failing is no harm.
  void flush_indexes_sometimes();
  [[nodiscard]] Result<> flush_indexes();
  // No more batches: writes the last time entry and all of the indexes, gives reserved space back.
  [[nodiscard]] Result<> finish();

  [[nodiscard]] bool indexes_full(std::uint32_t index_size_max_bytes) const noexcept;
  [[nodiscard]] std::optional<std::int64_t> first_timestamp_ms() const noexcept { return first_timestamp_ms_; }
  [[nodiscard]] const TimeEntry& max_timestamp() const noexcept { return max_timestamp_; }
  [[nodiscard]] const IndexFile<OffsetEntry>& offset_index() const noexcept { return offsets_; }
  [[nodiscard]] const IndexFile<TimeEntry>& time_index() const noexcept { return times_; }

  // --- Recovery. Nothing on the disk changes.

  // Makes it written: the end is the checkpoint's position in this segment, the indexes below it are trusted (or rebuilt).
  [[nodiscard]] Result<> resume(const Checkpoint& checkpoint);
  // Makes it written from its beginning: add() what stands there.
  [[nodiscard]] Result<> restart();
  // Bytes in the file, which may go on behind the end.
  [[nodiscard]] Result<std::uint64_t> file_size();

  // --- Reading. `end` is a batch border, at most size().

  // The first batch that ends above `offset`, below the position `end`; nothing if there is none.
  [[nodiscard]] Result<std::optional<BatchHeader>> find(Offset offset, std::uint64_t end);
  // The last batch border in (begin, end] that is not above `begin + bytes_max`; the end of the first batch if there is none.
  [[nodiscard]] Result<std::uint64_t> border(std::uint64_t begin, std::uint64_t bytes_max, std::uint64_t end);
  // The first batch below the position `end`, ending above `offset`, that has this timestamp or a later one.
  [[nodiscard]] Result<std::optional<BatchHeader>> find_timestamp(std::int64_t timestamp_ms, Offset offset, std::uint64_t end);
  // The first batch that has the largest timestamp of those that end above `offset`, below the position `end`.
  [[nodiscard]] Result<std::optional<BatchHeader>> find_max_timestamp(Offset offset, std::uint64_t end);
  // Whether largest_timestamp() needs no file.
  [[nodiscard]] bool knows_largest_timestamp() const noexcept { return size_ == 0 || written_ || closed_largest_timestamp_ms_; }
  // The largest timestamp of all; -1 if the segment is empty.
  [[nodiscard]] Result<std::int64_t> largest_timestamp();

 private:
  Segment(io::FileSystem& files, const std::string& directory, Offset base, std::uint32_t index_interval_bytes, std::string_view suffix);
  [[nodiscard]] Result<io::File*> log_file();
  [[nodiscard]] Result<> load_indexes();
  // Makes the indexes anew from the batches [0, end), in memory.
  [[nodiscard]] Result<> rebuild_indexes();
  // An entry was wrong: rebuilds once, and writes the new indexes. `were_rebuilt`: as indexes_rebuilt_ was when the entry was read; if so,
  // corrupt.
  [[nodiscard]] Result<> distrust_indexes(bool were_rebuilt);
  void index(const BatchHeader& batch);
  void add_time_entry();
  // A batch border at or before the first batch that ends above `offset`: where to start looking for it.
  [[nodiscard]] Result<std::uint64_t> seek(Offset offset);
  [[nodiscard]] Result<bool> batch_stands_at(const OffsetEntry& entry);

  io::FileSystem& files_;
  std::string path_;
  Offset base_;
  std::uint32_t index_interval_bytes_;
  std::shared_ptr<const SegmentFile> file_;
  std::uint64_t size_ = 0;
  std::uint64_t reserved_ = 0;
  IndexFile<OffsetEntry> offsets_;
  IndexFile<TimeEntry> times_;
  bool indexes_loaded_ = false;
  bool indexes_rebuilt_ = false;
  bool written_ = false;  // add() has seen all batches: the three below are right
  TimeEntry max_timestamp_;
  std::optional<std::int64_t> first_timestamp_ms_;
  std::optional<std::int64_t> closed_largest_timestamp_ms_;  // asked for once: a closed segment does not change
  std::int64_t last_time_entry_ms_ = -1;
  std::uint64_t bytes_since_entry_ = 0;
};

}  // namespace tripos::log
