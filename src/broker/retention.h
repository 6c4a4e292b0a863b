// Retention: what is old leaves the logs of topics whose cleanup.policy has `delete`: by time (retention.ms), by size (retention.bytes).
// Looked after each log.retention.check.interval.ms. How records leave: trimming.h.
// Threads: the loop's.
#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <span>

#include "broker/broker.h"
#include "log/partition_log.h"

namespace tripos::broker {

struct RetentionLimits {
  std::int64_t ms = -1;     // -1: for ever
  std::int64_t bytes = -1;  // -1: any size
};

// Where a log of these segments (oldest first) should start, as Kafka decides it: a segment goes as a whole, once its largest timestamp is
// older than the limit, or once the segments behind it hold as many bytes as the limit allows. The active segment may go, too, if all of it
// is durable up to `next_offset`. Records without timestamps (-1) do not age. `start`: nothing goes.
[[nodiscard]] Offset retained_from(std::span<const log::PartitionLog::SegmentInfo> segments, const RetentionLimits& limits, Offset start,
                                   Offset next_offset, std::int64_t now_ms) noexcept;

class Retention {
 public:
  explicit Retention(Broker& broker);
  ~Retention();
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

  // Looks at all partitions now.
  void check();

 private:
  void check_later();
  void check_all();
  void check(Topic& topic, Partition& partition, std::int64_t now_ms);

  Broker& broker_;
  io::TimerId timer_ = io::no_timer;
  std::set<TopicPartition> under_way_;  // a few at a time: what guards them is work
  std::set<TopicPartition> refused_;    // since the last check: not asked again before the next
  bool more_ = false;                   // than a few
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tripos::broker
