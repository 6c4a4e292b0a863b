// The checker of pins: what a pin holds, read from its files and its log ranges, must be each row below its ends, once.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "json/reader.h"
#include "lambda/plain_column_files.h"
#include "lambda/tables.h"

namespace tripos::lambda {

using PartitionRows = std::vector<PlainRow>;

// As a table's rows are read: without what is withheld.
inline PartitionRange shown(PartitionRange range) {
  range.aborted = range.left_out();
  return range;
}

// batch: the files that count.  live: the log's ranges.
inline Result<PartitionRows> rows_of(std::span<const TableFile> files, const std::vector<PartitionRange>& ranges, const TopicId& topic,
                                     PartitionId partition, const PlainColumnFiles& columns, const ManifestStore& manifests) {
  PartitionRows rows;
  for (const auto& [file, begin] : files) {
    if (file->partition != partition) continue;
    TRIPOS_ASSIGN(const auto from_file, columns.read(manifests.path(topic, file->name)));
    if (static_cast<std::int64_t>(from_file.size()) != file->row_count) return fail(ErrorCode::corrupt, "{} has other rows", file->name);
    std::copy_if(from_file.begin(), from_file.end(), std::back_inserter(rows),
                 [first = begin](const PlainRow& row) { return row.offset >= first; });
  }
  json::Reader reader;
  RecordScan scan;
  for (const PartitionRange& range : ranges) {
    if (range.partition != partition) continue;
    TRIPOS_TRY(scan.scan(shown(range), [&](const Record& record) {
      if (reader.check(record.value).is_row()) rows.push_back({.offset = record.offset, .value = Buffer(*record.value)});
    }));
  }
  return rows;
}

// Recomputed from zero: the rows of [0, end) straight from the log.
inline Result<PartitionRows> recompute(RecordSource& source, const TopicId& topic, PartitionId partition, StableOffset end) {
  const RangeRequest request{.partition = {.topic = topic, .partition = partition}, .begin = Offset(0)};
  TRIPOS_ASSIGN(auto ranges, source.ranges({&request, 1}));
  ranges.front().end = end;
  PartitionRows rows;
  json::Reader reader;
  RecordScan scan;
  TRIPOS_TRY(scan.scan(shown(ranges.front()), [&](const Record& record) {
    if (reader.check(record.value).is_row()) rows.push_back({.offset = record.offset, .value = Buffer(*record.value)});
  }));
  return rows;
}

// What is wrong with a table that consists of these files and ranges; nothing: it is exact.
inline std::optional<std::string> wrong_with(std::span<const TableFile> files, const PinnedTable& pinned, RecordSource& source,
                                             const PlainColumnFiles& columns, const ManifestStore& manifests) {
  for (const PartitionRange& range : pinned.ranges) {
    const auto rows = rows_of(files, pinned.ranges, pinned.topic.id, range.partition, columns, manifests);
    if (!rows) return rows.error().message;
    const auto expected = recompute(source, pinned.topic.id, range.partition, range.end);
    if (!expected) return expected.error().message;
    if (*rows != *expected) {
      return fmt::format("partition {}: {} rows, {} if recomputed from zero up to {}", range.partition, rows->size(), expected->size(),
                         range.end.offset);
    }
  }
  return std::nullopt;
}

inline std::optional<std::string> wrong_with(const PinnedTable& pinned, RecordSource& source, const PlainColumnFiles& columns,
                                             const ManifestStore& manifests) {
  return wrong_with(pinned.files(), pinned, source, columns, manifests);
}

}  // namespace tripos::lambda
