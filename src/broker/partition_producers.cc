// What a partition remembers of its producers: read at open(), kept in snapshots; and the index of aborted transactions for Kafka's tools.
#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "broker/partition.h"
#include "broker/producer_snapshot.h"
#include "log/paths.h"

namespace tripos::broker {

namespace {

constexpr std::size_t snapshot_bytes_max = std::size_t{1} << 30;

Result<std::vector<Offset>> list_snapshots(io::FileSystem& files, const std::string& directory) {
  std::vector<Offset> offsets;
  auto entries = files.list(directory);
  if (!entries && entries.error().code == ErrorCode::not_found) return offsets;
  if (!entries) return tl::unexpected(std::move(entries).error());
  for (const io::DirectoryEntry& entry : *entries) {
    if (const auto offset = log::producer_snapshot_offset(entry.name)) offsets.push_back(*offset);
  }
  return offsets;
}

Result<> remove_snapshot(io::FileSystem& files, const std::string& directory, Offset offset) {
  auto removed = files.remove(log::producer_snapshot_path(directory, offset));
  if (!removed && removed.error().code == ErrorCode::not_found) return {};
  return removed;
}

ProducedBatch produced_batch(const log::BatchHeader& header) noexcept {
  const auto count = static_cast<std::int32_t>(header.last_offset - header.base_offset);
  const bool sequenced = header.base_sequence != no_sequence;
  return {.producer_id = header.producer_id,
          .epoch = header.producer_epoch,
          .first_sequence = header.base_sequence,
          .last_sequence = sequenced ? sequence_after(header.base_sequence, count) : no_sequence,
          .transactional = header.is_transactional()};
}

std::int64_t wall_ms(const Environment& environment) { return environment.clock.wall().time_since_epoch().count(); }

}  // namespace

// ---- At start

Result<> Partition::recover_producers() {
  TRIPOS_ASSIGN(const Offset from, read_snapshot());
  const std::int64_t now_ms = wall_ms(environment_);
  TRIPOS_TRY(log_->for_each_header(std::max(from, log_->start_offset()), log_->durable_end(),
                                   [&](const log::BatchHeader& header, const LeasedFile& file) { return replay(header, file, now_ms); }));
  producers_.release_ended([this](ProducerId producer, Offset first) { return options_.is_completing(producer, id_.partition, first); });
  producers_.expire(now_ms - options_.producer_id_expiration.count());
  aborted_.drop_below(log_->start_offset());
  TRIPOS_TRY(forget_aborted_without_marker());
  if (aborted_.all().empty()) return {};
  return repair_transaction_indexes();
}

Result<Offset> Partition::read_snapshot() {
  TRIPOS_ASSIGN(auto offsets, list_snapshots(environment_.files, directory_));
  // One of records that are lost must not count once others have their offsets.
  const Offset end = log_->durable_end().offset;
  for (const Offset offset : offsets) {
    if (offset > end) TRIPOS_TRY(remove_snapshot(environment_.files, directory_, offset));
  }
  std::erase_if(offsets, [end](Offset offset) { return offset > end; });
  std::ranges::sort(offsets, std::greater<>());
  for (const Offset offset : offsets) {
    const std::string path = log::producer_snapshot_path(directory_, offset);
    TRIPOS_ASSIGN(const Buffer bytes, io::read_file(environment_.files, path, snapshot_bytes_max));
    auto snapshot = decode_producer_snapshot(bytes, path);
    if (snapshot) {
      producers_ = std::move(snapshot->producers);
      aborted_ = std::move(snapshot->aborted);
      snapshot_offset_ = offset;
      return offset;
    }
    environment_.warn(fmt::format("{}; what it held is read from the log instead", snapshot.error().message));
  }
  return Offset(0);
}

Result<> Partition::replay(const log::BatchHeader& header, const LeasedFile& file, std::int64_t now_ms) {
  bytes_since_snapshot_ += header.size;
  if (header.producer_id == no_producer_id) return {};
  if (header.is_control()) {
    Buffer bytes;
    TRIPOS_TRY(file.read(header.position, header.size, bytes));
    TRIPOS_ASSIGN(const RecordBatchView batch, RecordBatchView::parse(bytes));
    const auto marker = read_marker_batch(batch);
    if (marker) record_marker(*marker, header.base_offset, now_ms);
    return {};  // control batches of other kinds end no transaction
  }
  producers_.record(produced_batch(header), header.base_offset, header.last_offset, header.max_timestamp_ms, now_ms);
  return {};
}

// The files may lack entries that were never synced, or bear some that recovery has cut away with the log.
Result<> Partition::repair_transaction_indexes() {
  TRIPOS_ASSIGN(const auto segments, log_->segments());
  for (const auto& segment : segments) {
    const Buffer index = aborted_.index_of(segment.base_offset, segment.end_offset);
    const std::string path = log::transaction_index_path(directory_, segment.base_offset);
    const auto stored = io::read_file(environment_.files, path, snapshot_bytes_max);
    if (stored ? *stored == index : index.empty()) continue;
    TRIPOS_TRY(io::replace_file(environment_.files, path, index));
  }
  return {};
}

Result<> Partition::forget_aborted_without_marker() {
  std::vector<Offset> gone;
  for (const AbortedEntry& entry : aborted_.all()) {
    const Offset marker = entry.transaction.last;
    if (marker >= log_->compacted_below()) break;
    TRIPOS_ASSIGN(const log::LogRead read, log_->read(marker, log_->durable_end(), 1));
    if (read.slices.empty()) {
      gone.push_back(marker);
      continue;
    }
    Buffer header;
    TRIPOS_TRY(read.slices.front().file->read(read.slices.front().begin, batch_layout::header_size, header));
    const auto batch = log::read_batch_header(header, 0);
    if (!batch || batch->base_offset != marker || !batch->is_control()) gone.push_back(marker);
  }
  aborted_.drop(gone);
  return {};
}

void Partition::forget_aborted(const std::vector<Offset>& markers) {
  if (aborted_.all().empty()) return;
  aborted_.drop(markers);
  if (auto repaired = repair_transaction_indexes(); !repaired) {
    environment_.warn(
        fmt::format("the indexes of aborted transactions, which only Kafka's tools read, are out of date until the next start: {}",
                    repaired.error().message));
  }
}

// ---- Markers

void Partition::record_marker(const TransactionMarker& marker, Offset offset, std::int64_t now_ms) {
  const auto ended = producers_.record_marker(marker, offset, now_ms);
  if (!ended || ended->committed) return;
  const AbortedEntry entry{.transaction = {.producer_id = marker.producer_id, .first = ended->first, .last = offset},
                           .last_stable = ended->last_stable};
  aborted_.add(entry);
  if (log_->durable_end().offset <= offset) write_index_entry(entry);  // else it is read again, and repaired as a whole
}

// Only tools read it, and open() repairs it: a failure does no harm.
void Partition::write_index_entry(const AbortedEntry& entry) {
  const auto append = [&]() -> Result<> {
    const std::string path = log::transaction_index_path(directory_, log_->active_segment());
    TRIPOS_ASSIGN(const auto file, environment_.files.open(path, io::OpenMode::create));
    TRIPOS_ASSIGN(const std::uint64_t size, file->size());
    Buffer bytes;
    append_index_entry(bytes, entry);
    return file->write_at(size, std::array{Bytes(bytes)});
  };
  if (auto appended = append(); !appended) {
    environment_.warn(fmt::format("an aborted transaction is missing from an index that Kafka's tools read, until the next start: {}",
                                  appended.error().message));
  }
}

// ---- Snapshots

void Partition::snapshot_sometimes(std::uint64_t appended_bytes, WrittenEnd end) {
  bytes_since_snapshot_ += appended_bytes;
  if (bytes_since_snapshot_ < options_.snapshot_bytes) return;
  bytes_since_snapshot_ = 0;
  producers_.expire(wall_ms(environment_) - options_.producer_id_expiration.count());
  aborted_.drop_below(log_->start_offset());
  log_->when_durable(end, [this, offset = end.offset, snapshot = encode_producer_snapshot(producers_, aborted_)](DurableEnd) mutable {
    write_snapshot(offset, std::move(snapshot));
  });
}

void Partition::write_final_snapshot() {
  if (log_ == nullptr || bytes_since_snapshot_ == 0) return;
  CHECK(log_->next_offset() == log_->durable_end().offset);
  bytes_since_snapshot_ = 0;
  write_snapshot(log_->next_offset(), encode_producer_snapshot(producers_, aborted_));
}

void Partition::save_producers(Offset offset, std::function<void(const Result<>&)> done) {
  if (snapshot_offset_ >= offset || (producers_.size() == 0 && aborted_.all().empty())) return done({});
  const WrittenEnd end{log_->next_offset()};
  bytes_since_snapshot_ = 0;
  log_->when_durable(end, [this, done = std::move(done), snapshot = encode_producer_snapshot(producers_, aborted_),
                           end](DurableEnd) mutable { write_snapshot(end.offset, std::move(snapshot), std::move(done)); });
}

void Partition::write_snapshot(Offset offset, Buffer snapshot, std::function<void(const Result<>&)> done) {
  commit_.run_chore(
      [&files = environment_.files, directory = directory_, offset, snapshot = std::move(snapshot)]() -> Result<> {
        TRIPOS_TRY(io::replace_file(files, log::producer_snapshot_path(directory, offset), snapshot));
        TRIPOS_ASSIGN(const auto offsets, list_snapshots(files, directory));
        for (const Offset other : offsets) {
          if (other < offset) TRIPOS_TRY(remove_snapshot(files, directory, other));
        }
        return {};
      },
      [alive = alive_, offset, done = std::move(done)](const Result<>& written) {
        if (*alive == nullptr) return;
        Partition& self = **alive;
        // Without it the next start reads more of the log; GroupCommit has warned.
        if (written) self.snapshot_offset_ = std::max(self.snapshot_offset_, offset);
        if (done) done(written);
      });
}

}  // namespace tripos::broker
