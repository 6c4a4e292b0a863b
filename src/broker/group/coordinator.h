// GroupCoordinator: the shell around the groups' state machines (group.h) and their committed offsets. It performs effects: answers
// requests, appends to __consumer_offsets, sets timers.
//
//   - A commit, a deletion: answered when its records are durable; what a fetch of offsets shows is durable (rules, 1.6).
//   - An assignment: handed out when it is durable, so that a restart finds the group as its members know it.
//   - Everything is rebuilt from the topic by load(): the last value of a key counts, a tombstone removes it.
//
// Timers run on the monotonic clock; the wall clock stamps commits and states, and ages offsets (rules, 1.8).
// Threads: the loop's. Callbacks are called exactly once, during the call or later, unless the coordinator is destroyed before.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/uuid.h"
#include "broker/group/committed_offsets.h"
#include "broker/group/group.h"
#include "broker/group/offsets_topic.h"
#include "io/clock.h"
#include "io/executor.h"

namespace tripos::groups {

struct CoordinatorSettings {
  GroupSettings group;
  milliseconds session_timeout_min{6000};                                    // group.min.session.timeout.ms
  milliseconds session_timeout_max{1800000};                                 // group.max.session.timeout.ms
  milliseconds offsets_retention = std::chrono::hours(7 * 24);               // offsets.retention.minutes
  milliseconds offsets_retention_check_interval = std::chrono::minutes(10);  // offsets.retention.check.interval.ms
};

struct LoadReport {
  std::size_t groups = 0;
  std::size_t offsets = 0;
  std::size_t skipped_records = 0;  // of a kind that is not ours, or broken
  std::string first_broken;         // what is wrong with the first broken one
  std::vector<std::string> unread;  // why partitions of the topic could not be read; their groups are not served
};

class GroupCoordinator {
 public:
  using ErrorCallback = std::function<void(wire::ErrorCode)>;
  using JoinCallback = std::function<void(const JoinAnswer&)>;
  using SyncCallback = std::function<void(const SyncAnswer&)>;
  using LeaveCallback = std::function<void(const LeaveAnswer&)>;

  GroupCoordinator(const CoordinatorSettings& settings, std::unique_ptr<OffsetsTopic> topic, io::Executor& executor,
                   const io::Clock& clock);
  ~GroupCoordinator();
  GroupCoordinator(const GroupCoordinator&) = delete;
  GroupCoordinator& operator=(const GroupCoordinator&) = delete;

  // Once, before the first request. Offsets of topics that `topic_exists` denies are removed: their deletion was cut short.
  [[nodiscard]] LoadReport load(const std::function<bool(std::string_view)>& topic_exists);

  // ---- Membership. `request` is filled in here, as is a new member's id.
  void join(const std::string& group_id, Join event, JoinCallback done);
  void sync(const std::string& group_id, Sync event, SyncCallback done);
  void heartbeat(const std::string& group_id, Heartbeat event, ErrorCallback done);
  void leave(const std::string& group_id, Leave event, LeaveCallback done);

  // ---- Offsets.
  struct NewOffset {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = -1;
    std::int32_t leader_epoch = -1;
    std::string metadata;
  };
  // All or none. `retention`: a life time of their own.
  void commit(const std::string& group_id, Commit event, std::vector<NewOffset> offsets, std::optional<milliseconds> retention,
              ErrorCallback done);
  // As a part of the producer's transaction: they show when that is committed. The caller has verified that it is open.
  void commit_in_transaction(const std::string& group_id, Commit event, std::vector<NewOffset> offsets, TransactionalProducer producer,
                             ErrorCallback done);
  // The producer's transaction has ended in this partition of __consumer_offsets, durably.
  void end_transaction(ProducerId producer, PartitionId partition, bool committed);
  // Nothing committed: nullptr. Valid until the loop goes on.
  [[nodiscard]] const CommittedOffsets* find_offsets(std::string_view group_id) const;
  // For each position, whether it could be deleted (a topic that is in use can't).
  using DeleteOffsetsCallback = std::function<void(wire::ErrorCode, const std::vector<wire::ErrorCode>&)>;
  void delete_offsets(const std::string& group_id, std::vector<CommittedOffsets::Position> positions, DeleteOffsetsCallback done);
  void delete_group(const std::string& group_id, ErrorCallback done);
  // A topic was deleted: what was committed for it must not be taken for a later topic's of the same name.
  void forget_topic(std::string_view topic);
  // Removes what has outlived its retention; by itself each offsets.retention.check.interval.ms after load().
  void expire_offsets();

  // ---- To look at. nullptr: there is no such group. Valid until the loop goes on.
  [[nodiscard]] const Group* find(std::string_view group_id) const;
  void for_each_group(const std::function<void(const Group&)>& visit) const;
  // NONE, or COORDINATOR_NOT_AVAILABLE: the partition that remembers the group could not be read. Requests of such a group are refused.
  [[nodiscard]] wire::ErrorCode check_group(std::string_view group_id) const;
  // The same of all groups: whether there may be some that nobody knows of.
  [[nodiscard]] wire::ErrorCode check_all() const {
    return unread_partitions_.empty() ? wire::ErrorCode::none : wire::ErrorCode::coordinator_not_available;
  }
  [[nodiscard]] PartitionId partition_of(std::string_view group_id) const;

 private:
  struct Entry {
    Entry(std::uint64_t number, Group group_of_entry) : incarnation(number), group(std::move(group_of_entry)) {}
    std::uint64_t incarnation;  // tells a group from an earlier one of the same name
    Group group;
    CommittedOffsets offsets;
    State state_seen = State::empty;
    std::int64_t state_timestamp_ms = -1;
    io::TimerId timer;
    std::optional<MonotonicTime> timer_due;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  Entry* find_entry(std::string_view group_id);
  Entry* find_entry(std::string_view group_id, std::uint64_t incarnation);
  Entry& entry_of(const std::string& group_id);  // created if there is none
  void add_entry(const std::string& group_id, Group&& group);
  void erase_entry(const std::string& group_id);

  RequestId next_request() { return RequestId(++last_request_); }
  void perform(const std::string& group_id, Entry& entry, Event event);
  void perform(const std::string& group_id, std::uint64_t incarnation, Effect& effect);
  void store(const std::string& group_id, std::uint64_t incarnation, Store& effect);
  void set_timer(const std::string& group_id, Entry& entry);
  // The answer of an event that is answered at once.
  wire::ErrorCode ask(const std::string& group_id, Entry& entry, Event event, RequestId request);
  // What a commit of these offsets appends, and what it then shows.
  struct Commitment {
    std::vector<OffsetsTopicRecord> records;
    std::vector<std::pair<CommittedOffsets::Position, CommittedOffset>> offsets;
  };
  [[nodiscard]] Commitment begin_commit(const std::string& group_id, Entry& entry, std::vector<NewOffset> offsets,
                                        std::optional<milliseconds> retention);
  // The group's entry, if it takes the commit. Else `done` was told.
  [[nodiscard]] Entry* accept_commit(const std::string& group_id, Commit event, const ErrorCallback& done);
  void append_commit(const std::string& group_id, Entry& entry, Commitment commitment, std::optional<TransactionalProducer> producer,
                     ErrorCallback done);
  void erase_offsets(const std::string& group_id, Entry& entry, std::vector<CommittedOffsets::Position> positions, ErrorCallback done);
  void remove_if_unused(const std::string& group_id);
  void remove_group(const std::string& group_id, Entry& entry, ErrorCallback done);
  void schedule_expiry();
  [[nodiscard]] wire::ErrorCode unknown_group_error(const std::string& group_id) const;
  static wire::ErrorCode store_error(wire::ErrorCode error);
  [[nodiscard]] std::int64_t wall_ms() const { return clock_.wall().time_since_epoch().count(); }

  CoordinatorSettings settings_;
  std::unique_ptr<OffsetsTopic> topic_;
  io::Executor& executor_;
  const io::Clock& clock_;
  Entries entries_;
  std::map<RequestId, JoinCallback> joins_;
  std::map<RequestId, SyncCallback> syncs_;
  std::map<RequestId, LeaveCallback> leaves_;
  std::map<RequestId, ErrorCallback> plain_;
  std::uint64_t last_request_ = 0;
  std::uint64_t last_incarnation_ = 0;
  std::uint64_t last_order_ = 0;              // of what was committed
  std::set<std::int32_t> unread_partitions_;  // of __consumer_offsets: damaged; their groups are not served
  io::TimerId expiry_timer_;
  std::shared_ptr<GroupCoordinator*> alive_;  // what appends hold on to: empty once this is gone
};

// A new member's id: who it says it is, and something that no other has.
[[nodiscard]] std::string make_member_id(std::string_view client_or_instance_id, const Uuid& unique);

}  // namespace tripos::groups
