// What compaction keeps: the rules, pure. Kafka's (KIP-58, KIP-354, KIP-534), on whole segments below the active one.
//
// A record is kept if it is the last of its key among the committed ones of the mapped range, and, where it is a tombstone, as long as
// its batch's delete horizon lies ahead. Aborted records, and records without a key, are not kept.
//
// CompactedTransactions, for each producer, over the batches of the log in order:
//
//   state         event                       becomes        what happens
//   without data  data of a transaction       with data      aborted: dropped; else its records are judged one by one
//   with data     data of a transaction       with data      the same
//   with data     marker                      without data   kept as it is: some of its records may still stand in the log
//   without data  marker, no delete horizon   without data   kept, with a horizon: from now on nothing needs it
//   without data  marker, horizon ahead       without data   kept
//   without data  marker, horizon passed      without data   dropped
//
// So a marker outlives all data of its transaction by at least one run of compaction, and by delete.retention.ms.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_set>

#include "log/partition_log.h"
#include "model/ids.h"

namespace tripos::log {

struct CompactionPolicy {
  std::int64_t lag_min_ms = 0;           // min.compaction.lag.ms
  std::int64_t lag_max_ms = INT64_MAX;   // max.compaction.lag.ms
  double dirty_ratio_min = 0.5;          // min.cleanable.dirty.ratio
  std::int64_t delete_retention_ms = 0;  // delete.retention.ms
};

// What could be compacted now.
struct CompactionPlan {
  Offset dirty_from;  // the first record that no compaction has seen
  Offset end;         // of the last segment that may be compacted
  std::uint64_t clean_bytes = 0;
  std::uint64_t dirty_bytes = 0;
  [[nodiscard]] double dirty_ratio() const noexcept {
    return static_cast<double>(dirty_bytes) / static_cast<double>(clean_bytes + dirty_bytes);
  }
};

// Segments that are closed, durable, below the last stable offset, and whose newest record is older than lag_min_ms. Nothing: none of them
// has records that no compaction has seen.
[[nodiscard]] std::optional<CompactionPlan> plan_compaction(std::span<const PartitionLog::SegmentInfo> segments, Offset compacted_below,
                                                            Offset stable, const CompactionPolicy& policy, std::int64_t now_ms) noexcept;

// Whether it is time. `first_dirty_timestamp_ms`: of the first record that no compaction has seen; -1: unknown.
[[nodiscard]] bool is_due(const CompactionPlan& plan, const CompactionPolicy& policy, std::int64_t first_dirty_timestamp_ms,
                          std::int64_t now_ms) noexcept;

enum class MarkerFate { kept, gets_horizon, dropped };

class CompactedTransactions {
 public:
  void data(ProducerId producer) { with_data_.insert(producer); }
  [[nodiscard]] MarkerFate marker(ProducerId producer, std::optional<std::int64_t> horizon_ms, std::int64_t now_ms) {
    if (with_data_.erase(producer) > 0) return MarkerFate::kept;
    if (!horizon_ms) return MarkerFate::gets_horizon;
    return *horizon_ms <= now_ms ? MarkerFate::dropped : MarkerFate::kept;
  }

 private:
  std::unordered_set<ProducerId> with_data_;
};

}  // namespace tripos::log
