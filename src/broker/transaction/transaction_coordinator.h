// TransactionCoordinator: the shell around the transactions' state machines (transaction.h). It performs effects: answers requests,
// appends to __transaction_state, writes markers, sets timers.
//
//   - A transition counts, and is answered, when its record is durable.
//   - Markers are written until every partition has one, however often that must be tried; then all partitions are released in one turn of
//     the loop, and EndTxn is answered (rules, 2.2).
//   - load() reads what is stored; complete_prepared() then writes the markers that a crash has left unwritten.
//
// Timers run on the monotonic clock; the wall clock stamps records, and ages ids that nobody uses (rules, 1.8).
// Threads: the loop's. Callbacks are called exactly once, during the call or later, unless the coordinator is destroyed before.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "broker/transaction/transaction.h"
#include "broker/transaction/transaction_ports.h"
#include "io/clock.h"
#include "io/executor.h"

namespace tripos::transactions {

struct TransactionSettings {
  std::chrono::milliseconds timeout_max = std::chrono::minutes(15);             // transaction.max.timeout.ms
  std::chrono::milliseconds id_expiration = std::chrono::hours(7 * 24);         // transactional.id.expiration.ms
  std::chrono::milliseconds expiration_check_interval = std::chrono::hours(1);  // …remove.expired.transaction.cleanup.interval.ms
  std::chrono::milliseconds marker_retry{100};                                  // after a marker could not be written
};

struct TransactionLoadReport {
  std::size_t transactions = 0;
  std::size_t skipped_records = 0;
  std::string first_broken;         // what is wrong with the first of them
  std::vector<std::string> unread;  // why partitions could not be read; what they hold is not served
};

class TransactionCoordinator {
 public:
  using ErrorCallback = std::function<void(wire::ErrorCode)>;
  using InitCallback = std::function<void(wire::ErrorCode, ProducerIdAndEpoch)>;

  TransactionCoordinator(const TransactionSettings& settings, std::unique_ptr<TransactionLog> log,
                         std::unique_ptr<TransactionPartitions> partitions, NextProducerId next_producer_id, io::Executor& executor,
                         const io::Clock& clock);
  ~TransactionCoordinator();
  TransactionCoordinator(const TransactionCoordinator&) = delete;
  TransactionCoordinator& operator=(const TransactionCoordinator&) = delete;

  // Once, before the first request, and before a partition that may bear a transaction is opened.
  [[nodiscard]] TransactionLoadReport load();
  // Begins to write the markers of all transactions whose end was decided. Done when completing_count() is 0.
  void complete_prepared();
  // Whether the transaction of this producer that begins at `first` in the partition is decided and not released yet. The producer's
  // earlier ones, which began below, are over; it may have one of those where the decided one has no records.
  [[nodiscard]] bool is_completing(ProducerId producer_id, const TopicPartitionName& partition, Offset first) const;
  [[nodiscard]] std::size_t completing_count() const noexcept { return completing_.size(); }

  void init_producer(const std::string& id, std::int32_t timeout_ms, std::optional<ProducerIdAndEpoch> expected, const InitCallback& done);
  void add_partitions(const std::string& id, ProducerIdAndEpoch producer, Partitions partitions, ErrorCallback done);
  void end(const std::string& id, ProducerIdAndEpoch producer, bool committed, ErrorCallback done);
  // Whether records of the producer may be written to the partition now, as a part of its transaction: NONE, or why not.
  [[nodiscard]] wire::ErrorCode verify(std::string_view id, const ProducerIdAndEpoch& producer, const TopicPartitionName& partition) const;

  // Forgets ids that nobody has used for transactional.id.expiration.ms; by itself each …interval.ms after load().
  void expire_ids();

  // ---- To look at. nullptr: there is no such id. Valid until the loop goes on.
  [[nodiscard]] const Transaction* find(std::string_view id) const;
  void for_each(const std::function<void(const std::string& id, const Transaction&)>& visit) const;
  // COORDINATOR_NOT_AVAILABLE: a partition that remembers some could not be read.
  [[nodiscard]] wire::ErrorCode check_all() const {
    return unread_partitions_.empty() ? wire::ErrorCode::none : wire::ErrorCode::coordinator_not_available;
  }
  [[nodiscard]] PartitionId partition_of(std::string_view id) const;
  // NONE, or why nothing is known of the id: it is empty, or its partition of __transaction_state could not be read.
  [[nodiscard]] wire::ErrorCode check_id(std::string_view id) const;

 private:
  struct Entry {
    std::uint64_t incarnation = 0;  // tells an entry from an earlier one of the same id
    Transaction transaction;
    std::size_t markers_left = 0;
    io::TimerId timer = io::no_timer;
    std::optional<MonotonicTime> timer_due;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  Entry* find_entry(std::string_view id, std::uint64_t incarnation);
  Entry& entry_of(const std::string& id);
  RequestId next_request() { return RequestId(++last_request_); }
  void perform(const std::string& id, Entry& entry, Event event);
  void perform(const std::string& id, std::uint64_t incarnation, Effect& effect);
  void store(const std::string& id, std::uint64_t incarnation, Store& effect);
  void write_markers(const std::string& id, std::uint64_t incarnation, const WriteMarkers& effect);
  void write_marker(const std::string& id, std::uint64_t incarnation, const TopicPartitionName& partition, const TransactionMarker& marker);
  void marker_written(const std::string& id, std::uint64_t incarnation);
  void set_timer(const std::string& id, Entry& entry);
  void schedule_expiry();
  [[nodiscard]] std::int64_t wall_ms() const { return clock_.wall().time_since_epoch().count(); }

  TransactionSettings settings_;
  std::unique_ptr<TransactionLog> log_;
  std::unique_ptr<TransactionPartitions> partitions_;
  NextProducerId next_producer_id_;
  io::Executor& executor_;
  const io::Clock& clock_;
  Entries entries_;
  struct Completing {
    Partitions partitions;
    std::optional<FirstOffsets> first_offsets;  // as stored, of those that a start found
  };
  std::unordered_map<ProducerId, Completing> completing_;
  std::unordered_set<std::int32_t> unread_partitions_;  // of __transaction_state
  std::map<RequestId, InitCallback> inits_;
  std::map<RequestId, ErrorCallback> plain_;
  std::uint64_t last_request_ = 0;
  std::uint64_t last_incarnation_ = 0;
  io::TimerId expiry_timer_ = io::no_timer;
  std::shared_ptr<TransactionCoordinator*> alive_;  // what appends hold on to: empty once this is gone
};

}  // namespace tripos::transactions
