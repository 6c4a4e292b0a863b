// Group: Kafka's classic consumer group, as a pure state machine: step(event, now) → effects.
//
//   state                 meaning                                       leaves it when
//   empty                 no members; perhaps committed offsets         somebody joins → preparing_rebalance
//   preparing_rebalance   collects JoinGroup of all members             all have joined, or the rebalance timeout has passed
//                                                                       → completing_rebalance (nobody left: empty); generation + 1
//   completing_rebalance  has answered them; waits for the leader's     it is stored → stable;
//                         assignment (SyncGroup)                        membership or metadata changes → preparing_rebalance
//   stable                everybody has or can get an assignment        membership or metadata changes → preparing_rebalance
//   dead                  deleted                                       never
//
//   event       empty                  preparing_rebalance     completing_rebalance       stable
//   Join new    → preparing, waits     waits                   → preparing, waits         → preparing, waits
//   Join known  UNKNOWN_MEMBER_ID      waits                   same metadata: answered;   leader, other metadata: → preparing;
//                                                              else → preparing           else answered
//   Sync        UNKNOWN_MEMBER_ID      REBALANCE_IN_PROGRESS   waits for the leader's     its assignment
//   Heartbeat   UNKNOWN_MEMBER_ID      REBALANCE_IN_PROGRESS   NONE                       NONE
//   Commit      NONE without member    NONE                    REBALANCE_IN_PROGRESS      NONE
//   Leave       UNKNOWN_MEMBER_ID      removed                 removed → preparing        removed → preparing
//   silence     –                      as Leave, after the session timeout; a member that waits for our answer is excused
//
// The rebalance of an empty group waits for the initial delay, and again while members come, so that those who start together share it.
// A new dynamic member of JoinGroup v4 and later is first told its id (MEMBER_ID_REQUIRED), so that a retry does not become a second one.
// A static member (instance id) that comes back takes the place of its predecessor, who is told FENCED_INSTANCE_ID; a stable group does
// not rebalance for it.
//
// Invariants: the generation only grows; a generation has one leader; each request is answered once, and at the latest when the
// rebalance timeout (of a first rebalance: or the initial delay) has passed; deadlines act on TimePassed only, so that a late timer is
// never too early.
// Threads: one. Nothing here knows sockets, logs or clocks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/group/group_metadata.h"
#include "broker/group/member.h"
#include "broker/group/membership.h"
#include "wire/error_code.h"

namespace tripos::groups {

enum class State { empty, preparing_rebalance, completing_rebalance, stable, dead };
[[nodiscard]] std::string_view to_string(State state) noexcept;  // Kafka's names: "PreparingRebalance" …

struct GroupSettings {
  milliseconds initial_rebalance_delay{3000};                      // group.initial.rebalance.delay.ms
  std::size_t size_max = 2147483647;                               // group.max.size
  milliseconds new_member_join_timeout = std::chrono::minutes(5);  // Kafka's constant
};

using StoreId = StrongId<struct StoreIdTag, std::uint64_t>;  // of a request to store the group's metadata

// ---- Events: the requests, and what becomes of the effects.

struct Join {
  RequestId request;
  std::string member_id;      // empty: not known yet
  std::string new_member_id;  // which it gets if it is not known
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  milliseconds rebalance_timeout{};
  milliseconds session_timeout{};
  std::string protocol_type;
  std::vector<Protocol> protocols;
  bool must_know_its_id = false;     // JoinGroup v4 and later
  bool can_skip_assignment = false;  // JoinGroup v9 and later
};

struct Assignment {
  std::string member_id;
  Buffer assignment;
};

struct Sync {
  RequestId request;
  std::string member_id;
  std::optional<std::string> instance_id;
  std::int32_t generation = -1;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::vector<Assignment> assignments;  // the leader's
};

struct Heartbeat {
  RequestId request;
  std::string member_id;
  std::optional<std::string> instance_id;
  std::int32_t generation = -1;
};

struct LeavingMember {
  std::string member_id;  // empty: an operator removes a static member
  std::optional<std::string> instance_id;
};

struct Leave {
  RequestId request;
  std::vector<LeavingMember> members;
};

// May this member commit offsets? Without member and with generation -1: a consumer that assigns its partitions by itself, or an operator.
struct Commit {
  RequestId request;
  std::string member_id;
  std::optional<std::string> instance_id;
  std::int32_t generation = -1;
  bool transactional = false;  // TxnOffsetCommit
};

struct Delete {
  RequestId request;
};

struct Stored {
  StoreId store;
  wire::ErrorCode error = wire::ErrorCode::none;
};

struct TimePassed {};

using Event = std::variant<Join, Sync, Heartbeat, Leave, Commit, Delete, Stored, TimePassed>;

// ---- Effects: what the caller is to do, in order.

struct JoinedMember {
  std::string member_id;
  std::optional<std::string> instance_id;
  Buffer metadata;
};

struct JoinAnswer {
  RequestId request;
  wire::ErrorCode error = wire::ErrorCode::none;
  std::string member_id;
  std::int32_t generation = -1;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::string leader;
  bool skip_assignment = false;
  std::vector<JoinedMember> members;  // for the leader only
};

struct SyncAnswer {
  RequestId request;
  wire::ErrorCode error = wire::ErrorCode::none;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  Buffer assignment;
};

struct LeftMember {
  LeavingMember member;
  wire::ErrorCode error = wire::ErrorCode::none;
};

struct LeaveAnswer {
  RequestId request;
  wire::ErrorCode error = wire::ErrorCode::none;
  std::vector<LeftMember> members;
};

// To Heartbeat, Commit and Delete.
struct PlainAnswer {
  RequestId request;
  wire::ErrorCode error = wire::ErrorCode::none;
};

// Make this durable, then report Stored. Later ones replace earlier ones.
struct Store {
  StoreId store;
  GroupMetadata metadata;
};

using Effect = std::variant<JoinAnswer, SyncAnswer, LeaveAnswer, PlainAnswer, Store>;
using Effects = std::vector<Effect>;

class Group {
 public:
  Group(std::string id, const GroupSettings& settings);

  // As it was stored: stable if it had members (each may be silent for its session timeout from `now`), else empty.
  [[nodiscard]] static Group restore(std::string id, const GroupSettings& settings, GroupMetadata metadata, MonotonicTime now);

  [[nodiscard]] Effects step(Event event, MonotonicTime now);

  // When to send TimePassed. May be earlier than needed, never later. None: nothing is due.
  [[nodiscard]] std::optional<MonotonicTime> next_deadline() const noexcept { return next_deadline_; }

  [[nodiscard]] const std::string& id() const noexcept { return id_; }
  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] std::int32_t generation() const noexcept { return generation_; }
  [[nodiscard]] const std::optional<std::string>& protocol_type() const noexcept { return protocol_type_; }
  [[nodiscard]] const std::optional<std::string>& protocol_name() const noexcept { return protocol_name_; }
  [[nodiscard]] const Membership& members() const noexcept { return members_; }
  [[nodiscard]] bool has_pending_members() const noexcept { return !pending_.empty(); }

 private:
  // How long JoinGroups are collected.
  struct Rebalance {
    bool initial = false;  // of an empty group: always waits until the deadline, so that members that start together share one rebalance
    MonotonicTime deadline{};
    milliseconds extension{0};  // initial: how much longer it may yet become
    bool member_added = false;  // initial: somebody came since the deadline was set
  };
  struct Step;  // `now` and the effects so far

  // group_join.cc
  void handle(Step& step, Join& event);
  [[nodiscard]] bool accepts(std::string_view member_id) const;
  void join_new(Step& step, Join& event);
  void join_known(Step& step, Join& event);
  void add_member(Step& step, Join& event, std::string member_id);
  void replace_static_member(Step& step, Join& event, const std::string& old_id);
  void update_member(Step& step, Member& member, Join& event);
  void refuse_join(Step& step, RequestId request, std::string member_id, wire::ErrorCode error) const;
  [[nodiscard]] JoinAnswer current_generation(RequestId request, const Member& member) const;

  // group_sync.cc
  void handle(Step& step, Sync& event);
  void handle(Step& step, Stored& event);
  void store_assignment(Step& step, std::vector<Assignment> assignments);
  void answer_syncs(Step& step, wire::ErrorCode error);
  void store(Step& step, GroupMetadata metadata);
  [[nodiscard]] GroupMetadata metadata() const;

  // group.cc
  void handle(Step& step, Heartbeat& event);
  void handle(Step& step, Leave& event);
  void handle(Step& step, Commit& event);
  void handle(Step& step, Delete& event);
  void handle(Step& step, TimePassed& event);
  // Whether the group has this member, with this instance id.
  [[nodiscard]] wire::ErrorCode check_member(std::string_view member_id, const std::optional<std::string>& instance_id) const;
  [[nodiscard]] wire::ErrorCode leave(Step& step, const LeavingMember& leaving);
  void remove_member(Step& step, const std::string& member_id);
  void touch(Step& step, Member& member, std::optional<milliseconds> timeout = std::nullopt);
  void wake_at(MonotonicTime deadline) noexcept;
  void find_next_deadline();

  // group_rebalance.cc
  void prepare_rebalance(Step& step);  // unless one is being prepared
  void advance_rebalance(Step& step);  // completes it if it can be
  void complete_join(Step& step);
  void finish_sync_phase() noexcept;  // if nobody owes a SyncGroup
  void expire_owed_syncs(Step& step);

  std::string id_;
  GroupSettings settings_;
  State state_ = State::empty;
  std::int32_t generation_ = 0;
  std::optional<std::string> protocol_type_;  // none: only ever used to store offsets
  std::optional<std::string> protocol_name_;
  Membership members_;
  std::map<std::string, MonotonicTime, std::less<>> pending_;  // ids that were given and have not joined yet, and when they lapse
  std::optional<Rebalance> rebalance_;                         // in preparing_rebalance
  std::optional<MonotonicTime> sync_deadline_;                 // while somebody owes a SyncGroup
  std::optional<MonotonicTime> next_deadline_;

  struct StoringAssignment {
    StoreId store;
    std::vector<Assignment> assignments;
  };
  struct StoringStaticMember {
    std::string member_id;
    RequestId request;
    std::string leader_before;
    bool can_skip_assignment = false;
  };
  std::optional<StoringAssignment> storing_assignment_;  // in completing_rebalance
  std::map<StoreId, StoringStaticMember> storing_static_members_;
  StoreId last_store_{0};
};

}  // namespace tripos::groups
