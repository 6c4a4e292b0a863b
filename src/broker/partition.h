// Partition: one partition of a topic, as requests see it: appends in order, once, durable before they are answered; waiting fetches.
// Owns its PartitionLog. A log that is damaged is refused (every request on it gets KAFKA_STORAGE_ERROR), the others serve on.
// Order: appends of one partition are written in the order of the calls, also those that wait for room below log::unsynced_bytes_max.
// Threads: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/environment.h"
#include "broker/kafka_error.h"
#include "broker/producer_state.h"
#include "log/partition_log.h"
#include "model/ends.h"
#include "model/ids.h"
#include "model/record_batch.h"

namespace tripos::broker {

struct AppendResult {
  Offset base_offset{-1};
  std::int64_t log_append_time_ms = -1;  // -1: records bear their creation time
  Offset log_start_offset{0};
};
using AppendDone = std::function<void(Outcome<AppendResult>)>;

struct AppendRequest {
  RecordBatchView batch;  // validated
  std::int64_t log_append_time_ms = -1;
  log::Urgency urgency = log::Urgency::now;
};

// Somebody who waits for records.
class PartitionWatcher {
 public:
  virtual ~PartitionWatcher() = default;
  // The durable end has moved, or the partition goes away.
  virtual void partition_moved() = 0;
};

class Partition {
 public:
  Partition(const Environment& environment, log::GroupCommit& commit, TopicPartition id, std::string directory, log::LogOptions options);
  ~Partition();
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  [[nodiscard]] const TopicPartition& id() const noexcept { return id_; }

  // Opens and recovers the log, unless it is open. Blocks: at start, and for a partition's first use.
  [[nodiscard]] Outcome<> open();
  // Its open log; nothing after open() refused.
  [[nodiscard]] log::PartitionLog* log() noexcept { return log_.get(); }
  [[nodiscard]] const log::PartitionLog* log() const noexcept { return log_.get(); }

  // open() has succeeded. `done` runs when the batch (or, for a duplicate, its original) is durable, or at once with a refusal.
  void append(const AppendRequest& request, AppendDone done);

  // open() has succeeded.
  [[nodiscard]] Offset start_offset() const noexcept { return log_->start_offset(); }
  // What everybody sees: the last stable offset, which is the durable end as long as there are no transactions.
  [[nodiscard]] StableOffset stable_offset() const noexcept { return StableOffset{log_->durable_end().offset}; }

  // Tells `watcher` of the next move; once.
  void watch(const std::shared_ptr<PartitionWatcher>& watcher);
  void notify_watchers();

  // The topic is deleted: refuses all that waits. The object follows soon.
  void close();

 private:
  struct Waiting {  // for durability
    Offset end;
    AppendResult result;
    AppendDone done;
  };
  struct Held {  // for room
    Buffer batch;
    std::int64_t log_append_time_ms;
    log::Urgency urgency;
    AppendDone done;
  };

  [[nodiscard]] Outcome<> recover_producers();
  void wait_until_durable(Offset end, AppendResult result, AppendDone done);
  void append_now(const AppendRequest& request, AppendDone done);
  void append_held();
  void durable_moved(DurableEnd end);

  const Environment& environment_;
  log::GroupCommit& commit_;
  TopicPartition id_;
  std::string directory_;
  log::LogOptions options_;
  std::unique_ptr<log::PartitionLog> log_;
  std::optional<KafkaError> refused_;  // open() found damage
  ProducerStates producers_;
  bool producers_known_ = false;  // read from the log when the first of them comes
  std::vector<Waiting> waiting_;  // by end
  std::list<Held> held_;          // in order; what a session may have under way bounds it
  std::vector<std::weak_ptr<PartitionWatcher>> watchers_;
  std::size_t watchers_prune_at_ = 16;
};

}  // namespace tripos::broker
