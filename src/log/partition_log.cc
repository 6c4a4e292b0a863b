#include "log/partition_log.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "log/paths.h"
#include "log/recovery.h"
#include "log/sync_segment.h"

namespace tripos::log {
namespace {

constexpr std::size_t places_max = 64;
constexpr std::int64_t relative_offset_max = std::numeric_limits<std::int32_t>::max();

}  // namespace

std::vector<std::string> directories_to_sync(const std::string& directory, const std::string& data) {
  std::vector<std::string> directories = {directory};
  while (directories.back().size() > data.size()) directories.push_back(io::parent_of(directories.back()));
  return directories;
}

PartitionLog::PartitionLog(io::FileSystem& files, GroupCommit& commit, std::string directory, LogOptions options)
    : files_(files), commit_(commit), directory_(std::move(directory)) {
  set_options(options);
}

void PartitionLog::set_options(const LogOptions& options) {
  options_ = options;
  options_.segment_bytes = std::min<std::uint64_t>(options_.segment_bytes, std::numeric_limits<std::int32_t>::max());
}

PartitionLog::~PartitionLog() {
  *alive_ = nullptr;
  commit_.forget(*this);
}

Result<PartitionLog::Opened> PartitionLog::open(io::FileSystem& files, GroupCommit& commit, std::string directory, LogOptions options) {
  auto log = std::unique_ptr<PartitionLog>(new PartitionLog(files, commit, std::move(directory), options));
  Recovery recovery(*log);
  TRIPOS_TRY(recovery.run());
  return Opened{std::move(log), recovery.report()};
}

// --- Writing

bool PartitionLog::accepts(std::uint64_t bytes) const noexcept {
  if (first_segment_unsynced() && segments_.back()->size() + bytes > options_.segment_bytes) return false;
  const std::uint64_t unsynced = written_bytes_ - durable_bytes_;
  return unsynced == 0 || unsynced + bytes <= unsynced_bytes_max;
}

// Nothing tells recovery where a log begins but its first segment and its checkpoint, so no second segment comes before they are durable.
bool PartitionLog::first_segment_unsynced() const noexcept {
  return !segments_.empty() && segments_.back()->size() > 0 && !has_durable_segment_;
}

void PartitionLog::when_accepting(io::Task task) { accepting_waiters_.push_back(std::move(task)); }

// Reads the headers of `batches` and gives them offsets; `end` is where they end.
Result<> PartitionLog::prepare(Bytes batches, const AppendOptions& options, WrittenEnd& end) {
  headers_.clear();
  end = written_;
  if (options.base_offset) {
    if (*options.base_offset < written_.offset) {
      return fail(ErrorCode::invalid_argument, "{}: offset {} is given out already; the next one is {}", directory_, *options.base_offset,
                  written_.offset);
    }
    end.offset = *options.base_offset;
  }
  for (std::size_t at = 0; at < batches.size();) {
    auto header = read_batch_header(batches.substr(at), 0);
    if (!header || header->size > batches.size() - at)
      return fail(ErrorCode::invalid_argument, "byte {} of an append begins no record batch", at);
    const auto last_offset_delta = header->last_offset - header->base_offset;
    if (end.offset.value() > std::numeric_limits<std::int64_t>::max() - last_offset_delta - 1) {
      return fail(ErrorCode::out_of_range, "{}: no offsets are left", directory_);
    }
    header->base_offset = end.offset;
    header->last_offset = end.offset + last_offset_delta;
    header->leader_epoch = options.leader_epoch;
    end.offset = header->next_offset();
    headers_.push_back(*header);
    at += header->size;
  }
  if (headers_.empty()) return fail(ErrorCode::invalid_argument, "an append without record batches");
  return {};
}

Result<Appended> PartitionLog::append(Bytes batches, const AppendOptions& options) {
  if (read_only_)
    return fail(ErrorCode::io, "{} is read-only after a failed write that could not be undone; restart the server", directory_);
  if (!accepts(batches.size())) {
    return fail(ErrorCode::unavailable, "{} has {} bytes on their way to the disk; try again", directory_, written_bytes_ - durable_bytes_);
  }
  if (batches.size() > options_.segment_bytes) {
    return fail(ErrorCode::too_large, "{} bytes do not fit into a segment of log.segment.bytes={}", batches.size(), options_.segment_bytes);
  }
  WrittenEnd end;
  TRIPOS_TRY(prepare(batches, options, end));
  const Offset base_offset = headers_.front().base_offset;
  const auto latest = std::max_element(headers_.begin(), headers_.end(),
                                       [](const BatchHeader& a, const BatchHeader& b) { return a.max_timestamp_ms < b.max_timestamp_ms; });
  const bool first_ever = segments_.empty();
  if (first_ever || must_roll(batches.size(), headers_.back().last_offset, latest->max_timestamp_ms)) {
    if (first_segment_unsynced())
      return fail(ErrorCode::unavailable, "{}: its first segment is on its way to the disk; try again", directory_);
    TRIPOS_TRY(roll(first_ever ? base_offset : written_.offset));
  }
  Segment& segment = *segments_.back();
  if (headers_.back().last_offset - segment.base() > relative_offset_max) {
    return fail(ErrorCode::invalid_argument, "{}: offset {} is too far from the end of the log at {}", directory_, base_offset,
                written_.offset);
  }
  TRIPOS_TRY(segment.reserve(batches.size()));

  prefixes_.resize(headers_.size());
  parts_.clear();
  const char* from = batches.data();
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    std::copy_n(from, prefixes_[i].size(), prefixes_[i].data());
    set_base_offset(prefixes_[i].data(), headers_[i].base_offset);
    set_leader_epoch(prefixes_[i].data(), options.leader_epoch);
    parts_.emplace_back(prefixes_[i].data(), prefixes_[i].size());
    parts_.emplace_back(from + prefixes_[i].size(), headers_[i].size - prefixes_[i].size());
    from += headers_[i].size;
  }
  if (auto written = segment.write(parts_); !written) {
    // What stands there of it must not come before the next append; without it nothing has changed.
    if (!segment.trim()) read_only_ = true;
    return tl::unexpected(std::move(written).error());
  }
  if (first_ever && start_ < base_offset) {
    start_ = base_offset;
    wanted_start_ = base_offset;
    durable_.offset = base_offset;  // nothing lies below
  }
  for (BatchHeader& header : headers_) {
    header.position = segment.size();
    remember_place(header.base_offset, header.position);
    segment.add(header);
  }
  written_ = end;
  written_bytes_ += batches.size();
  commit_.mark(*this, options.urgency);
  return Appended{base_offset, written_};
}

// So that segments of many partitions, begun at one time, do not end at one.
std::chrono::milliseconds PartitionLog::roll_age() const noexcept {
  const auto jitter_max = std::min(options_.roll_jitter_ms, options_.roll_ms).count();
  if (jitter_max <= 0) return options_.roll_ms;
  const std::size_t mixed = std::hash<std::string>()(directory_) ^ std::hash<std::int64_t>()(segments_.back()->base().value());
  return options_.roll_ms - std::chrono::milliseconds(static_cast<std::int64_t>(mixed % static_cast<std::uint64_t>(jitter_max)));
}

bool PartitionLog::must_roll(std::uint64_t bytes, Offset last_offset, std::int64_t max_timestamp_ms) const noexcept {
  const Segment& active = *segments_.back();
  if (active.size() == 0) return false;
  const auto first_timestamp_ms = active.first_timestamp_ms();
  return active.size() + bytes > options_.segment_bytes || last_offset - active.base() > relative_offset_max ||
         active.indexes_full(options_.index_size_max_bytes) ||
         (first_timestamp_ms && max_timestamp_ms > *first_timestamp_ms &&
          static_cast<std::uint64_t>(max_timestamp_ms) - static_cast<std::uint64_t>(*first_timestamp_ms) >
              static_cast<std::uint64_t>(roll_age().count()));
}

// Closes the active segment, if there is one, and begins the next at `base`; the next round syncs both, and the directory.
Result<> PartitionLog::roll(Offset base) {
  if (segments_.empty()) {
    TRIPOS_TRY(files_.make_directories(directory_));
  } else {
    TRIPOS_TRY(segments_.back()->finish());
  }
  TRIPOS_ASSIGN(auto segment, Segment::create(files_, directory_, base, options_.index_interval_bytes));
  if (segments_.empty()) {
    directories_unsynced_ = directories_to_sync(directory_, commit_.data());
  } else {
    Segment& closed = *segments_.back();
    TRIPOS_ASSIGN(const auto file, closed.file());
    closed_unsynced_.push_back(file->file());
    closed_unsynced_.push_back(closed.offset_index().file());
    closed_unsynced_.push_back(closed.time_index().file());
    closed.release();
    directories_unsynced_.push_back(directory_);
    rolled_ = true;
  }
  segments_.push_back(std::move(segment));
  places_.clear();
  next_place_ = 0;
  commit_.mark(*this, Urgency::soon);  // even if the append that wanted it fails
  return {};
}

void PartitionLog::remember_place(Offset offset, std::uint64_t position) {
  if (places_.size() < places_max) {
    places_.push_back({offset, position});
    return;
  }
  places_[next_place_] = {offset, position};
  next_place_ = (next_place_ + 1) % places_max;
}

// --- Becoming durable

PartitionLog::Mark PartitionLog::mark() const {
  const Segment& active = *segments_.back();
  Mark mark;
  mark.end = written_;
  mark.bytes = written_bytes_;
  mark.checkpoint = {.start = start_,
                     .deleted_below = deleted_below_,
                     .compacted_below = compacted_below_,
                     .segment = active.base(),
                     .position = active.size(),
                     .end = written_.offset,
                     .max_timestamp_ms = active.max_timestamp().timestamp_ms,
                     .max_timestamp_offset = active.max_timestamp().offset,
                     .offset_entries = active.offset_index().count(),
                     .time_entries = active.time_index().count()};
  mark.rolled = rolled_;
  return mark;
}

SyncWork PartitionLog::begin_sync() {
  CHECK(!segments_.empty() && !syncing_);
  SyncWork work;
  work.files = std::exchange(closed_unsynced_, {});
  work.directories = std::exchange(directories_unsynced_, {});
  auto file = segments_.back()->file();
  CHECK(file.has_value());  // the active segment's file is open
  if (work.files.empty() && work.directories.empty() && has_durable_segment_ && durable_checkpoint_.segment == segments_.back()->base())
    work.tail = UnsyncedTail{.file = (*file)->file(), .begin = durable_checkpoint_.position, .end = segments_.back()->size()};
  work.files.push_back((*file)->file());
  syncing_ = mark();
  rolled_ = false;
  return work;
}

void PartitionLog::finish_sync() {
  const Mark mark = *std::exchange(syncing_, std::nullopt);
  CHECK(mark.end.offset >= durable_.offset);
  durable_ = DurableEnd{mark.end.offset};
  durable_bytes_ = mark.bytes;
  durable_checkpoint_ = mark.checkpoint;
  has_durable_segment_ = true;
  if (durable_listener_) durable_listener_(durable_);
  while (!waiters_.empty() && waiters_.front().end <= durable_.offset) {
    const auto done = std::move(waiters_.front().done);
    waiters_.pop_front();
    done(durable_);
  }
  for (const io::Task& task : std::exchange(accepting_waiters_, {})) task();
  segments_.back()->flush_indexes_sometimes();
  if (mark.rolled || durable_bytes_ - checkpoint_bytes_ >= options_.checkpoint_bytes) {
    chore_wanted_ = true;
    start_chore();
  }
}

void PartitionLog::sync_failed() { mark_sync_failed(files_, directory_); }

void PartitionLog::when_durable(WrittenEnd end, std::function<void(DurableEnd)> done) {
  CHECK(end.offset <= written_.offset);
  if (end.offset <= durable_.offset) {
    done(durable_);
    return;
  }
  const auto place = std::upper_bound(waiters_.begin(), waiters_.end(), end.offset,
                                      [](Offset offset, const Waiter& waiter) { return offset < waiter.end; });
  waiters_.insert(place, {end.offset, std::move(done)});
}

// --- Checkpoints and retention

void PartitionLog::advance_start(Offset offset, Trim trim, std::function<void(const Result<>&)> done) {
  CHECK(offset <= durable_.offset);
  if (trim == Trim::deletion) wanted_deleted_below_ = std::max(wanted_deleted_below_, offset);
  if (offset > wanted_start_) {
    wanted_start_ = offset;
    if (offset == written_.offset && segments_.back()->size() > 0) {
      if (auto rolled = roll(offset); !rolled) return done(rolled);
      commit_.mark(*this, Urgency::now);  // somebody waits
    }
  }
  checkpoint(std::move(done));
}

void PartitionLog::checkpoint(std::function<void(const Result<>&)> done) {
  chore_waiters_.push_back(std::move(done));
  chore_wanted_ = true;
  start_chore();
}

void PartitionLog::answer_all(const Answers& waiters, const Result<>& result) {
  for (const auto& done : waiters) done(result);
}

// Writes a checkpoint in the background; what it says of the start is seen from then on, and the segments below are removed.
void PartitionLog::start_chore() {
  if (chore_running_ || !chore_wanted_) return;
  chore_wanted_ = false;
  auto waiters = std::exchange(chore_waiters_, {});
  if (has_durable_segment_ && segments_.back()->base() != durable_checkpoint_.segment) {
    chore_wanted_ = true;  // the round that syncs the new segment comes back here
    chore_waiters_ = std::move(waiters);
    return;
  }
  Checkpoint next = durable_checkpoint_;
  next.start = wanted_start_;
  next.deleted_below = wanted_deleted_below_;
  next.compacted_below = compacted_below_;
  if (!has_durable_segment_) {
    // Nothing was ever written here, so there is nothing to remove; but a table may still have files of a log that was lost.
    if (next.deleted_below == deleted_below_) return answer_all(waiters, {});
    return answer_all(waiters, fail(ErrorCode::unavailable, "{}: nothing can be deleted from an empty log", directory_));
  }
  if (next == checkpoint_on_disk_ && !segments_to_remove()) return answer_all(waiters, {});
  // The entries of the index that the checkpoint speaks of; those of older segments are synced by the round that closed them.
  if (auto flushed = segments_.back()->flush_indexes(); !flushed) return answer_all(waiters, flushed);
  std::vector<std::shared_ptr<io::File>> index_files = {segments_.back()->offset_index().file(), segments_.back()->time_index().file()};
  chore_running_ = true;
  checkpoint_bytes_ = durable_bytes_;
  commit_.run_chore(
      [&files = files_, directory = directory_, next, index_files = std::move(index_files)]() -> Result<> {
        // What it says of the log may be durable in the commit journal alone.
        TRIPOS_TRY(sync_segment(files, segment_path(directory, next.segment)));
        for (const auto& file : index_files) TRIPOS_TRY(file->sync_data());
        return write_checkpoint(files, directory, next);
      },
      [alive = alive_, next, waiters = std::move(waiters)](const Result<>& written) mutable {
        if (*alive == nullptr) return;
        PartitionLog& log = **alive;
        if (written) return log.remove_segments_below(next, std::move(waiters));
        answer_all(waiters, written);
        if (*alive != nullptr) log.end_chore();
      });
}

// `written` is on the disk.
void PartitionLog::remove_segments_below(const Checkpoint& written, Answers waiters) {
  checkpoint_on_disk_ = written;
  start_ = written.start;
  deleted_below_ = written.deleted_below;
  take_removed_segments(written.segment);
  const auto ended = [alive = alive_, waiters = std::move(waiters)](const Result<>& result) {
    answer_all(waiters, result);
    if (*alive != nullptr) (*alive)->end_chore();
  };
  if (removed_.empty()) return ended({});
  commit_.run_chore(
      [&files = files_, removed = removed_]() -> Result<> {
        for (const std::string& path : removed) {
          if (auto done = files.remove(path); !done && done.error().code != ErrorCode::not_found) return done;
        }
        return {};
      },
      [alive = alive_, ended](const Result<>& result) {
        if (*alive == nullptr) return;
        if (result) (*alive)->removed_.clear();  // no other chore ran meanwhile
        ended(result);
      });
}

// One chore has ended: those that wait come before the next checkpoint.
void PartitionLog::end_chore() {
  chore_running_ = false;
  const std::shared_ptr<PartitionLog*> alive = alive_;
  while (!chore_running_ && !waiting_chores_.empty()) {
    const io::Task next = std::move(waiting_chores_.front());
    waiting_chores_.erase(waiting_chores_.begin());
    next();
    if (*alive == nullptr) return;
  }
  start_chore();
}

bool PartitionLog::segments_to_remove() const noexcept {
  return !removed_.empty() ||
         (segments_.size() > 1 && segments_[1]->base() <= start_ && segments_[1]->base() <= durable_checkpoint_.segment);
}

// Forgets the segments that lie below the start, as far as the checkpoint does not need them; slices of them stay readable.
void PartitionLog::take_removed_segments(Offset checkpointed_segment) {
  std::size_t count = 0;
  while (count + 1 < segments_.size() && segments_[count + 1]->base() <= start_ && segments_[count]->base() < checkpointed_segment) {
    const Offset base = segments_[count]->base();
    for (std::string& path : segment_files(directory_, base)) removed_.push_back(std::move(path));
    std::replace(used_.begin(), used_.end(), segments_[count].get(), static_cast<Segment*>(nullptr));
    ++count;
  }
  if (count > 0) cursors_ = {};
  segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(count));
}

void close_all(GroupCommit& commit, std::vector<PartitionLog*> logs, io::Task done) {
  commit.when_idle([&commit, logs = std::move(logs), done = std::move(done)] {
    for (PartitionLog* const log : logs) {
      log->trim();
      log->checkpoint([](const Result<>&) {});  // without it recovery takes longer; GroupCommit has warned
    }
    commit.when_idle([&commit, done] {
      commit.retire_journal();
      commit.when_idle(done);
    });
  });
}

void PartitionLog::trim() {
  if (segments_.empty() || read_only_) return;
  if (auto trimmed = segments_.back()->trim(); !trimmed) return;  // reserved space stays reserved: harmless
}

}  // namespace tripos::log
