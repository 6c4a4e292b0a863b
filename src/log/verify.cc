#include "log/verify.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "log/checkpoint.h"
#include "log/index_file.h"
#include "log/paths.h"

namespace tripos::log {
namespace {

constexpr std::size_t batch_bytes_max = std::size_t{1} << 30;  // log.segment.bytes can't be more
constexpr std::size_t index_bytes_max = std::size_t{1} << 30;
constexpr std::size_t transaction_entry_size = 34;

using Kind = Finding::Kind;

// The whole batch at `position`; nothing at the file's end. corrupt: there is none.
Result<std::optional<RecordBatchView>> read_batch_at(const io::File& file, std::uint64_t position, std::uint64_t file_size, Buffer& bytes) {
  if (position == file_size) return std::optional<RecordBatchView>();
  const std::uint64_t left = file_size - position;
  if (left < batch_layout::header_size) return fail(ErrorCode::corrupt, "{} bytes are left: less than a batch's header", left);
  std::array<char, batch_layout::log_overhead> prefix{};
  TRIPOS_TRY(io::read_exactly(file, position, prefix));
  const auto size = RecordBatchView::size_from_prefix(Bytes(prefix.data(), prefix.size()));
  if (!size) return fail(ErrorCode::corrupt, "no batch has this length field");
  if (*size > left) return fail(ErrorCode::corrupt, "a batch of {} bytes begins, and {} are left", *size, left);
  if (*size > batch_bytes_max) return fail(ErrorCode::corrupt, "a batch of {} bytes is larger than any", *size);
  bytes.resize(*size);
  TRIPOS_TRY(io::read_exactly(file, position, bytes));
  auto batch = RecordBatchView::parse(bytes);
  if (!batch) return fail(ErrorCode::corrupt, "{}", batch.error().message);
  if (!batch->crc_matches()) return fail(ErrorCode::corrupt, "the batch of offset {} has a wrong checksum", batch->base_offset());
  return std::optional<RecordBatchView>(*batch);
}

// The whole entries of an index; none if there is no file.
template <typename Entry>
Result<std::vector<Entry>> read_entries(io::FileSystem& files, const std::string& path, Offset base) {
  std::vector<Entry> entries;
  auto bytes = io::read_file(files, path, index_bytes_max);
  if (!bytes && bytes.error().code == ErrorCode::not_found) return entries;
  if (!bytes) return tl::unexpected(std::move(bytes).error());
  for (std::size_t at = 0; at + Entry::size <= bytes->size(); at += Entry::size) entries.push_back(Entry::decode(bytes->data() + at, base));
  return entries;
}

class Verifier {
 public:
  Verifier(io::FileSystem& files, std::string directory, std::size_t decompressed_size_max)
      : files_(files), directory_(std::move(directory)), reader_(decompressed_size_max) {}

  Result<PartitionVerdict> run() {
    TRIPOS_ASSIGN(const auto entries, files_.list(directory_));
    std::vector<Offset> bases;
    for (const io::DirectoryEntry& entry : entries) {
      if (const auto base = segment_base_offset(entry.name)) bases.push_back(*base);
    }
    auto checkpoint = read_checkpoint(files_, directory_);
    if (checkpoint) {
      checkpoint_ = *checkpoint;
    } else {
      find(Kind::damage, checkpoint_path(directory_), 0, checkpoint.error().message);
    }
    for (std::size_t i = 0; i < bases.size(); ++i) {
      TRIPOS_TRY(verify_segment(bases[i], i + 1 == bases.size()));
    }
    check_checkpoint(bases);
    return std::move(verdict_);
  }

 private:
  void find(Kind kind, const std::string& path, std::uint64_t position, std::string what) {
    verdict_.findings.push_back({.kind = kind, .path = path, .position = position, .what = std::move(what)});
  }

  Result<> verify_segment(Offset base, bool is_last) {
    const std::string path = segment_path(directory_, base);
    auto opened = files_.open(path, io::OpenMode::read);
    if (!opened && opened.error().code == ErrorCode::not_found) return {};  // retention was faster
    if (!opened) return tl::unexpected(std::move(opened).error());
    const io::File& file = **opened;
    TRIPOS_ASSIGN(const std::uint64_t size, file.size());
    TRIPOS_TRY(begin_indexes(base));
    if (verdict_.segments == 0) {
      verdict_.start = base;
      expected_ = base;
    } else if (base < expected_) {
      find(Kind::damage, path, 0, fmt::format("begins at offset {}, the segment before it ends at {}", base, expected_));
    } else if (base > expected_) {
      find(Kind::note, path, 0, fmt::format("begins at offset {}; nobody has those from {} on", base, expected_));
    }
    expected_ = base;
    ++verdict_.segments;
    Buffer bytes;
    std::uint64_t position = 0;
    while (true) {
      auto batch = read_batch_at(file, position, size, bytes);
      if (!batch) {
        if (batch.error().code != ErrorCode::corrupt) return tl::unexpected(std::move(batch).error());
        const bool acknowledged = !is_last || is_below_checkpoint(base, position);
        find(acknowledged ? Kind::damage : Kind::note, path, position,
             acknowledged ? batch.error().message : fmt::format("{} bytes behind the checkpoint are no whole batch", size - position));
        break;
      }
      if (!*batch) break;
      verify_batch(**batch, path, position);
      position += (*batch)->bytes().size();
    }
    end_indexes(base, is_last);
    TRIPOS_TRY(verify_transaction_index(base));
    verdict_.bytes += position;
    verdict_.end = expected_;
    return {};
  }

  [[nodiscard]] bool is_below_checkpoint(Offset base, std::uint64_t position) const {
    return checkpoint_ && (base < checkpoint_->segment || (base == checkpoint_->segment && position < checkpoint_->position));
  }

  void verify_batch(const RecordBatchView& batch, const std::string& path, std::uint64_t position) {
    if (batch.base_offset() < expected_) {
      find(Kind::damage, path, position, fmt::format("offset {} stands where {} or a later one was due", batch.base_offset(), expected_));
    } else if (batch.base_offset() > expected_) {
      find(Kind::note, path, position, fmt::format("goes on at offset {}; nobody has those from {} on", batch.base_offset(), expected_));
    }
    expected_ = std::max(expected_, batch.next_offset());
    ++verdict_.batches;
    verify_records(batch, path, position);
    max_timestamp_ms_ = std::max(max_timestamp_ms_, batch.max_timestamp_ms());
    follow_indexes(batch, position);
  }

  void verify_records(const RecordBatchView& batch, const std::string& path, std::uint64_t position) {
    if (auto started = reader_.start(batch); !started) return find(Kind::damage, path, position, started.error().message);
    while (true) {
      const auto record = reader_.next();
      if (!record) return find(Kind::damage, path, position, record.error().message);
      if (*record == nullptr) return;
      ++verdict_.records;
    }
  }

  // ---- Indexes: their entries are met in order while the batches go by.

  Result<> begin_indexes(Offset base) {
    TRIPOS_ASSIGN(offset_entries_, read_entries<OffsetEntry>(files_, offset_index_path(directory_, base), base));
    TRIPOS_ASSIGN(time_entries_, read_entries<TimeEntry>(files_, time_index_path(directory_, base), base));
    next_offset_entry_ = 0;
    next_time_entry_ = 0;
    max_timestamp_ms_ = -1;
    return {};
  }

  void follow_indexes(const RecordBatchView& batch, std::uint64_t position) {
    for (; next_offset_entry_ < offset_entries_.size() && offset_entries_[next_offset_entry_].position <= position; ++next_offset_entry_) {
      const OffsetEntry& entry = offset_entries_[next_offset_entry_];
      if (entry.position == position && entry.offset == batch.last_offset()) continue;
      wrong_offset_entries_ += 1;
    }
    for (; next_time_entry_ < time_entries_.size() && time_entries_[next_time_entry_].offset <= batch.last_offset(); ++next_time_entry_) {
      const TimeEntry& entry = time_entries_[next_time_entry_];
      if (entry.offset == batch.last_offset() && entry.timestamp_ms == batch.max_timestamp_ms() &&
          entry.timestamp_ms == max_timestamp_ms_) {
        continue;
      }
      wrong_time_entries_ += 1;
    }
  }

  void end_indexes(Offset base, bool is_last) {
    // Entries behind the last batch of all are of what a crash has cut, or of what a server is writing while we look.
    if (!is_last) {
      wrong_offset_entries_ += offset_entries_.size() - next_offset_entry_;
      wrong_time_entries_ += time_entries_.size() - next_time_entry_;
    }
    const auto tell = [&](const std::string& path, std::size_t wrong, std::size_t count) {
      if (wrong > 0) find(Kind::warning, path, 0, fmt::format("{} of {} entries name no batch of the segment", wrong, count));
    };
    tell(offset_index_path(directory_, base), std::exchange(wrong_offset_entries_, 0), offset_entries_.size());
    tell(time_index_path(directory_, base), std::exchange(wrong_time_entries_, 0), time_entries_.size());
  }

  Result<> verify_transaction_index(Offset base) {
    const std::string path = transaction_index_path(directory_, base);
    auto bytes = io::read_file(files_, path, index_bytes_max);
    if (!bytes && bytes.error().code == ErrorCode::not_found) return {};
    if (!bytes) return tl::unexpected(std::move(bytes).error());
    if (bytes->size() % transaction_entry_size != 0) {
      find(Kind::warning, path, bytes->size(), fmt::format("its size is no multiple of {}", transaction_entry_size));
    }
    Offset marker_before(-1);
    for (std::size_t at = 0; at + transaction_entry_size <= bytes->size(); at += transaction_entry_size) {
      const Offset first(load_be<std::int64_t>(bytes->data() + at + 10));
      const Offset marker(load_be<std::int64_t>(bytes->data() + at + 18));
      const bool good = load_be<std::int16_t>(bytes->data() + at) == 0 && first < marker && marker >= base && marker < expected_ &&
                        marker > marker_before;
      if (!good) find(Kind::warning, path, at, "the entry names no aborted transaction of the segment");
      marker_before = marker;
    }
    return {};
  }

  void check_checkpoint(const std::vector<Offset>& bases) {
    if (!checkpoint_) return;
    const std::string path = checkpoint_path(directory_);
    if (bases.empty()) {
      if (checkpoint_->end > checkpoint_->segment) find(Kind::damage, path, 0, "speaks of records, and there is no segment");
    } else if (verdict_.end < checkpoint_->end) {
      find(Kind::damage, path, 0, fmt::format("the log was durable up to offset {}, and ends at {}", checkpoint_->end, verdict_.end));
    } else if (checkpoint_->start < bases.front()) {
      find(Kind::damage, path, 0, fmt::format("the log starts at offset {}, its first segment at {}", checkpoint_->start, bases.front()));
    }
  }

  io::FileSystem& files_;
  std::string directory_;
  RecordReader reader_;
  PartitionVerdict verdict_;
  std::optional<Checkpoint> checkpoint_;
  Offset expected_{0};
  std::int64_t max_timestamp_ms_ = -1;  // of the segment so far
  std::vector<OffsetEntry> offset_entries_;
  std::vector<TimeEntry> time_entries_;
  std::size_t next_offset_entry_ = 0;
  std::size_t next_time_entry_ = 0;
  std::size_t wrong_offset_entries_ = 0;
  std::size_t wrong_time_entries_ = 0;
};

}  // namespace

Result<PartitionVerdict> verify_partition(io::FileSystem& files, const std::string& directory, std::size_t decompressed_size_max) {
  return Verifier(files, directory, decompressed_size_max).run();
}

Result<> for_each_batch_of(const io::File& file, const std::function<Result<>(const RecordBatchView&, std::uint64_t)>& visit) {
  TRIPOS_ASSIGN(const std::uint64_t size, file.size());
  Buffer bytes;
  for (std::uint64_t position = 0;;) {
    auto batch = read_batch_at(file, position, size, bytes);
    if (!batch) return tl::unexpected(std::move(batch).error().within(fmt::format("{} at byte {}", file.path(), position)));
    if (!*batch) return {};
    TRIPOS_TRY(visit(**batch, position));
    position += (*batch)->bytes().size();
  }
}

}  // namespace tripos::log
