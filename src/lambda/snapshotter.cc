#include "lambda/snapshotter.h"

#include <algorithm>

#include "base/check.h"

namespace tripos::lambda {

namespace {

constexpr int snapshot_attempts_max = 3;
constexpr int runs_max = 8;

std::uint64_t log_bytes(const PartitionRange& range) {
  std::uint64_t sum = 0;
  for (const LogSlice& slice : range.slices) sum += slice.end - slice.begin;
  return sum;
}

// The id under which the next manifest knows this type; a new one is added.
SchemaId schema_id(Manifest& manifest, const std::string& type) {
  SchemaId highest(0);
  for (const ManifestSchema& entry : manifest.schemas) {
    if (entry.type == type) return entry.id;
    highest = std::max(highest, entry.id);
  }
  manifest.schemas.push_back({.id = highest + 1, .type = type});
  return highest + 1;
}

void move_end(Manifest& manifest, const PartitionRange& range, std::int64_t rejected_count) {
  for (ManifestPartition& entry : manifest.partitions) {
    if (entry.partition != range.partition) continue;
    entry.end = std::max(entry.end, range.end.offset);
    entry.rejected_count += rejected_count;
    return;
  }
  manifest.partitions.push_back({.partition = range.partition, .end = range.end.offset, .rejected_count = rejected_count});
}

}  // namespace

std::string_view to_string(SnapshotOutcome outcome) noexcept {
  switch (outcome) {
    case SnapshotOutcome::written: return "written";
    case SnapshotOutcome::no_change: return "no change";
    case SnapshotOutcome::no_rows: return "no rows";
    case SnapshotOutcome::compacted: return "compacted";
  }
  return "no change";
}

Result<std::vector<TableSnapshot>> Snapshotter::run(const std::string& topic) {
  struct Count {
    std::atomic<int>& count;
    ~Count() { --count; }
  };
  const int runs = ++run_count_;
  const Count counted{run_count_};
  if (runs > runs_max) return fail(ErrorCode::unavailable, "{} batch runs are under way or wait already: try again later", runs_max);
  const std::lock_guard lock(running_);
  TRIPOS_ASSIGN(const auto topics, chosen(topic));
  std::vector<TableSnapshot> snapshots;
  for (const TopicDescription& each : topics) {
    auto done = snapshot(each);
    if (!done && done.error().code == ErrorCode::unavailable && topic.empty()) continue;  // deleted meanwhile
    if (!done) return tl::unexpected(std::move(done).error().within(fmt::format("batch run of topic {}", each.name)));
    snapshots.push_back(std::move(*done));
  }
  return snapshots;
}

Result<Offset> Snapshotter::cover(const TopicDescription& topic, PartitionId partition, Offset end) {
  const std::lock_guard lock(running_);
  TRIPOS_ASSIGN(const PinnedTable pinned, tables_.pin_rows(topic, PinnedRows::settled));
  if (pinned.manifest->end_of(partition) >= end) return end;
  const auto range = std::ranges::find(pinned.ranges, partition, &PartitionRange::partition);
  if (range == pinned.ranges.end()) return fail(ErrorCode::not_found, "topic {} has no partition {}", topic.name, partition);
  TRIPOS_ASSIGN(const TableSnapshot done, snapshot(topic));
  // Without a row in what was pinned there is nothing to keep of it.
  const bool kept = done.outcome == SnapshotOutcome::written || done.outcome == SnapshotOutcome::no_change;
  return std::min(end, kept ? done.manifest.end_of(partition) : range->end.offset);
}

Result<> Snapshotter::keep_schema(const TopicDescription& topic) {
  const std::lock_guard lock(running_);
  TRIPOS_ASSIGN(const PinnedTable pinned, tables_.pin_rows(topic, PinnedRows::settled));
  if (pinned.schema.kind() != json::TypeKind::structure) return {};
  if (pinned.manifest->schema_text(pinned.manifest->schema) == pinned.schema.text()) return {};
  const ManifestStore& manifests = tables_.manifests();
  TRIPOS_TRY(manifests.store().make_directory(manifests.table_directory(topic.id)));
  return tables_.commit(pinned, next_manifest(pinned), {});
}

Result<std::vector<TableStatus>> Snapshotter::status(const std::string& topic) {
  TRIPOS_ASSIGN(const auto topics, chosen(topic));
  std::vector<TableStatus> all;
  for (const TopicDescription& each : topics) {
    TRIPOS_ASSIGN(const PinnedTable pinned, tables_.pin_rows(each));
    TableStatus status{.topic = each, .manifest = *pinned.manifest, .live = {}};
    for (const PartitionRange& range : pinned.ranges) {
      status.live.push_back({.partition = range.partition, .begin = range.begin, .end = range.end.offset, .log_bytes = log_bytes(range)});
    }
    all.push_back(std::move(status));
  }
  return all;
}

Result<std::vector<TopicDescription>> Snapshotter::chosen(const std::string& topic) {
  const TableNames names(tables_.source().topics());
  if (topic.empty()) return names.topics();
  TRIPOS_ASSIGN(const auto table, names.resolve({.qualifier = "", .name = topic}));
  return std::vector{*table.topic};
}

Result<TableSnapshot> Snapshotter::snapshot(const TopicDescription& topic) {
  for (int attempt = 1;; ++attempt) {
    auto done = snapshot_once(topic);
    if (done || done.error().code != ErrorCode::conflict || attempt == snapshot_attempts_max) return done;
  }
}

Result<TableSnapshot> Snapshotter::snapshot_once(const TopicDescription& topic) {
  TRIPOS_ASSIGN(PinnedTable pinned, tables_.pin_rows(topic, PinnedRows::settled));
  TableSnapshot unchanged{.topic = topic, .manifest = *pinned.manifest};
  if (topic.compacted) {
    unchanged.outcome = SnapshotOutcome::compacted;
    return unchanged;
  }
  if (pinned.schema.kind() != json::TypeKind::structure) {
    unchanged.outcome = SnapshotOutcome::no_rows;
    return unchanged;
  }
  const bool moved = std::any_of(pinned.ranges.begin(), pinned.ranges.end(), [&pinned](const PartitionRange& range) {
    return range.end.offset > pinned.manifest->end_of(range.partition);
  });
  const bool deleted = pinned.files().size() < pinned.manifest->files.size();
  if (!moved && !deleted) return unchanged;
  return write(pinned);
}

Manifest Snapshotter::next_manifest(const PinnedTable& pinned) const {
  Manifest next = *pinned.manifest;
  ++next.version;
  next.topic_id = pinned.topic.id;
  next.topic = pinned.topic.name;
  next.created = now_();
  next.schema = schema_id(next, pinned.schema.text());
  return next;
}

Result<TableSnapshot> Snapshotter::write(const PinnedTable& pinned) {
  const ManifestStore& manifests = tables_.manifests();
  Manifest next = next_manifest(pinned);
  next.files.clear();  // those go of which all was deleted on request
  for (const TableFile& file : pinned.files()) next.files.push_back(*file.file);

  TRIPOS_ASSIGN(const auto pieces, this->pieces(pinned, next.schema));
  TRIPOS_TRY(manifests.store().make_directory(manifests.table_directory(pinned.topic.id)));
  TRIPOS_ASSIGN(const auto written, write_files(pieces));
  CHECK(written.size() == pieces.size());

  TableSnapshot snapshot{.topic = pinned.topic, .outcome = SnapshotOutcome::written, .manifest = {}};
  std::vector<store::Publication> publications;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const PartitionRange& range = pieces[i].order.range;
    const WrittenColumnFile& file = written[i];
    move_end(next, range, file.rejected_count);
    if (file.row_count == 0) {  // nothing but rejected values, tombstones and markers: the end moves, no file is needed
      TRIPOS_TRY(manifests.store().remove(pieces[i].order.path));
      continue;
    }
    TRIPOS_ASSIGN(const std::uint64_t size, manifests.store().size(pieces[i].order.path));
    TRIPOS_ASSIGN(const std::uint32_t checksum, manifests.store().checksum(pieces[i].order.path));
    next.files.push_back({.name = pieces[i].name,
                          .partition = range.partition,
                          .begin = range.begin,
                          .end = range.end.offset,
                          .row_count = file.row_count,
                          .rejected_count = file.rejected_count,
                          .tombstone_count = file.tombstone_count,
                          .lost_count = file.lost_count,
                          .size_bytes = size,
                          .crc32c = checksum,
                          .schema = next.schema});
    publications.push_back({.staged = pieces[i].order.path, .path = manifests.path(pinned.topic.id, pieces[i].name)});
    ++snapshot.new_files;
    snapshot.new_row_count += file.row_count;
    snapshot.new_bytes += size;
  }
  std::sort(next.partitions.begin(), next.partitions.end(), [](const auto& a, const auto& b) { return a.partition < b.partition; });
  std::sort(next.files.begin(), next.files.end(),
            [](const auto& a, const auto& b) { return std::tie(a.partition, a.begin) < std::tie(b.partition, b.begin); });
  TRIPOS_TRY(tables_.commit(pinned, next, publications));
  snapshot.manifest = std::move(next);
  return snapshot;
}

Result<std::vector<WrittenColumnFile>> Snapshotter::write_files(const std::vector<Piece>& pieces) {
  store::Store& store = tables_.manifests().store();
  std::vector<ColumnFileOrder> orders;
  for (const Piece& piece : pieces) {
    TRIPOS_TRY(store.remove(piece.order.path));
    orders.push_back(piece.order);
  }
  auto written = files_.write(orders);
  if (!written) {  // the disk may be full: don't let them wait for the next start
    for (const Piece& piece : pieces) (void)store.remove(piece.order.path);
  }
  return written;
}

Result<std::vector<Snapshotter::Piece>> Snapshotter::pieces(const PinnedTable& pinned, SchemaId schema) const {
  std::uint64_t sum = 0;
  for (const PartitionRange& range : pinned.ranges) sum += log_bytes(range);
  // One share for each worker, if that is worth it.
  const std::uint64_t share = sum / std::max<std::size_t>(files_.parallel(), 1) + 1;
  const std::uint64_t bytes_max = std::min(limits_.file_bytes_max, std::max(limits_.parallel_bytes_min, share));

  std::vector<Piece> pieces;
  for (const PartitionRange& range : pinned.ranges) {
    if (range.end.offset <= range.begin) continue;
    TRIPOS_ASSIGN(auto parts, cut_range(range, bytes_max));
    for (PartitionRange& part : parts) {
      Piece piece;
      piece.name = parquet_name(pinned.topic.id, part.partition, part.begin, part.end.offset, schema);
      piece.order = {.topic = pinned.topic,
                     .schema = pinned.schema,
                     .range = std::move(part),
                     .path = tables_.manifests().staging_path(pinned.topic.id, piece.name),
                     .footer = {}};
      const PartitionRange& cut = piece.order.range;
      piece.order.footer = {{"tripos.topic", pinned.topic.name},
                            {"tripos.topic_id", pinned.topic.id.text()},
                            {"tripos.partition", fmt::format("{}", cut.partition)},
                            {"tripos.begin", fmt::format("{}", cut.begin)},
                            {"tripos.end", fmt::format("{}", cut.end.offset)},
                            {"tripos.schema_id", fmt::format("{}", schema)},
                            {"tripos.schema", pinned.schema.text()}};
      pieces.push_back(std::move(piece));
    }
  }
  return pieces;
}

Result<std::vector<PartitionRange>> cut_range(const PartitionRange& range, std::uint64_t bytes_max) {
  if (log_bytes(range) <= bytes_max) return std::vector{range};
  std::vector<PartitionRange> parts;
  const auto part_from = [&range](Offset begin) {
    return PartitionRange{.partition = range.partition,
                          .begin = begin,
                          .end = range.end,
                          .slices = {},
                          .aborted = range.aborted,
                          .withheld = {},
                          .deleted_below = range.deleted_below};
  };
  PartitionRange current = part_from(range.begin);
  std::uint64_t before = 0;  // bytes of log in `current`, up to the slice or batch that comes next
  std::size_t slice = 0;
  std::uint64_t slice_begin = 0;  // where the current part's piece of the slice starts
  const auto close_slice = [&](std::uint64_t end) {
    if (end <= slice_begin) return;
    LogSlice part = range.slices[slice];
    part.begin = slice_begin;
    part.end = end;
    current.slices.push_back(std::move(part));
  };
  slice_begin = range.slices.empty() ? 0 : range.slices.front().begin;
  std::uint64_t last_position = slice_begin;
  const auto take = [&](const RecordScan::BatchPlace& batch) {
    if (batch.slice != slice) {
      before += range.slices[slice].end - last_position;
      close_slice(range.slices[slice].end);
      slice = batch.slice;
      slice_begin = last_position = range.slices[slice].begin;
    }
    before += batch.position - last_position;
    last_position = batch.position;
    if (before < bytes_max || batch.base_offset <= current.begin || batch.base_offset >= range.end.offset) return;
    close_slice(batch.position);
    current.end = StableOffset{batch.base_offset};
    parts.push_back(std::exchange(current, part_from(batch.base_offset)));
    before = 0;
    slice_begin = batch.position;
  };
  TRIPOS_TRY(RecordScan::scan_headers(range, take));
  close_slice(range.slices[slice].end);
  parts.push_back(std::move(current));
  return parts;
}

}  // namespace tripos::lambda
