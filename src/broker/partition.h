// Partition: one partition of a topic, as requests see it: appends in order, once, durable before they are answered; transactions, and
// where the last stable offset is; waiting fetches.
// Owns its PartitionLog. A log that is damaged is refused (every request on it gets KAFKA_STORAGE_ERROR), the others serve on.
// Order: appends of one partition are written in the order of the calls, also those that wait for room below log::unsynced_bytes_max.
// What it remembers of producers is read at open() from the newest producer snapshot and the log behind it; a snapshot is written after
// each 64 MiB of records and at a clean stop, so that opening reads little.
// Threads: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/aborted_transactions.h"
#include "broker/environment.h"
#include "broker/kafka_error.h"
#include "broker/producer_state.h"
#include "broker/traffic.h"
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
  RecordBatchView batch;  // validated; or a transaction's marker
  std::int64_t log_append_time_ms = -1;
  log::Urgency urgency = log::Urgency::now;
};

struct PartitionOptions {
  log::LogOptions log;
  std::chrono::milliseconds producer_id_expiration = std::chrono::hours(24);  // producer.id.expiration.ms
  std::uint64_t snapshot_bytes = 64u << 20;
  // Whether the producer's transaction has ended and is not released yet, because its markers are not in all of its partitions.
  // Whether the producer's transaction that begins at `first` here is being completed.
  std::function<bool(ProducerId, PartitionId, Offset first)> is_completing = [](ProducerId, PartitionId, Offset) { return false; };
};

// Who asks to see what (Fetch, ListOffsets).
enum class IsolationLevel : std::int8_t { read_uncommitted = 0, read_committed = 1 };

// Somebody who waits for records.
class PartitionWatcher {
 public:
  enum class Next : std::int8_t { wait, done };
  virtual ~PartitionWatcher() = default;
  // The durable end or the last stable offset has moved, or the partition goes away. Whether to be told of the next move too.
  virtual Next partition_moved() = 0;
};

class Partition {
 public:
  Partition(const Environment& environment, log::GroupCommit& commit, TopicPartition id, std::string directory, PartitionOptions options);
  ~Partition();
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  [[nodiscard]] const TopicPartition& id() const noexcept { return id_; }

  // Opens and recovers the log, unless it is open. Blocks: at start, and for a partition's first use.
  [[nodiscard]] Outcome<> open();
  // From now on; of what is written already nothing changes. The offset floor stays what it was given at first.
  void set_options(PartitionOptions options);
  // Its open log; nothing after open() refused.
  [[nodiscard]] log::PartitionLog* log() noexcept { return log_.get(); }
  [[nodiscard]] const log::PartitionLog* log() const noexcept { return log_.get(); }

  // open() has found damage: the partition is not served.
  [[nodiscard]] bool is_refused() const noexcept { return refused_.has_value(); }

  // open() has succeeded. `done` runs when the batch (or, for a duplicate, its original) is durable, or at once with a refusal.
  void append(const AppendRequest& request, AppendDone done);

  // open() has succeeded.
  [[nodiscard]] Offset start_offset() const noexcept { return log_->start_offset(); }
  // The high watermark: what is durable, open and aborted transactions included.
  [[nodiscard]] DurableEnd durable_end() const noexcept { return log_->durable_end(); }
  // The last stable offset: below it every transaction has ended and is released.
  [[nodiscard]] StableOffset stable_offset() const noexcept;
  [[nodiscard]] log::VisibleEnd visible_end(IsolationLevel isolation) const noexcept;
  // The aborted transactions that reach into [from, end).
  [[nodiscard]] std::vector<AbortedTransaction> aborted(Offset from, Offset end) const { return aborted_.overlapping(from, end); }
  [[nodiscard]] const ProducerStates& producers() const noexcept { return producers_; }

  [[nodiscard]] const Traffic& traffic() const noexcept { return traffic_; }
  // A fetch is answered with so many bytes of this partition.
  void count_bytes_out(std::uint64_t bytes) noexcept { traffic_.bytes_out += bytes; }

  // The marker of the producer's transaction is durable, here and wherever else it belongs: the stable offset may pass it. Who calls this
  // for all partitions of a transaction calls notify_watchers() of them afterwards, so that nobody looks between two of them.
  std::optional<ReleasedTransaction> release_transaction(ProducerId producer_id) { return producers_.release(producer_id); }

  // Raises the log's start to `offset`, at most the durable end; `done` once that is durable, after what is known of the producers of the
  // records that go.
  void advance_start(Offset offset, log::Trim trim, std::function<void(const Outcome<>&)> done);

  // `done` once what is known of producers can be told without the log's records below `offset`. Never runs if the partition goes before.
  void save_producers(Offset offset, std::function<void(const Result<>&)> done);
  // Compaction has dropped the markers that stood at these offsets, after all that belonged to their transactions.
  void forget_aborted(const std::vector<Offset>& markers);

  // Everything is durable, and nothing is appended any more: writes a snapshot, unless there is one of this state already.
  void write_final_snapshot();

  // Tells `watcher` of every move, until it is done or gone.
  void watch(const std::shared_ptr<PartitionWatcher>& watcher);
  // How many are to be told; some may be gone.
  [[nodiscard]] std::size_t watcher_count() const noexcept { return watchers_.size(); }
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

  [[nodiscard]] Result<> recover_producers();
  // From the newest snapshot that is whole; where the log must be read from.
  [[nodiscard]] Result<Offset> read_snapshot();
  [[nodiscard]] Result<> replay(const log::BatchHeader& header, const LeasedFile& file, std::int64_t now_ms);
  [[nodiscard]] Result<> repair_transaction_indexes();
  void record_marker(const TransactionMarker& marker, Offset offset, std::int64_t now_ms);
  void write_index_entry(const AbortedEntry& entry);
  void snapshot_sometimes(std::uint64_t appended_bytes, WrittenEnd end);
  void write_snapshot(Offset offset, Buffer snapshot, std::function<void(const Result<>&)> done = {});
  // An older snapshot may tell of aborted transactions of which compaction has dropped everything since.
  [[nodiscard]] Result<> forget_aborted_without_marker();
  void wait_until_durable(Offset end, AppendResult result, AppendDone done);
  void append_now(const AppendRequest& request, AppendDone done);
  // Nothing: append it. Else the answer was given, or will be.
  [[nodiscard]] bool is_answered(const AppendRequest& request, AppendDone& done);
  void append_held();
  // Tells the operator once that the disk refuses records, and once that it takes them again.
  void tell_of_append(const Result<>& appended);
  void durable_moved(DurableEnd end);

  const Environment& environment_;
  log::GroupCommit& commit_;
  TopicPartition id_;
  std::string directory_;
  PartitionOptions options_;
  std::unique_ptr<log::PartitionLog> log_;
  std::optional<KafkaError> refused_;  // open() found damage
  ProducerStates producers_;
  AbortedTransactions aborted_;
  Traffic traffic_;
  std::uint64_t bytes_since_snapshot_ = 0;
  bool append_failed_ = false;    // the last one, by the disk
  Offset snapshot_offset_{0};     // of the newest one that is durable
  std::vector<Waiting> waiting_;  // by end
  std::list<Held> held_;          // in order; what a session may have under way bounds it
  std::vector<std::weak_ptr<PartitionWatcher>> watchers_;
  std::size_t watchers_prune_at_ = 16;
  std::shared_ptr<Partition*> alive_ = std::make_shared<Partition*>(this);  // for closures that may outlive this
};

}  // namespace tripos::broker
