#include "broker/retention.h"

#include <utility>

#include "broker/topics.h"
#include "broker/trimming.h"

namespace tripos::broker {

namespace {
constexpr std::size_t under_way_max = 8;
}

Offset retained_from(std::span<const log::PartitionLog::SegmentInfo> segments, const RetentionLimits& limits, Offset start,
                     Offset next_offset, std::int64_t now_ms) noexcept {
  const auto can_go = [next_offset](const auto& segment) {
    return segment.size_bytes > 0 && (!segment.active || segment.end_offset == next_offset);
  };
  Offset from = start;
  while (limits.ms >= 0 && !segments.empty() && can_go(segments.front())) {
    const auto& oldest = segments.front();
    const bool is_old = oldest.max_timestamp_ms >= 0 && oldest.max_timestamp_ms < now_ms && now_ms - oldest.max_timestamp_ms > limits.ms;
    if (!is_old) break;
    from = oldest.end_offset;
    segments = segments.subspan(1);
  }
  if (limits.bytes < 0) return std::max(start, from);
  std::uint64_t size = 0;
  for (const auto& segment : segments) size += segment.size_bytes;
  const auto bytes_max = static_cast<std::uint64_t>(limits.bytes);
  while (!segments.empty() && can_go(segments.front()) && size - segments.front().size_bytes >= bytes_max) {
    size -= segments.front().size_bytes;
    from = segments.front().end_offset;
    segments = segments.subspan(1);
  }
  return std::max(start, from);
}

Retention::Retention(Broker& broker) : broker_(broker) { check_later(); }

Retention::~Retention() {
  *alive_ = false;
  broker_.environment().executor.cancel(timer_);
}

void Retention::check_later() {
  const std::chrono::milliseconds interval(broker_.config().integer("log.retention.check.interval.ms"));
  timer_ = broker_.environment().executor.post_after(interval, [this] {
    check();
    check_later();
  });
}

void Retention::check() {
  refused_.clear();
  check_all();
}

void Retention::check_all() {
  if (broker_.stopping()) return;
  more_ = false;
  const std::int64_t now_ms = broker_.environment().clock.wall().time_since_epoch().count();
  for (Topic* const topic : broker_.topics().all()) {
    if (!topic->config.deleted_by_retention || topic->internal) continue;
    for (const auto& partition : topic->partitions) {
      if (partition != nullptr && partition->log() != nullptr) check(*topic, *partition, now_ms);
    }
  }
}

void Retention::check(Topic& topic, Partition& partition, std::int64_t now_ms) {
  const RetentionLimits limits{.ms = topic.config.retention_ms, .bytes = topic.config.retention_bytes};
  if (limits.ms < 0 && limits.bytes < 0) return;
  const auto warn = [this, name = topic.name(), number = partition.id().partition](std::string_view why) {
    broker_.environment().warn(fmt::format("old records stay in partition {}-{} until the next check: {}", name, number, why));
  };
  const auto segments = partition.log()->segments();
  if (!segments) return warn(segments.error().message);
  const Offset start = partition.start_offset();
  const Offset from = retained_from(*segments, limits, start, partition.log()->next_offset(), now_ms);
  if (from <= start || refused_.contains(partition.id()) || under_way_.contains(partition.id())) return;
  more_ = under_way_.size() >= under_way_max;
  if (more_) return;
  under_way_.insert(partition.id());
  broker_.trimming().trim({.partition = partition.id(), .end = from, .trim = log::Trim::retention},
                          [this, alive = alive_, id = partition.id(), warn](const Outcome<Offset>& trimmed) {
                            if (!*alive) return;
                            under_way_.erase(id);
                            if (!trimmed && broker_.topics().partition(id)) {
                              refused_.insert(id);
                              warn(trimmed.error().message);
                            }
                            if (!std::exchange(more_, false)) return;
                            broker_.environment().executor.post([this, alive] {
                              if (*alive) check_all();
                            });
                          });
}

}  // namespace tripos::broker
