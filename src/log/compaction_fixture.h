// CompactionFixture: a vocabulary for tests of compaction: keyed batches, transactions, runs of compaction.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "log/compaction.h"
#include "log/log_fixture.h"
#include "model/control_record.h"

namespace tripos::log {

using Keyed = std::pair<std::string, std::optional<std::string>>;

inline Buffer keyed_batch(const std::vector<Keyed>& records, const RecordBatchFields& fields = {}, std::int64_t time_ms = 1000) {
  RecordBatchBuilder builder;
  for (const auto& [key, value] : records) {
    builder.add(WallTime(std::chrono::milliseconds(time_ms)), Bytes(key), value ? std::optional<Bytes>(*value) : std::nullopt,
                {{.key = "header", .value = Bytes(key)}});
  }
  return builder.finish(fields);
}

inline RecordBatchFields transactional_fields(std::int64_t producer) {
  RecordBatchFields fields;
  fields.producer_id = ProducerId(producer);
  fields.producer_epoch = ProducerEpoch(0);
  fields.base_sequence = Sequence(0);
  fields.transactional = true;
  return fields;
}

// A whole run, as the broker makes it, but in one go; `files` may be another view of the log's own disk.
inline Result<> run_compaction(PartitionLog& log, io::FileSystem& files, io::SimLoop& loop, Offset end,
                               std::span<const AbortedTransaction> aborted, const CompactionOptions& options, std::int64_t now_ms) {
  TRIPOS_ASSIGN(auto segments, log.closed_segments(end));
  if (segments.empty()) return {};
  Compaction compaction(files, log.directory(), std::move(segments), log.start_offset(), log.compacted_below(), aborted, options, now_ms);
  Result<> result;
  const auto told = [&result](const Result<>& done) { result = done; };
  while (true) {
    TRIPOS_ASSIGN(const Compaction::State state, compaction.step());
    if (state == Compaction::State::done) break;
    if (state != Compaction::State::ready) continue;
    result = fail(ErrorCode::cancelled, "nobody has answered");
    log.replace(compaction.cleaned(), told);
    loop.run();
    TRIPOS_TRY(result);
  }
  result = fail(ErrorCode::cancelled, "nobody has answered");
  log.set_compacted_below(compaction.compacted_below(), told);
  loop.run();
  return result;
}

// A record as it stands in the log.
struct Standing {
  Offset offset;
  std::string key;
  std::optional<std::string> value;
  std::int64_t timestamp_ms = 0;
  std::size_t header_count = 0;
  friend bool operator==(const Standing&, const Standing&) = default;
};

// All of a log, batch by batch: records of data batches to `take`, control batches to `take_marker`.
template <typename Take, typename TakeMarker>
Result<> for_each_standing(PartitionLog& log, const Take& take, const TakeMarker& take_marker) {
  return log.for_each_batch(log.start_offset(), log.durable_end(), [&](const RecordBatchView& batch) -> Result<> {
    if (batch.is_control()) {
      take_marker(batch);
      return {};
    }
    RecordReader reader(1u << 20);
    TRIPOS_TRY(reader.start(batch));
    while (true) {
      TRIPOS_ASSIGN(const Record* const record, reader.next());
      if (record == nullptr) return {};
      if (record->offset < log.start_offset()) continue;
      TRIPOS_ASSIGN(const auto headers, record->parse_headers());
      take(batch, Standing{.offset = record->offset,
                           .key = std::string(record->key.value_or("(none)")),
                           .value = record->value ? std::optional<std::string>(*record->value) : std::nullopt,
                           .timestamp_ms = record->timestamp_ms,
                           .header_count = headers.size()});
    }
  });
}

}  // namespace tripos::log
