// What readers ask of a PartitionLog. Nothing here looks past the VisibleEnd that they bring.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "log/partition_log.h"

namespace tripos::log {
namespace {

Result<Buffer> read_batch(Segment& segment, const BatchHeader& header) {
  TRIPOS_ASSIGN(const auto file, segment.file());
  Buffer bytes;
  TRIPOS_TRY(file->read(header.position, header.size, bytes));
  return bytes;
}

// The first record of a batch, at least at `from` and below `end`, with this timestamp or a later one.
Result<std::optional<TimestampedOffset>> find_record(Segment& segment, const BatchHeader& header, std::int64_t timestamp_ms, Offset from,
                                                     Offset end) {
  TRIPOS_ASSIGN(const Buffer bytes, read_batch(segment, header));
  TRIPOS_ASSIGN(const RecordBatchView batch, RecordBatchView::parse(bytes));
  RecordReader reader(decompressed_bytes_max);
  TRIPOS_TRY(reader.start(batch));
  while (true) {
    TRIPOS_ASSIGN(const Record* const record, reader.next());
    if (record == nullptr || record->offset >= end) return std::optional<TimestampedOffset>();
    if (record->offset >= from && record->timestamp_ms >= timestamp_ms) {
      return std::optional<TimestampedOffset>({record->offset, record->timestamp_ms, header.leader_epoch});
    }
  }
}

}  // namespace

std::uint64_t PartitionLog::size_bytes() const noexcept {
  std::uint64_t size = 0;
  for (const auto& segment : segments_) size += segment->size();
  return size;
}

Result<> PartitionLog::check_range(Offset from, VisibleEnd end) const {
  CHECK(end.offset() <= durable_.offset);
  if (from < start_ || from > end.offset()) {
    return fail(ErrorCode::out_of_range, "{}: offset {} is not in [{}, {}]", directory_, from, start_, end.offset());
  }
  return {};
}

std::size_t PartitionLog::segment_of(Offset offset) const noexcept {
  const auto after = std::upper_bound(segments_.begin(), segments_.end(), offset,
                                      [](Offset value, const std::unique_ptr<Segment>& segment) { return value < segment->base(); });
  return after == segments_.begin() ? 0 : static_cast<std::size_t>(after - segments_.begin()) - 1;
}

Segment& PartitionLog::use(std::size_t index) {
  Segment* const segment = segments_[index].get();
  if (index + 1 == segments_.size() || used_[0] == segment) return *segment;
  if (used_[1] != segment) {
    if (used_[1] != nullptr) used_[1]->release();
    used_[1] = segment;
  }
  std::swap(used_[0], used_[1]);
  return *segment;
}

Result<std::uint64_t> PartitionLog::end_position(std::size_t index, Offset end) {
  Segment& segment = use(index);
  const bool active = index + 1 == segments_.size();
  if (end >= (active ? written_.offset : segments_[index + 1]->base())) return segment.size();
  if (end == durable_.offset && segment.base() == durable_checkpoint_.segment) return durable_checkpoint_.position;
  if (active) {
    for (const Place& place : places_) {
      if (place.offset == end) return place.position;
    }
  }
  TRIPOS_ASSIGN(const auto batch, segment.find(end, segment.size()));
  return batch ? batch->position : segment.size();
}

// Where the batch that holds `from` (or the first behind it) starts, below `end_position`. A batch below it may be given instead, if
// `from` lies in a gap.
Result<std::optional<PartitionLog::Place>> PartitionLog::locate(std::size_t index, Offset from, std::uint64_t end_position) {
  Segment& segment = use(index);
  if (from <= segment.base()) return end_position == 0 ? std::optional<Place>() : Place{from, 0};
  if (index + 1 == segments_.size()) {
    const Place* best = nullptr;
    for (const Place& place : places_) {
      if (place.offset <= from && (best == nullptr || place.offset > best->offset)) best = &place;
    }
    if (best != nullptr) return best->position < end_position ? std::optional<Place>(*best) : std::optional<Place>();
  }
  for (const Cursor& cursor : cursors_) {
    if (cursor.segment == &segment && cursor.place.offset == from && cursor.place.position < end_position)
      return std::optional(cursor.place);
  }
  TRIPOS_ASSIGN(const auto batch, segment.find(from, end_position));
  if (!batch) return std::optional<Place>();
  return std::optional<Place>({batch->base_offset, batch->position});
}

Result<LogRead> PartitionLog::read(Offset from, VisibleEnd end, std::uint64_t bytes_max) {
  TRIPOS_TRY(check_range(from, end));
  LogRead read;
  read.next = end.offset();
  if (from == end.offset()) return read;
  for (std::size_t index = segment_of(from); index < segments_.size() && segments_[index]->base() < end.offset(); ++index) {
    if (!read.slices.empty() && read.bytes >= bytes_max) {
      read.next = segments_[index]->base();
      return read;
    }
    Segment& segment = use(index);
    TRIPOS_ASSIGN(const std::uint64_t stop, end_position(index, end.offset()));
    TRIPOS_ASSIGN(const auto begin, locate(index, from, stop));
    if (!begin || begin->position >= stop) continue;
    const std::uint64_t left = bytes_max > read.bytes ? bytes_max - read.bytes : 0;
    TRIPOS_ASSIGN(const std::uint64_t border, segment.border(begin->position, left, stop));
    if (!read.slices.empty() && border - begin->position > left) {
      read.next = segment.base();
      return read;
    }
    TRIPOS_ASSIGN(auto file, segment.file());
    if (border < stop) {
      HeaderReader reader(*file->file(), border, stop, batch_layout::header_size);
      TRIPOS_ASSIGN(const BatchHeader* const next, reader.next());
      if (next->base_offset <= from) {  // no checksum covers it; a reader would go round in circles
        return fail(ErrorCode::corrupt, "{}: the record batch at byte {} begins at offset {}, though offset {} lies before it",
                    file->file()->path(), border, next->base_offset, from);
      }
      read.next = next->base_offset;
      cursors_[next_cursor_++ % cursors_.size()] = {&segment, {next->base_offset, border}};
    }
    read.bytes += border - begin->position;
    const Offset segment_end = index + 1 < segments_.size() ? segments_[index + 1]->base() : end.offset();
    read.slices.push_back({.file = std::move(file),
                           .begin = begin->position,
                           .end = border,
                           .from = begin->position == 0 ? segment.base() : begin->offset,
                           .to = border < stop ? read.next : std::min(segment_end, end.offset())});
    if (border < stop) return read;
  }
  return read;
}

// --- By time

Result<std::optional<TimestampedOffset>> PartitionLog::find_by_timestamp(std::int64_t timestamp_ms, VisibleEnd end) {
  for (std::size_t index = segment_of(start_); index < segments_.size() && segments_[index]->base() < end.offset(); ++index) {
    Segment& segment = segments_[index]->knows_largest_timestamp() ? *segments_[index] : use(index);
    TRIPOS_ASSIGN(const std::int64_t largest, segment.largest_timestamp());
    if (largest < timestamp_ms) continue;
    TRIPOS_ASSIGN(const std::uint64_t stop, end_position(index, end.offset()));
    Offset from = std::max(start_, segment.base());
    while (true) {
      TRIPOS_ASSIGN(const auto batch, segment.find_timestamp(timestamp_ms, from, stop));
      if (!batch) break;
      TRIPOS_ASSIGN(const auto record, find_record(segment, *batch, timestamp_ms, from, end.offset()));
      if (record) return record;
      from = batch->next_offset();  // the late record lies below the start, or the header says more than its records
    }
  }
  return std::optional<TimestampedOffset>();
}

Result<std::optional<TimestampedOffset>> PartitionLog::find_max_timestamp(VisibleEnd end) {
  std::optional<BatchHeader> best;
  std::size_t best_index = 0;
  for (std::size_t index = segment_of(start_); index < segments_.size() && segments_[index]->base() < end.offset(); ++index) {
    Segment& segment = use(index);
    TRIPOS_ASSIGN(const std::uint64_t stop, end_position(index, end.offset()));
    TRIPOS_ASSIGN(const auto candidate, segment.find_max_timestamp(std::max(start_, segment.base()), stop));
    if (candidate && (!best || candidate->max_timestamp_ms > best->max_timestamp_ms)) {
      best = candidate;
      best_index = index;
    }
  }
  if (!best) return std::optional<TimestampedOffset>();
  TRIPOS_ASSIGN(const auto record, find_record(use(best_index), *best, best->max_timestamp_ms, start_, end.offset()));
  if (record) return record;
  return std::optional<TimestampedOffset>({best->last_offset, best->max_timestamp_ms, best->leader_epoch});
}

// --- All of it

Result<> PartitionLog::for_each_header(Offset from, VisibleEnd end,
                                       const std::function<Result<>(const BatchHeader&, const LeasedFile&)>& visit) {
  TRIPOS_ASSIGN(const LogRead read, this->read(from, end, UINT64_MAX));
  for (const LogSlice& slice : read.slices) {
    const auto& file = static_cast<const SegmentFile&>(*slice.file);
    HeaderReader reader(*file.file(), slice.begin, slice.end, 64u << 10);
    while (true) {
      TRIPOS_ASSIGN(const BatchHeader* const header, reader.next());
      if (header == nullptr) break;
      TRIPOS_TRY(visit(*header, file));
    }
  }
  return {};
}

Result<> PartitionLog::for_each_batch(Offset from, VisibleEnd end, const std::function<Result<>(const RecordBatchView&)>& visit) {
  TRIPOS_ASSIGN(const LogRead read, this->read(from, end, UINT64_MAX));
  Buffer bytes;
  for (const LogSlice& slice : read.slices) {
    const auto& file = static_cast<const SegmentFile&>(*slice.file);
    HeaderReader reader(*file.file(), slice.begin, slice.end);
    while (true) {
      TRIPOS_ASSIGN(const BatchHeader* const header, reader.next());
      if (header == nullptr) break;
      bytes.clear();
      TRIPOS_TRY(file.read(header->position, header->size, bytes));
      const auto batch = RecordBatchView::parse(bytes);
      if (!batch || !batch->crc_matches()) {
        return fail(ErrorCode::corrupt, "{}: the record batch at byte {} (offset {}) is damaged", file.file()->path(), header->position,
                    header->base_offset);
      }
      TRIPOS_TRY(visit(*batch));
    }
  }
  return {};
}

Result<std::vector<PartitionLog::SegmentInfo>> PartitionLog::segments() {
  std::vector<SegmentInfo> infos;
  for (std::size_t index = 0; index < segments_.size(); ++index) {
    const bool active = index + 1 == segments_.size();
    Segment& segment = use(index);
    TRIPOS_ASSIGN(const std::int64_t largest, segment.largest_timestamp());
    infos.push_back({segment.base(), active ? durable_.offset : segments_[index + 1]->base(), segment.size(), largest, active});
  }
  return infos;
}

}  // namespace tripos::log
