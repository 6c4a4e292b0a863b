// Cleaner: compacts the logs of topics whose cleanup.policy has `compact`, one at a time, the one with the largest part that no compaction
// has seen first. Looks for work after each run, and each log.cleaner.backoff.ms.
//
//   guard -> producer snapshot -> Compaction (log/compaction.h), in steps -> each new segment put in place -> how far it went is durable
//
// The guard and the snapshot come first since records go: what tables and producers need of them is kept elsewhere by then. A run that
// fails changes nothing that is not whole; a log with a damaged batch is left alone until the next start.
// Threads: the loop's; steps run in the background.
#pragma once

#include <memory>
#include <optional>
#include <set>

#include "broker/broker.h"
#include "log/compaction.h"

namespace tripos::broker {

class Cleaner {
 public:
  explicit Cleaner(Broker& broker);
  ~Cleaner();
  Cleaner(const Cleaner&) = delete;
  Cleaner& operator=(const Cleaner&) = delete;

  // Looks for work now, unless there is some under way.
  void check();

 private:
  struct Run;

  void check_later();
  [[nodiscard]] std::optional<log::CompactionPlan> plan(Topic& topic, Partition& partition, std::int64_t now_ms) const;
  void start(const TopicPartition& id, const log::CompactionPlan& plan);
  void begin(const std::shared_ptr<Run>& run);
  void step(const std::shared_ptr<Run>& run);
  void stepped(const std::shared_ptr<Run>& run);
  // The run's partition, unless it is gone.
  [[nodiscard]] Partition* find(const Run& run) const;
  void end(const std::shared_ptr<Run>& run, const Result<>& result);
  // Goes on with `next` when it is told that all is well, else ends the run; also if the one who would tell it is gone.
  [[nodiscard]] std::function<void(const Result<>&)> then(const std::shared_ptr<Run>& run, std::function<void()> next);

  Broker& broker_;
  io::TimerId timer_ = io::no_timer;
  std::shared_ptr<Run> running_;
  std::set<TopicPartition> damaged_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tripos::broker
