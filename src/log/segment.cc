#include "log/segment.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "log/paths.h"

namespace tripos::log {
namespace {

constexpr std::uint64_t reserve_step_min = 64u << 10;
constexpr std::uint64_t reserve_step_max = 16u << 20;
constexpr std::size_t index_entries_gathered = 64;

}  // namespace

Result<> SegmentFile::read(std::uint64_t position, std::size_t count, Buffer& to) const {
  const std::size_t before = to.size();
  to.resize(before + count);
  auto read = io::read_exactly(*file_, position, std::span(to.data() + before, count));
  if (!read) to.resize(before);
  return read;
}

Segment::Segment(io::FileSystem& files, const std::string& directory, Offset base, std::uint32_t index_interval_bytes,
                 std::string_view suffix)
    : files_(files),
      path_(segment_path(directory, base).append(suffix)),
      base_(base),
      index_interval_bytes_(index_interval_bytes),
      offsets_(files, offset_index_path(directory, base).append(suffix), base),
      times_(files, time_index_path(directory, base).append(suffix), base) {}

Result<std::unique_ptr<Segment>> Segment::create(io::FileSystem& files, const std::string& directory, Offset base,
                                                 std::uint32_t index_interval_bytes, std::string_view suffix) {
  auto segment = std::unique_ptr<Segment>(new Segment(files, directory, base, index_interval_bytes, suffix));
  TRIPOS_TRY(segment->offsets_.create());
  TRIPOS_TRY(segment->times_.create());
  TRIPOS_ASSIGN(auto file, files.open(segment->path_, io::OpenMode::replace));
  segment->file_ = std::make_shared<const SegmentFile>(std::move(file));
  segment->indexes_loaded_ = true;
  segment->written_ = true;
  return segment;
}

Result<std::unique_ptr<Segment>> Segment::open(io::FileSystem& files, const std::string& directory, Offset base,
                                               std::uint32_t index_interval_bytes) {
  auto segment = std::unique_ptr<Segment>(new Segment(files, directory, base, index_interval_bytes, {}));
  TRIPOS_ASSIGN(segment->size_, segment->file_size());
  segment->release();
  return segment;
}

Result<std::shared_ptr<const SegmentFile>> Segment::file() {
  if (file_ == nullptr) {
    TRIPOS_ASSIGN(auto file, files_.open(path_, io::OpenMode::write));
    file_ = std::make_shared<const SegmentFile>(std::move(file));
  }
  return file_;
}

Result<io::File*> Segment::log_file() {
  TRIPOS_ASSIGN(const auto file, this->file());
  return file->file().get();
}

void Segment::release() noexcept {
  file_.reset();
  offsets_.close();
  times_.close();
}

// --- Writing

Result<> Segment::reserve(std::uint64_t bytes) {
  const std::uint64_t end = size_ + bytes;
  if (end <= reserved_) return {};
  TRIPOS_ASSIGN(io::File* const file, log_file());
  const std::uint64_t begin = std::max(size_, reserved_);
  const std::uint64_t ahead = end + std::clamp(size_, reserve_step_min, reserve_step_max);
  if (file->reserve(begin, ahead)) {
    reserved_ = ahead;
    return {};
  }
  TRIPOS_TRY(file->reserve(begin, end));  // the last room on the disk
  reserved_ = end;
  return {};
}

Result<> Segment::write(std::span<const Bytes> parts) {
  TRIPOS_ASSIGN(io::File* const file, log_file());
  return file->write_at(size_, parts);
}

Result<> Segment::trim() {
  TRIPOS_ASSIGN(io::File* const file, log_file());
  TRIPOS_TRY(file->truncate(size_));
  reserved_ = size_;
  return {};
}

void Segment::add(const BatchHeader& batch) {
  CHECK(written_ && batch.position == size_);
  index(batch);
  size_ = batch.end();
}

void Segment::index(const BatchHeader& batch) {
  if (!first_timestamp_ms_) first_timestamp_ms_ = batch.max_timestamp_ms;
  if (batch.max_timestamp_ms > max_timestamp_.timestamp_ms) max_timestamp_ = {batch.max_timestamp_ms, batch.last_offset};
  if (bytes_since_entry_ > index_interval_bytes_) {
    offsets_.append({batch.last_offset, batch.position});
    add_time_entry();
    bytes_since_entry_ = 0;
  }
  bytes_since_entry_ += batch.size;
}

void Segment::add_time_entry() {
  if (max_timestamp_.timestamp_ms <= last_time_entry_ms_) return;
  times_.append(max_timestamp_);
  last_time_entry_ms_ = max_timestamp_.timestamp_ms;
}

void Segment::flush_indexes_sometimes() {
  if (offsets_.unwritten() < index_entries_gathered) return;
  if (auto flushed = flush_indexes(); !flushed) return;  // they are kept in memory; finish() tells if it lasts
}

Result<> Segment::flush_indexes() {
  TRIPOS_TRY(offsets_.flush());
  return times_.flush();
}

Result<> Segment::finish() {
  add_time_entry();
  TRIPOS_TRY(flush_indexes());
  return trim();
}

bool Segment::indexes_full(std::uint32_t index_size_max_bytes) const noexcept {
  return (offsets_.count() + 1) * OffsetEntry::size > index_size_max_bytes || (times_.count() + 2) * TimeEntry::size > index_size_max_bytes;
}

// --- Recovery

Result<std::uint64_t> Segment::file_size() {
  TRIPOS_ASSIGN(io::File* const file, log_file());
  return file->size();
}

Result<> Segment::restart() {
  TRIPOS_TRY(load_indexes());
  offsets_.cut(0);
  times_.cut(0);
  size_ = 0;
  written_ = true;
  max_timestamp_ = {};
  first_timestamp_ms_.reset();
  last_time_entry_ms_ = -1;
  bytes_since_entry_ = 0;
  return {};
}

Result<> Segment::resume(const Checkpoint& checkpoint) {
  TRIPOS_TRY(load_indexes());
  size_ = checkpoint.position;
  written_ = true;
  if (offsets_.count() < checkpoint.offset_entries || times_.count() < checkpoint.time_entries) return rebuild_indexes();
  offsets_.cut(checkpoint.offset_entries);
  times_.cut(checkpoint.time_entries);
  max_timestamp_ = {checkpoint.max_timestamp_ms, checkpoint.max_timestamp_offset};
  if (size_ > 0) {
    TRIPOS_ASSIGN(io::File* const file, log_file());
    HeaderReader reader(*file, 0, size_, batch_layout::header_size);
    TRIPOS_ASSIGN(const BatchHeader* const first, reader.next());
    first_timestamp_ms_ = first->max_timestamp_ms;
  }
  if (times_.count() > 0) {
    TRIPOS_ASSIGN(const TimeEntry last, times_.at(times_.count() - 1));
    last_time_entry_ms_ = last.timestamp_ms;
  }
  bytes_since_entry_ = size_;
  if (offsets_.count() > 0) {
    TRIPOS_ASSIGN(const OffsetEntry last, offsets_.at(offsets_.count() - 1));
    if (last.position >= size_ || last_time_entry_ms_ > max_timestamp_.timestamp_ms) return rebuild_indexes();
    bytes_since_entry_ = size_ - last.position;
  }
  return {};
}

// --- Indexes

Result<> Segment::load_indexes() {
  if (indexes_loaded_) return {};
  TRIPOS_TRY(offsets_.load());
  TRIPOS_TRY(times_.load());
  indexes_loaded_ = true;
  return {};
}

Result<> Segment::rebuild_indexes() {
  const std::uint64_t end = size_;
  const bool closed = !written_;
  TRIPOS_TRY(restart());
  size_ = end;
  TRIPOS_ASSIGN(io::File* const file, log_file());
  HeaderReader reader(*file, 0, end, 64u << 10);
  while (true) {
    TRIPOS_ASSIGN(const BatchHeader* const batch, reader.next());
    if (batch == nullptr) break;
    index(*batch);
  }
  if (closed) add_time_entry();
  return {};
}

Result<> Segment::distrust_indexes(bool were_rebuilt) {
  if (indexes_rebuilt_ && !were_rebuilt) return {};  // a call in between did so: what did not fit is gone
  if (indexes_rebuilt_) return fail(ErrorCode::corrupt, "{}: its indexes do not fit it, though they were just made from it", path_);
  indexes_rebuilt_ = true;
  TRIPOS_TRY(rebuild_indexes());
  if (auto flushed = flush_indexes(); !flushed) return {};  // they are right in memory
  return {};
}

Result<bool> Segment::batch_stands_at(const OffsetEntry& entry) {
  if (entry.position >= size_) return false;
  TRIPOS_ASSIGN(io::File* const file, log_file());
  HeaderReader reader(*file, entry.position, size_, batch_layout::header_size);
  auto batch = reader.next();
  if (!batch && batch.error().code != ErrorCode::corrupt) return tl::unexpected(std::move(batch).error());
  return batch && (*batch)->last_offset == entry.offset;
}

Result<std::uint64_t> Segment::seek(Offset offset) {
  const bool were_rebuilt = indexes_rebuilt_;
  TRIPOS_TRY(load_indexes());
  TRIPOS_ASSIGN(const auto entry, offsets_.last_where([&](const OffsetEntry& e) { return e.offset <= offset; }));
  if (!entry) return std::uint64_t{0};
  TRIPOS_ASSIGN(const bool good, batch_stands_at(*entry));
  if (good) return entry->position;
  TRIPOS_TRY(distrust_indexes(were_rebuilt));
  return seek(offset);
}

// --- Reading

Result<std::optional<BatchHeader>> Segment::find(Offset offset, std::uint64_t end) {
  TRIPOS_ASSIGN(const std::uint64_t begin, seek(offset));
  TRIPOS_ASSIGN(io::File* const file, log_file());
  HeaderReader reader(*file, begin, end);
  while (true) {
    TRIPOS_ASSIGN(const BatchHeader* const batch, reader.next());
    if (batch == nullptr) return std::optional<BatchHeader>();
    if (batch->last_offset >= offset) return std::optional<BatchHeader>(*batch);
  }
}

Result<std::uint64_t> Segment::border(std::uint64_t begin, std::uint64_t bytes_max, std::uint64_t end) {
  const bool were_rebuilt = indexes_rebuilt_;
  if (end - begin <= bytes_max) return end;
  const std::uint64_t limit = begin + bytes_max;
  TRIPOS_TRY(load_indexes());
  TRIPOS_ASSIGN(const auto entry, offsets_.last_where([&](const OffsetEntry& e) { return e.position <= limit; }));
  std::uint64_t border = begin;
  if (entry && entry->position > begin) {
    TRIPOS_ASSIGN(const bool good, batch_stands_at(*entry));
    if (!good) {
      TRIPOS_TRY(distrust_indexes(were_rebuilt));
      return this->border(begin, bytes_max, end);
    }
    border = entry->position;
  }
  TRIPOS_ASSIGN(io::File* const file, log_file());
  HeaderReader reader(*file, border, end);
  while (true) {
    TRIPOS_ASSIGN(const BatchHeader* const batch, reader.next());
    if (batch == nullptr) return border;
    if (batch->end() > limit) return border > begin ? border : batch->end();
    border = batch->end();
  }
}

Result<std::optional<BatchHeader>> Segment::find_timestamp(std::int64_t timestamp_ms, Offset offset, std::uint64_t end) {
  const bool were_rebuilt = indexes_rebuilt_;
  TRIPOS_TRY(load_indexes());
  // No batch up to the one that this entry names is as late.
  TRIPOS_ASSIGN(const auto entry, times_.last_where([&](const TimeEntry& e) { return e.timestamp_ms < timestamp_ms; }));
  Offset from = offset;
  if (entry && entry->offset >= offset) {
    TRIPOS_ASSIGN(const auto named, find(entry->offset, size_));
    if (!named || named->last_offset != entry->offset || named->max_timestamp_ms != entry->timestamp_ms) {
      TRIPOS_TRY(distrust_indexes(were_rebuilt));
      return find_timestamp(timestamp_ms, offset, end);
    }
    from = entry->offset + 1;
  }
  TRIPOS_ASSIGN(const std::uint64_t begin, seek(from));
  TRIPOS_ASSIGN(io::File* const file, log_file());
  HeaderReader reader(*file, begin, end);
  while (true) {
    TRIPOS_ASSIGN(const BatchHeader* const batch, reader.next());
    if (batch == nullptr) return std::optional<BatchHeader>();
    if (batch->last_offset >= from && batch->max_timestamp_ms >= timestamp_ms) return std::optional<BatchHeader>(*batch);
  }
}

Result<std::optional<BatchHeader>> Segment::find_max_timestamp(Offset offset, std::uint64_t end) {
  const bool were_rebuilt = indexes_rebuilt_;
  TRIPOS_TRY(load_indexes());
  std::uint64_t begin = 0;
  std::optional<BatchHeader> best;
  if (offset <= base_) {
    TRIPOS_ASSIGN(const std::int64_t largest, largest_timestamp());
    TRIPOS_ASSIGN(best, find_timestamp(largest, offset, end));
    if (best) return best;  // else it stands behind `end`
  }
  if (offset > base_) {
    TRIPOS_ASSIGN(begin, seek(offset));  // the time index speaks of batches below `offset` too
  } else {
    TRIPOS_ASSIGN(const auto entry, offsets_.last_where([&](const OffsetEntry& e) { return e.position < end; }));
    if (entry) {
      TRIPOS_ASSIGN(const auto largest, times_.last_where([&](const TimeEntry& e) { return e.offset <= entry->offset; }));
      TRIPOS_ASSIGN(bool good, batch_stands_at(*entry));
      if (good && largest) {
        TRIPOS_ASSIGN(best, find(largest->offset, end));
        good = best && best->last_offset == largest->offset && best->max_timestamp_ms == largest->timestamp_ms;
      }
      if (!good) {
        TRIPOS_TRY(distrust_indexes(were_rebuilt));
        return find_max_timestamp(offset, end);
      }
      if (best) begin = entry->position;
    }
  }
  TRIPOS_ASSIGN(io::File* const file, log_file());
  HeaderReader reader(*file, begin, end);
  while (true) {
    TRIPOS_ASSIGN(const BatchHeader* const batch, reader.next());
    if (batch == nullptr) return best;
    if (batch->last_offset >= offset && (!best || batch->max_timestamp_ms > best->max_timestamp_ms)) best = *batch;
  }
}

Result<std::int64_t> Segment::largest_timestamp() {
  const bool were_rebuilt = indexes_rebuilt_;
  if (size_ == 0) return std::int64_t{-1};
  if (written_) return max_timestamp_.timestamp_ms;
  if (closed_largest_timestamp_ms_) return *closed_largest_timestamp_ms_;
  TRIPOS_TRY(load_indexes());
  if (times_.count() > 0) {
    TRIPOS_ASSIGN(const TimeEntry last, times_.at(times_.count() - 1));
    TRIPOS_ASSIGN(const auto named, find(last.offset, size_));
    if (written_) return max_timestamp_.timestamp_ms;  // find() has rebuilt the indexes
    if (named && named->last_offset == last.offset && named->max_timestamp_ms == last.timestamp_ms) {
      closed_largest_timestamp_ms_ = last.timestamp_ms;
      return last.timestamp_ms;
    }
  }
  TRIPOS_TRY(distrust_indexes(were_rebuilt));
  return max_timestamp_.timestamp_ms;
}

}  // namespace tripos::log
