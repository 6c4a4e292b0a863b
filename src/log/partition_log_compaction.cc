// What compaction asks of a PartitionLog.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "log/partition_log.h"

namespace tripos::log {

Result<std::int64_t> PartitionLog::first_timestamp(Offset base) {
  const std::size_t index = segment_of(base);
  if (segments_.empty() || segments_[index]->base() != base || segments_[index]->size() == 0) return std::int64_t{-1};
  Segment& segment = use(index);
  TRIPOS_ASSIGN(const auto file, segment.file());
  HeaderReader reader(*file->file(), 0, segment.size(), batch_layout::header_size);
  TRIPOS_ASSIGN(const BatchHeader* const first, reader.next());
  return first->max_timestamp_ms;
}

Result<std::vector<ClosedSegment>> PartitionLog::closed_segments(Offset end) {
  CHECK(end <= checkpointed_segment());
  std::vector<ClosedSegment> closed;
  for (std::size_t i = 0; i + 1 < segments_.size() && segments_[i]->base() < end; ++i) {
    TRIPOS_ASSIGN(auto file, use(i).file());
    closed.push_back(
        {.base = segments_[i]->base(), .end = segments_[i + 1]->base(), .size = segments_[i]->size(), .file = std::move(file)});
  }
  return closed;
}

// Where the first of the segments is that it replaces; nothing if they don't stand there as they did.
std::optional<std::size_t> PartitionLog::find_replaced(const CleanedSegment& cleaned) const noexcept {
  const std::size_t first = segment_of(cleaned.base);
  if (cleaned.end > checkpointed_segment() || first + cleaned.replaced.size() >= segments_.size()) return std::nullopt;
  for (std::size_t i = 0; i < cleaned.replaced.size(); ++i) {
    if (segments_[first + i]->base() != cleaned.replaced[i]) return std::nullopt;
  }
  if (segments_[first + cleaned.replaced.size()]->base() != cleaned.end) return std::nullopt;
  return first;
}

void PartitionLog::replace(const CleanedSegment& cleaned, std::function<void(const Result<>&)> done) {
  if (chore_running_) {
    waiting_chores_.emplace_back([this, cleaned, done = std::move(done)] { replace(cleaned, done); });
    return;
  }
  if (!find_replaced(cleaned)) return done(fail(ErrorCode::conflict, "{}: the log has been trimmed meanwhile", directory_));
  chore_running_ = true;  // nothing else changes which segments there are
  const auto ended = [alive = alive_, done = std::move(done)](const Result<>& result) {
    if (*alive == nullptr) return;
    PartitionLog& log = **alive;
    done(result);
    if (*alive != nullptr) log.end_chore();
  };
  commit_.run_chore([&files = files_, directory = directory_, cleaned] { return decide_swap(files, directory, cleaned); },
                    [alive = alive_, cleaned, ended](const Result<>& decided) {
                      if (*alive == nullptr || !decided) return ended(decided);
                      PartitionLog& log = **alive;
                      std::vector<std::shared_ptr<const SegmentFile>> old_files;
                      auto swapped = log.swap(cleaned, old_files);
                      // Half done can't go on; the next start finishes it.
                      if (!swapped) swapped = fail(ErrorCode::io, "{}", swapped.error().message);
                      log.commit_.run_chore(
                          [&files = log.files_, directory = log.directory_, swapped, old = std::move(old_files)]() mutable -> Result<> {
                            TRIPOS_TRY(swapped);
                            old.clear();  // giving their space back takes a while
                            return end_swap(files, directory);
                          },
                          ended);
                    });
}

Result<> PartitionLog::swap(const CleanedSegment& cleaned, std::vector<std::shared_ptr<const SegmentFile>>& old_files) {
  const auto first = find_replaced(cleaned);
  CHECK(first.has_value());
  for (std::size_t i = *first; i < *first + cleaned.replaced.size(); ++i) {
    TRIPOS_ASSIGN(auto file, segments_[i]->file());
    old_files.push_back(std::move(file));
  }
  TRIPOS_TRY(swap_names(files_, directory_, cleaned));
  TRIPOS_ASSIGN(auto segment, Segment::open(files_, directory_, cleaned.base, options_.index_interval_bytes));
  cursors_ = {};
  const auto place = segments_.begin() + static_cast<std::ptrdiff_t>(*first);
  for (auto old = place; old != place + static_cast<std::ptrdiff_t>(cleaned.replaced.size()); ++old) {
    std::replace(used_.begin(), used_.end(), old->get(), static_cast<Segment*>(nullptr));
  }
  segments_.erase(place, place + static_cast<std::ptrdiff_t>(cleaned.replaced.size()));
  segments_.insert(segments_.begin() + static_cast<std::ptrdiff_t>(*first), std::move(segment));
  return {};
}

void PartitionLog::set_compacted_below(Offset offset, std::function<void(const Result<>&)> done) {
  compacted_below_ = std::max(compacted_below_, offset);
  checkpoint(std::move(done));
}

}  // namespace tripos::log
