#include "log/compaction.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "log/paths.h"
#include "model/control_record.h"

namespace tripos::log {
namespace {

constexpr std::uint64_t window_bytes = 1u << 20;
constexpr std::size_t write_bytes = 1u << 20;
constexpr std::uint64_t sync_bytes = 8u << 20;  // its dirty pages never ride in a group commit (rules, 1.2)
constexpr std::uint64_t segment_bytes_max = std::numeric_limits<std::int32_t>::max();

}  // namespace

// The batches of one segment, whole, with right checksums and offsets that rise within the segment's (no checksum covers them), a window of
// the file at a time.
class Compaction::Batches {
 public:
  explicit Batches(const ClosedSegment& segment) : segment_(segment), next_(segment.base) {}

  [[nodiscard]] Result<std::optional<RecordBatchView>> next() {
    const std::uint64_t position = window_begin_ + at_;
    if (position == segment_.size) return std::optional<RecordBatchView>();
    auto batch = RecordBatchView::parse(Bytes(window_).substr(at_));
    // It goes on behind the window; a window may have to be as large as a batch.
    for (std::uint64_t wanted = window_bytes; !batch && batch.error().code == ErrorCode::out_of_range;) {
      wanted = std::min(wanted, segment_.size - position);
      if (window_begin_ == position && window_.size() == wanted) break;  // cut short
      window_.clear();
      window_begin_ = position;
      at_ = 0;
      TRIPOS_TRY(segment_.file->read(position, static_cast<std::size_t>(wanted), window_));
      batch = RecordBatchView::parse(window_);
      if (window_.size() >= batch_layout::log_overhead) {
        wanted = std::max<std::uint64_t>(wanted, RecordBatchView::size_from_prefix(window_).value_or(0));
      }
    }
    if (!batch || !batch->crc_matches() || batch->base_offset() < next_ || batch->next_offset() > segment_.end) {
      return fail(ErrorCode::corrupt, "{}: the record batch at byte {} is damaged", segment_.file->file()->path(), position);
    }
    at_ += batch->bytes().size();
    next_ = batch->next_offset();
    return std::optional<RecordBatchView>(*batch);
  }

 private:
  const ClosedSegment& segment_;
  Offset next_;
  Buffer window_;
  std::uint64_t window_begin_ = 0;
  std::size_t at_ = 0;
};

Compaction::Compaction(io::FileSystem& files, std::string directory, std::vector<ClosedSegment> segments, Offset start, Offset dirty_from,
                       std::span<const AbortedTransaction> aborted, const CompactionOptions& options, std::int64_t now_ms)
    : files_(files),
      directory_(std::move(directory)),
      segments_(std::move(segments)),
      start_(start),
      dirty_from_(dirty_from),
      aborted_(aborted),
      options_(options),
      now_ms_(now_ms),
      last_offsets_(options.map_bytes, options.seed),
      reader_(decompressed_bytes_max),
      rewriter_(decompressed_bytes_max) {
  CHECK(!segments_.empty());
  options_.segment_bytes = std::min(options_.segment_bytes, segment_bytes_max);
  while (segment_ + 1 < segments_.size() && segments_[segment_].end <= dirty_from_) ++segment_;
}

Compaction::~Compaction() = default;

Result<Compaction::State> Compaction::step() {
  switch (state_) {
    case State::mapping: TRIPOS_TRY(map_some()); break;
    case State::writing: TRIPOS_TRY(write_some()); break;
    case State::ready:
      segment_ = group_end_;
      state_ = segment_ < segments_.size() && segments_[segment_].base < mapped_end_ ? State::writing : State::done;
      break;
    case State::done: break;
  }
  return state_;
}

// --- Mapping

Result<> Compaction::map_some() {
  for (std::uint64_t bytes = 0; bytes < options_.step_bytes && state_ == State::mapping;) {
    if (batches_ == nullptr) batches_ = std::make_unique<Batches>(segments_[segment_]);
    TRIPOS_ASSIGN(const auto batch, batches_->next());
    if (batch) {
      bytes += batch->bytes().size();
      TRIPOS_TRY(map(*batch));
      continue;
    }
    batches_.reset();
    if (++segment_ == segments_.size()) end_mapping(segments_.back().end);
  }
  return {};
}

Result<> Compaction::map(const RecordBatchView& batch) {
  if (batch.last_offset() < dirty_from_ || batch.is_control() || aborted_.contains(batch)) return {};
  TRIPOS_TRY(reader_.start(batch));
  while (true) {
    TRIPOS_ASSIGN(const Record* const record, reader_.next());
    if (record == nullptr) break;
    if (!record->key || record->offset < start_) continue;
    if (last_offsets_.full() && mapped_any_) {
      // What was mapped of this batch does no harm: its records stay, and are the last of their keys.
      end_mapping(batch.base_offset());
      return {};
    }
    last_offsets_.put(*record->key, record->offset);
  }
  mapped_any_ = true;
  return {};
}

void Compaction::end_mapping(Offset end) {
  mapped_end_ = end;
  batches_.reset();
  segment_ = 0;
  state_ = State::writing;
}

// --- Writing

// As many segments as fit into one if nothing is dropped.
Result<> Compaction::begin_group() {
  const Offset base = segments_[segment_].base;
  std::uint64_t size = 0;
  cleaned_ = {.base = base, .end = base, .replaced = {}, .size = 0, .dropped_markers = {}};
  for (group_end_ = segment_; group_end_ < segments_.size() && segments_[group_end_].base < mapped_end_; ++group_end_) {
    const ClosedSegment& next = segments_[group_end_];
    const bool fits = size + next.size <= options_.segment_bytes && next.end - base <= std::numeric_limits<std::int32_t>::max();
    if (group_end_ > segment_ && !fits) break;
    size += next.size;
    cleaned_.replaced.push_back(next.base);
    cleaned_.end = next.end;
  }
  TRIPOS_ASSIGN(output_, Segment::create(files_, directory_, base, options_.index_interval_bytes, cleaned_suffix));
  return {};
}

Result<> Compaction::write_some() {
  if (output_ == nullptr) TRIPOS_TRY(begin_group());
  for (std::uint64_t bytes = 0; bytes < options_.step_bytes;) {
    if (batches_ == nullptr) batches_ = std::make_unique<Batches>(segments_[segment_]);
    TRIPOS_ASSIGN(const auto batch, batches_->next());
    if (batch) {
      bytes += batch->bytes().size();
      TRIPOS_TRY(write(*batch));
      continue;
    }
    batches_.reset();
    if (++segment_ == group_end_) return end_group();
  }
  return {};
}

Result<> Compaction::write(const RecordBatchView& batch) {
  if (batch.last_offset() < start_) return {};
  if (batch.base_offset() >= mapped_end_) return put(batch.bytes());
  if (batch.is_control()) return write_marker(batch);
  if (batch.is_transactional()) transactions_.data(batch.producer_id());
  if (aborted_.contains(batch)) return {};
  return write_records(batch);
}

Result<> Compaction::write_marker(const RecordBatchView& batch) {
  const auto marker = read_marker_batch(batch);
  if (!marker) return put(batch.bytes());  // a control record of a kind that we don't know
  switch (transactions_.marker(batch.producer_id(), delete_horizon_ms(batch), now_ms_)) {
    case MarkerFate::kept: return put(batch.bytes());
    case MarkerFate::gets_horizon: {
      kept_.assign(static_cast<std::size_t>(batch.record_count()), true);
      TRIPOS_ASSIGN(const Bytes rewritten, rewriter_.rewrite(batch, kept_, now_ms_ + options_.delete_retention_ms));
      return put(rewritten);
    }
    case MarkerFate::dropped: cleaned_.dropped_markers.push_back(batch.last_offset()); return {};
  }
  return {};
}

Result<> Compaction::write_records(const RecordBatchView& batch) {
  const auto horizon_ms = delete_horizon_ms(batch);
  const bool tombstones_stay = !horizon_ms || now_ms_ < *horizon_ms;
  std::size_t kept_count = 0;
  bool keeps_tombstone = false;
  kept_.clear();
  TRIPOS_TRY(reader_.start(batch));
  while (true) {
    TRIPOS_ASSIGN(const Record* const record, reader_.next());
    if (record == nullptr) break;
    const auto last = record->key ? last_offsets_.find(*record->key) : std::nullopt;
    const bool is_last = record->key && (!last || record->offset >= *last);
    const bool kept = is_last && record->offset >= start_ && (record->value || tombstones_stay);
    kept_.push_back(kept);
    kept_count += kept ? 1 : 0;
    keeps_tombstone = keeps_tombstone || (kept && !record->value);
  }
  if (kept_count == 0) return {};
  const bool needs_horizon = keeps_tombstone && !horizon_ms;
  if (kept_count == kept_.size() && !needs_horizon) return put(batch.bytes());
  TRIPOS_ASSIGN(const Bytes rewritten,
                rewriter_.rewrite(batch, kept_, needs_horizon ? std::optional(now_ms_ + options_.delete_retention_ms) : std::nullopt));
  return put(rewritten);
}

Result<> Compaction::put(Bytes batch) {
  unwritten_.append(batch);
  return unwritten_.size() < write_bytes ? Result<>() : flush();
}

Result<> Compaction::flush() {
  if (unwritten_.empty()) return {};
  if (output_->size() + unwritten_.size() > segment_bytes_max) {
    return fail(ErrorCode::too_large, "{}: the compacted segment would be larger than a segment can be", directory_);
  }
  TRIPOS_TRY(output_->reserve(unwritten_.size()));
  const Bytes bytes = unwritten_;
  TRIPOS_TRY(output_->write(std::span(&bytes, 1)));
  for (std::size_t at = 0; at < bytes.size();) {
    const auto header = read_batch_header(bytes.substr(at), output_->size());
    CHECK(header.has_value());
    output_->add(*header);
    at += header->size;
  }
  unsynced_bytes_ += unwritten_.size();
  unwritten_.clear();
  if (unsynced_bytes_ < sync_bytes) return {};
  unsynced_bytes_ = 0;
  TRIPOS_ASSIGN(const auto file, output_->file());
  return file->file()->sync_data();
}

Result<> Compaction::end_group() {
  TRIPOS_TRY(flush());
  TRIPOS_TRY(output_->finish());
  TRIPOS_ASSIGN(const auto file, output_->file());
  TRIPOS_TRY(file->file()->sync_data());
  TRIPOS_TRY(output_->offset_index().file()->sync_data());
  TRIPOS_TRY(output_->time_index().file()->sync_data());
  unsynced_bytes_ = 0;
  cleaned_.size = output_->size();
  output_.reset();
  state_ = State::ready;
  return {};
}

}  // namespace tripos::log
