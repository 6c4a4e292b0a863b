#include "log/recovery.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <utility>

#include "base/check.h"
#include "log/batch_header.h"
#include "log/paths.h"
#include "log/segment_swap.h"

namespace tripos::log {
namespace {

constexpr std::size_t chunk_bytes = 1u << 20;

// Whether a whole, unharmed batch of offsets at or above `next` starts at `bytes`. The bytes may go on behind it.
bool is_good_batch(Bytes bytes, Offset next) {
  const auto batch = RecordBatchView::parse(bytes);
  return batch && batch->base_offset() >= next && batch->crc_matches();
}

// Calls `visit` for each good batch of [begin, end); returns where the first bad one stands, or `end`. `next` follows the offsets.
Result<std::uint64_t> scan_batches(const io::File& file, std::uint64_t begin, std::uint64_t end, Offset base, Offset& next,
                                   const std::function<void(const BatchHeader&)>& visit) {
  Buffer chunk;
  std::uint64_t chunk_begin = begin;
  std::uint64_t position = begin;
  const auto have = [&](std::uint64_t size) { return position + size <= chunk_begin + chunk.size(); };
  const auto load = [&](std::uint64_t size) -> Result<> {
    chunk.resize(std::min<std::uint64_t>(end - position, std::max<std::uint64_t>(size, chunk_bytes)));
    chunk_begin = position;
    return io::read_exactly(file, position, chunk);
  };
  while (end - position >= batch_layout::header_size) {
    if (!have(batch_layout::header_size)) TRIPOS_TRY(load(batch_layout::header_size));
    const auto header = read_batch_header(Bytes(chunk).substr(position - chunk_begin), position);
    if (!header || header->size > end - position || header->base_offset < next ||
        header->last_offset - base > std::numeric_limits<std::int32_t>::max()) {
      return position;
    }
    if (!have(header->size)) TRIPOS_TRY(load(header->size));
    if (!is_good_batch(Bytes(chunk).substr(position - chunk_begin, header->size), next)) return position;
    visit(*header);
    next = header->next_offset();
    position = header->end();
  }
  return position;
}

}  // namespace

Result<> Recovery::run() {
  TRIPOS_TRY(finish_swap(log_.files_, log_.directory_));
  TRIPOS_TRY(list());
  TRIPOS_TRY(read_checkpoint());
  TRIPOS_TRY(open_segments());
  TRIPOS_TRY(scan());
  // From here on the log is accepted.
  TRIPOS_TRY(cut());
  TRIPOS_TRY(keep());
  TRIPOS_TRY(raise_end());
  take_over();
  return {};
}

Result<> Recovery::list() {
  auto entries = log_.files_.list(log_.directory_);
  if (!entries) {
    if (entries.error().code == ErrorCode::not_found) return {};
    return tl::unexpected(std::move(entries).error());
  }
  for (const io::DirectoryEntry& entry : *entries) {
    if (const auto base = segment_base_offset(entry.name)) bases_.push_back(*base);
  }
  for (const io::DirectoryEntry& entry : *entries) {
    std::string path = log_.directory_ + "/" + entry.name;
    if (path == sync_failed_path(log_.directory_)) sync_had_failed_ = true;
    const bool index = entry.name.ends_with(".index") || entry.name.ends_with(".timeindex") || entry.name.ends_with(".txnindex");
    const auto owner = index ? segment_base_offset(entry.name.substr(0, entry.name.find('.')) + ".log") : std::nullopt;
    if ((owner && !std::binary_search(bases_.begin(), bases_.end(), *owner)) || entry.name.ends_with(cleaned_suffix) ||
        path == swap_path(log_.directory_) + ".tmp" || path == checkpoint_path(log_.directory_) + ".tmp") {
      leftovers_.push_back(std::move(path));
    }
  }
  return {};
}

Result<> Recovery::read_checkpoint() {
  auto checkpoint = log::read_checkpoint(log_.files_, log_.directory_);
  if (checkpoint) {
    checkpoint_ = *checkpoint;
  } else if (checkpoint.error().code == ErrorCode::corrupt) {
    checkpoint_damaged_ = true;  // it only saves work: everything is scanned
    report_.damaged_checkpoint = checkpoint.error().message;
  } else {
    return tl::unexpected(std::move(checkpoint).error());
  }
  return {};
}

Result<> Recovery::open_segments() {
  const std::string checkpoint_file = checkpoint_path(log_.directory_);
  if (checkpoint_) {
    // Those that advance_start() had no time to remove.
    while (bases_.size() > 1 && bases_[1] <= checkpoint_->start && bases_[0] < checkpoint_->segment) {
      for (std::string& path : segment_files(log_.directory_, bases_[0])) leftovers_.push_back(std::move(path));
      bases_.erase(bases_.begin());
    }
    const auto place = std::lower_bound(bases_.begin(), bases_.end(), checkpoint_->segment);
    if (place == bases_.end() || *place != checkpoint_->segment) {
      return fail(ErrorCode::corrupt, "{} is missing, though {} says that its first {} bytes are durable",
                  segment_path(log_.directory_, checkpoint_->segment), checkpoint_file, checkpoint_->position);
    }
    if (bases_.front() > checkpoint_->start) {
      return fail(ErrorCode::corrupt, "{}: the segment that holds offset {}, where the log starts, is missing; the first one is {}",
                  log_.directory_, checkpoint_->start, segment_path(log_.directory_, bases_.front()));
    }
    first_scanned_ = static_cast<std::size_t>(place - bases_.begin());
    scanned_from_ = checkpoint_->position;
    log_.start_ = checkpoint_->start;
    log_.deleted_below_ = checkpoint_->deleted_below;
    log_.compacted_below_ = checkpoint_->compacted_below;
    end_ = checkpoint_->end;
  } else if (!bases_.empty()) {
    log_.start_ = bases_.front();
    end_ = bases_.front();
  }
  for (const Offset base : bases_) {
    TRIPOS_ASSIGN(auto segment, Segment::open(log_.files_, log_.directory_, base, log_.options_.index_interval_bytes));
    file_sizes_.push_back(segment->size());
    log_.segments_.push_back(std::move(segment));
  }
  if (checkpoint_ && file_sizes_[first_scanned_] < checkpoint_->position) {
    return fail(ErrorCode::corrupt, "{} ends at byte {}, though {} says that its first {} bytes are durable",
                segment_path(log_.directory_, checkpoint_->segment), file_sizes_[first_scanned_], checkpoint_file, checkpoint_->position);
  }
  return log_.options_.verify_all ? verify_below_checkpoint() : Result<>();
}

Result<> Recovery::verify_below_checkpoint() {
  for (std::size_t i = 0; checkpoint_ && i <= first_scanned_; ++i) {
    Segment& segment = *log_.segments_[i];
    TRIPOS_ASSIGN(const auto file, segment.file());
    const std::uint64_t stop = i == first_scanned_ ? scanned_from_ : file_sizes_[i];
    Offset next = segment.base();
    TRIPOS_ASSIGN(const std::uint64_t good, scan_batches(*file->file(), 0, stop, segment.base(), next, [](const BatchHeader&) {}));
    segment.release();
    if (good != stop) return fail(ErrorCode::corrupt, "{}: the record batch at byte {} is damaged", file->file()->path(), good);
    // No checksum covers a batch's base offset.
    const Offset limit = i == first_scanned_ ? checkpoint_->end : log_.segments_[i + 1]->base();
    if (next > limit) {
      return fail(ErrorCode::corrupt, "{}: its record batches below byte {} end at offset {}, above {}, where others begin",
                  file->file()->path(), stop, next, limit);
    }
  }
  return {};
}

// --- Looking

Result<> Recovery::scan() {
  for (std::size_t i = first_scanned_; i < log_.segments_.size(); ++i) {
    Segment& segment = *log_.segments_[i];
    if (i > first_scanned_ && segment.base() != end_) {
      if (segment.base() < end_) {
        return fail(ErrorCode::corrupt, "{} begins below offset {}, where the segment before it ends",
                    segment_path(log_.directory_, segment.base()), end_);
      }
      const Place before = {i - 1, log_.segments_[i - 1]->size()};
      // Without a checkpoint to say more: a gap that is older than what can be unsynced is no crash's (offsets were raised here).
      const bool old_gap = checkpoint_damaged_ || (!checkpoint_ && bytes_behind(before) > unsynced_bytes_max);
      if (!old_gap) {
        bad_ = before;
        break;
      }
      end_ = segment.base();
    }
    TRIPOS_TRY(i == first_scanned_ && checkpoint_ ? segment.resume(*checkpoint_) : segment.restart());
    const std::uint64_t begin = segment.size();
    TRIPOS_TRY(scan_segment(segment, end_));
    report_.scanned_bytes += file_sizes_[i] - begin;
    if (segment.size() != file_sizes_[i]) {
      bad_ = Place{i, segment.size()};
      break;
    }
  }
  if (!bad_) return {};
  const std::string bad_path = segment_path(log_.directory_, bases_[bad_->segment]);
  TRIPOS_ASSIGN(const auto far, valid_batch_far_behind(*bad_, end_));
  if (far) {
    return fail(ErrorCode::corrupt,
                "{}: the record batch at byte {} is damaged: {} stands more than {} bytes behind it, so no crash has torn it", bad_path,
                bad_->position, *far, unsynced_bytes_max);
  }
  report_.cut_file = bad_path;
  report_.cut_position = bad_->position;
  report_.cut_bytes = bytes_behind(*bad_);
  return {};
}

Result<> Recovery::scan_segment(Segment& segment, Offset& next) {
  TRIPOS_ASSIGN(const auto file, segment.file());
  TRIPOS_ASSIGN(const std::uint64_t size, file->file()->size());
  auto stopped =
      scan_batches(*file->file(), segment.size(), size, segment.base(), next, [&](const BatchHeader& batch) { segment.add(batch); });
  if (!stopped) return tl::unexpected(std::move(stopped).error());
  return {};
}

std::uint64_t Recovery::bytes_behind(const Place& place) const noexcept {
  std::uint64_t bytes = file_sizes_[place.segment] - place.position;
  for (std::size_t i = place.segment + 1; i < file_sizes_.size(); ++i) bytes += file_sizes_[i];
  return bytes;
}

Result<std::optional<std::string>> Recovery::valid_batch_far_behind(const Place& bad, Offset next) {
  std::uint64_t distance = 0;  // from the bad batch to the beginning of the segment looked at, less what is looked at from there
  for (std::size_t i = bad.segment; i < log_.segments_.size(); ++i) {
    const std::uint64_t from = i == bad.segment ? bad.position : 0;
    const std::uint64_t size = file_sizes_[i];
    std::uint64_t position = from + (distance > unsynced_bytes_max ? 0 : unsynced_bytes_max + 1 - distance);
    distance += size - from;
    if (position + batch_layout::header_size > size) continue;
    TRIPOS_ASSIGN(const auto file, log_.segments_[i]->file());
    Buffer chunk;
    Buffer batch;
    for (; position + batch_layout::header_size <= size; position += chunk.size() - (batch_layout::header_size - 1)) {
      chunk.resize(std::min<std::uint64_t>(chunk_bytes, size - position));
      TRIPOS_TRY(io::read_exactly(*file->file(), position, chunk));
      for (std::size_t at = 0; at + batch_layout::header_size <= chunk.size(); ++at) {
        const std::size_t magics = chunk.size() - batch_layout::header_size - at + 1;
        const void* const magic = std::memchr(chunk.data() + at + batch_layout::magic, 2, magics);
        if (magic == nullptr) break;
        at = static_cast<std::size_t>(static_cast<const char*>(magic) - chunk.data()) - batch_layout::magic;
        const auto header = read_batch_header(Bytes(chunk).substr(at), position + at);
        if (!header || header->base_offset < next || header->base_offset - next > std::numeric_limits<std::int32_t>::max() ||
            header->end() > size) {
          continue;
        }
        batch.clear();
        TRIPOS_TRY(file->read(header->position, header->size, batch));
        if (is_good_batch(batch, next)) {
          return std::optional(
              fmt::format("a good one (offset {}) at byte {} of {}", header->base_offset, header->position, file->file()->path()));
        }
      }
    }
  }
  return std::optional<std::string>();
}

// --- Changing

Result<> Recovery::cut() {
  if (!bad_) return {};
  bool removed = false;
  while (log_.segments_.size() > bad_->segment + 1) {
    const Offset base = log_.segments_.back()->base();
    log_.segments_.pop_back();
    for (const std::string& path : segment_files(log_.directory_, base)) {
      if (auto done = log_.files_.remove(path); !done && done.error().code != ErrorCode::not_found) return done;
    }
    removed = true;
  }
  // Before the segment in front grows again: their names must not come back behind its new end.
  if (removed) TRIPOS_TRY(log_.files_.sync_directory(log_.directory_));
  return log_.segments_.back()->trim();
}

Result<> Recovery::keep() {
  // The checkpoint that makes them superfluous may have its name in the page cache only (the process was killed).
  if (!leftovers_.empty()) TRIPOS_TRY(log_.files_.sync_directory(log_.directory_));
  for (const std::string& path : leftovers_) {
    if (auto done = log_.files_.remove(path); !done && done.error().code != ErrorCode::not_found) return done;
  }
  if (log_.segments_.empty()) return {};
  const bool beyond_checkpoint = report_.scanned_bytes > 0 || first_scanned_ + 1 < log_.segments_.size();
  report_.clean = checkpoint_ && !bad_ && !beyond_checkpoint && !sync_had_failed_;
  if (report_.clean) return {};
  if (sync_had_failed_) TRIPOS_TRY(write_tail_anew());
  const auto sync = [&]() -> Result<> {
    for (std::size_t i = first_scanned_; i < log_.segments_.size(); ++i) {
      Segment& segment = *log_.segments_[i];
      const bool closed = i + 1 < log_.segments_.size();
      TRIPOS_TRY(closed ? segment.finish() : segment.flush_indexes());
      TRIPOS_ASSIGN(const auto file, segment.file());
      TRIPOS_TRY(file->file()->sync_data());
      if (closed) {
        TRIPOS_TRY(segment.offset_index().file()->sync_data());
        TRIPOS_TRY(segment.time_index().file()->sync_data());
        segment.release();
      }
    }
    for (const std::string& directory : directories_to_sync(log_.directory_, log_.commit_.data()))
      TRIPOS_TRY(log_.files_.sync_directory(directory));
    return {};
  };
  if (auto synced = sync(); !synced) {
    log_.sync_failed();
    return synced;
  }
  if (!sync_had_failed_) return {};
  TRIPOS_TRY(log_.files_.remove(sync_failed_path(log_.directory_)));
  return log_.files_.sync_directory(log_.directory_);
}

// Puts the last 4 MiB, all that the failed sync can have been about, into the page cache as changed.
Result<> Recovery::write_tail_anew() {
  std::uint64_t left = unsynced_bytes_max;
  Buffer chunk;
  for (std::size_t i = log_.segments_.size(); i-- > 0 && left > 0;) {
    Segment& segment = *log_.segments_[i];
    TRIPOS_ASSIGN(const auto file, segment.file());
    std::uint64_t position = segment.size() > left ? segment.size() - left : 0;
    left -= segment.size() - position;
    while (position < segment.size()) {
      chunk.clear();
      TRIPOS_TRY(file->read(position, std::min<std::uint64_t>(chunk_bytes, segment.size() - position), chunk));
      TRIPOS_TRY(file->file()->write_at(position, std::array{Bytes(chunk)}));
      position += chunk.size();
    }
    if (i < first_scanned_) {
      TRIPOS_TRY(file->file()->sync_data());
      segment.release();
    }
  }
  return {};
}

Result<> Recovery::raise_end() {
  const Offset floor = log_.options_.next_offset_floor;
  if (floor <= end_) return {};
  report_.raised_from = end_;
  end_ = floor;
  if (log_.segments_.empty()) {
    log_.start_ = floor;  // the first append makes its segment there
    return {};
  }
  Segment& closed = *log_.segments_.back();
  TRIPOS_TRY(closed.finish());
  TRIPOS_TRY(closed.offset_index().file()->sync_data());
  TRIPOS_TRY(closed.time_index().file()->sync_data());
  closed.release();
  TRIPOS_ASSIGN(auto segment, Segment::create(log_.files_, log_.directory_, floor, log_.options_.index_interval_bytes));
  log_.segments_.push_back(std::move(segment));
  TRIPOS_TRY(log_.files_.sync_directory(log_.directory_));
  // The checkpoint tells the next recovery that this gap is no lost tail.
  log_.written_.offset = floor;
  const Checkpoint checkpoint = log_.mark().checkpoint;
  TRIPOS_TRY(write_checkpoint(log_.files_, log_.directory_, checkpoint));
  checkpoint_ = checkpoint;
  return {};
}

void Recovery::take_over() {
  log_.written_.offset = end_;
  log_.durable_.offset = end_;
  log_.wanted_start_ = log_.start_;
  log_.wanted_deleted_below_ = log_.deleted_below_;
  if (log_.segments_.empty()) return;
  log_.durable_checkpoint_ = log_.mark().checkpoint;
  log_.has_durable_segment_ = true;
  if (!checkpoint_damaged_) log_.checkpoint_on_disk_ = checkpoint_;
}

}  // namespace tripos::log
