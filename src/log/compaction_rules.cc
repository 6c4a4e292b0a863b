#include "log/compaction_rules.h"

#include <algorithm>

namespace tripos::log {

std::optional<CompactionPlan> plan_compaction(std::span<const PartitionLog::SegmentInfo> segments, Offset compacted_below, Offset stable,
                                              const CompactionPolicy& policy, std::int64_t now_ms) noexcept {
  if (segments.empty()) return std::nullopt;
  CompactionPlan plan{.dirty_from = std::max(compacted_below, segments.front().base_offset), .end = segments.front().base_offset};
  for (const auto& segment : segments) {
    // A clock that was set back makes a record young, never old.
    const bool young = policy.lag_min_ms > 0 && segment.max_timestamp_ms > now_ms - std::min(policy.lag_min_ms, now_ms);
    if (segment.active || segment.end_offset > stable || young) break;
    plan.end = segment.end_offset;
    (segment.end_offset <= plan.dirty_from ? plan.clean_bytes : plan.dirty_bytes) += segment.size_bytes;
  }
  if (plan.dirty_bytes == 0) return std::nullopt;
  return plan;
}

bool is_due(const CompactionPlan& plan, const CompactionPolicy& policy, std::int64_t first_dirty_timestamp_ms,
            std::int64_t now_ms) noexcept {
  const bool overdue =
      first_dirty_timestamp_ms >= 0 && first_dirty_timestamp_ms < now_ms && now_ms - first_dirty_timestamp_ms > policy.lag_max_ms;
  return overdue || plan.dirty_ratio() > policy.dirty_ratio_min;
}

}  // namespace tripos::log
