// Room: a group, a clock, and short words for what clients do; for the tests of the group's state machine.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "broker/group/group.h"

namespace tripos::groups {

using namespace std::chrono_literals;
using wire::ErrorCode;

inline constexpr milliseconds initial_delay = 3s;
inline constexpr milliseconds session_timeout = 10s;
inline constexpr milliseconds rebalance_timeout = 60s;

// Answers are collected by request.
struct Room {
  explicit Room(GroupSettings settings = {.initial_rebalance_delay = initial_delay}) : group("g", settings) {}

  RequestId send(Event event) {
    const RequestId request = last_request = last_request + 1;
    std::visit(
        [&](auto& kind) {
          if constexpr (requires { kind.request; }) kind.request = request;
        },
        event);
    apply(std::move(event));
    return request;
  }
  void apply(Event event) {
    for (Effect& effect : group.step(std::move(event), now)) {
      if (auto* join = std::get_if<JoinAnswer>(&effect)) {
        EXPECT_TRUE(joins.emplace(join->request, *join).second) << "answered twice";
      } else if (auto* sync = std::get_if<SyncAnswer>(&effect)) {
        EXPECT_TRUE(syncs.emplace(sync->request, *sync).second) << "answered twice";
      } else if (auto* leave = std::get_if<LeaveAnswer>(&effect)) {
        leaves.emplace(leave->request, *leave);
      } else if (auto* plain = std::get_if<PlainAnswer>(&effect)) {
        plains.emplace(plain->request, plain->error);
      } else {
        stores.push_back(std::get<Store>(effect));
        if (stores_at_once) apply(Stored{stores.back().store, ErrorCode::none});
      }
    }
  }
  void pass(milliseconds time) {
    const MonotonicTime until = now + time;
    while (group.next_deadline() && *group.next_deadline() <= until) {
      now = std::max(now, *group.next_deadline());
      apply(TimePassed{});
    }
    now = until;
  }

  static Join join_event(std::string id, std::string name, std::vector<Protocol> protocols) {
    Join join;
    join.member_id = std::move(id);
    join.new_member_id = name + "-id";
    join.client_id = name;
    join.client_host = "10.0.0.1";
    join.rebalance_timeout = rebalance_timeout;
    join.session_timeout = session_timeout;
    join.protocol_type = "consumer";
    join.protocols = std::move(protocols);
    return join;
  }
  static std::vector<Protocol> range(std::string metadata = "meta") { return {{"range", std::move(metadata)}}; }

  RequestId join(std::string name) { return send(join_event("", name, range())); }
  RequestId rejoin(std::string name, std::string metadata = "meta") {
    return send(join_event(name + "-id", name, range(std::move(metadata))));
  }
  RequestId join_static(std::string name, std::string id, std::string new_id, bool can_skip = true) {
    Join join = join_event(std::move(id), name, range());
    join.instance_id = name;
    join.new_member_id = std::move(new_id);
    join.can_skip_assignment = can_skip;
    return send(std::move(join));
  }
  RequestId sync(std::string name, std::vector<Assignment> assignments = {}) {
    return send(Sync{{}, name + "-id", std::nullopt, group.generation(), std::nullopt, std::nullopt, std::move(assignments)});
  }
  ErrorCode heartbeat(std::string id, std::optional<std::int32_t> generation = {}, std::optional<std::string> instance = {}) {
    return plains.at(send(Heartbeat{{}, std::move(id), std::move(instance), generation.value_or(group.generation())}));
  }
  ErrorCode commit(std::string id, std::int32_t generation, std::optional<std::string> instance = {}) {
    return plains.at(send(Commit{{}, std::move(id), std::move(instance), generation}));
  }
  ErrorCode leave(std::string id, std::optional<std::string> instance = {}) {
    return leaves.at(send(Leave{{}, {LeavingMember{std::move(id), std::move(instance)}}})).members.at(0).error;
  }

  // A stable group of these members; the first leads. Each is assigned "for <name>".
  void stabilize(const std::vector<std::string>& names) {
    std::vector<RequestId> requests;
    for (const auto& name : names) requests.push_back(join(name));
    pass(initial_delay + initial_delay);
    std::vector<Assignment> assignments;
    for (const auto& name : names) assignments.push_back({name + "-id", "for " + name});
    for (std::size_t i = 0; i < names.size(); ++i) {
      ASSERT_EQ(joins.at(requests[i]).error, ErrorCode::none);
      sync(names[i], group.members().is_leader(names[i] + "-id") ? assignments : std::vector<Assignment>{});
    }
    ASSERT_EQ(group.state(), State::stable);
  }

  Group group;
  MonotonicTime now{100s};
  RequestId last_request{0};
  bool stores_at_once = true;
  std::map<RequestId, JoinAnswer> joins;
  std::map<RequestId, SyncAnswer> syncs;
  std::map<RequestId, LeaveAnswer> leaves;
  std::map<RequestId, ErrorCode> plains;
  std::vector<Store> stores;
};

}  // namespace tripos::groups
