// The group's state machine, event by event. group_model_test.cc tries random sequences against a naive model.
#include "broker/group/group.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tripos::groups {
namespace {

using namespace std::chrono_literals;
using wire::ErrorCode;

constexpr milliseconds initial_delay = 3s;
constexpr milliseconds session_timeout = 10s;
constexpr milliseconds rebalance_timeout = 60s;

// A group, a clock, and short words for what clients do. Answers are collected by request.
struct Room {
  explicit Room(GroupSettings settings = {.initial_rebalance_delay = initial_delay}) : group("g", settings) {}

  RequestId send(Event event) {
    const RequestId request = last_request = last_request + 1;
    std::visit([&](auto& kind) {
      if constexpr (requires { kind.request; }) kind.request = request;
    }, event);
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
  RequestId rejoin(std::string name, std::string metadata = "meta") { return send(join_event(name + "-id", name, range(std::move(metadata)))); }
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

TEST(Group, FirstMemberWaitsForTheInitialDelayThenLeads) {
  Room room;
  const RequestId request = room.join("a");
  EXPECT_EQ(room.group.state(), State::preparing_rebalance);
  room.pass(initial_delay - 1ms);
  EXPECT_FALSE(room.joins.contains(request));
  room.pass(1ms);
  const JoinAnswer& answer = room.joins.at(request);
  EXPECT_EQ(answer.error, ErrorCode::none);
  EXPECT_EQ(answer.generation, 1);
  EXPECT_EQ(answer.leader, "a-id");
  EXPECT_EQ(answer.member_id, "a-id");
  EXPECT_EQ(answer.protocol_type, "consumer");
  EXPECT_EQ(answer.protocol_name, "range");
  ASSERT_EQ(answer.members.size(), 1U);
  EXPECT_EQ(answer.members[0].metadata, "meta");
  EXPECT_EQ(room.group.state(), State::completing_rebalance);
}

TEST(Group, InitialDelayIsExtendedWhileMembersComeUpToTheRebalanceTimeout) {
  Room room;
  const RequestId first = room.join("a");
  room.pass(2s);
  room.join("b");
  room.pass(2s);  // 4 s: the first 3 s are over, b came in them
  EXPECT_FALSE(room.joins.contains(first));
  room.pass(2s);  // 6 s: nobody came
  EXPECT_TRUE(room.joins.contains(first));

  Room crowd;
  const RequestId request = crowd.join("a");
  for (int i = 0; i < 29; ++i) {
    crowd.pass(2s);
    crowd.join("m" + std::to_string(i));
  }
  EXPECT_FALSE(crowd.joins.contains(request));  // 58 s
  crowd.pass(2s);
  EXPECT_TRUE(crowd.joins.contains(request));
  EXPECT_EQ(crowd.joins.at(request).members.size(), 30U);
}

TEST(Group, WithoutInitialDelayTheFirstMemberIsAnsweredAtOnce) {
  Room room({.initial_rebalance_delay = 0ms});
  EXPECT_TRUE(room.joins.contains(room.join("a")));
}

TEST(Group, NewMemberIsToldItsIdFirst) {
  Room room;
  Join join = Room::join_event("", "a", Room::range());
  join.must_know_its_id = true;
  const JoinAnswer& answer = room.joins.at(room.send(join));
  EXPECT_EQ(answer.error, ErrorCode::member_id_required);
  EXPECT_EQ(answer.member_id, "a-id");
  EXPECT_EQ(room.group.state(), State::empty);
  const RequestId request = room.rejoin("a");
  room.pass(initial_delay);
  EXPECT_EQ(room.joins.at(request).error, ErrorCode::none);
}

TEST(Group, AnIdThatWasGivenLapsesAfterTheSessionTimeout) {
  Room room;
  Join join = Room::join_event("", "a", Room::range());
  join.must_know_its_id = true;
  room.send(join);
  room.pass(session_timeout);
  EXPECT_EQ(room.joins.at(room.rejoin("a")).error, ErrorCode::unknown_member_id);
}

TEST(Group, ARebalanceWaitsForMembersThatWereToldTheirId) {
  Room room;
  room.stabilize({"a"});
  Join join = Room::join_event("", "b", Room::range());
  join.must_know_its_id = true;
  room.send(join);
  EXPECT_EQ(room.group.state(), State::stable);
  const RequestId request = room.rejoin("a");  // the leader: rebalance
  EXPECT_FALSE(room.joins.contains(request));
  room.rejoin("b");
  EXPECT_EQ(room.joins.at(request).members.size(), 2U);
}

TEST(Group, SyncWaitsForTheLeaderAndForTheStore) {
  Room room;
  room.stores_at_once = false;
  room.join("a");
  room.join("b");
  room.pass(2 * initial_delay);
  const RequestId follower = room.sync("b");
  EXPECT_FALSE(room.syncs.contains(follower));
  const RequestId leader = room.sync("a", {{"a-id", "for a"}, {"b-id", "for b"}, {"stranger", "x"}});
  EXPECT_FALSE(room.syncs.contains(leader)) << "handed out before it was stored";
  EXPECT_FALSE(room.syncs.contains(follower));
  ASSERT_EQ(room.stores.size(), 1U);
  EXPECT_EQ(room.stores[0].metadata.generation, 1);
  EXPECT_EQ(room.stores[0].metadata.leader, "a-id");
  ASSERT_EQ(room.stores[0].metadata.members.size(), 2U);
  EXPECT_EQ(room.stores[0].metadata.members[1].assignment, "for b");
  EXPECT_EQ(room.group.state(), State::completing_rebalance);
  room.apply(Stored{room.stores[0].store, ErrorCode::none});
  EXPECT_EQ(room.group.state(), State::stable);
  EXPECT_EQ(room.syncs.at(leader).assignment, "for a");
  EXPECT_EQ(room.syncs.at(follower).assignment, "for b");
  EXPECT_EQ(room.syncs.at(follower).protocol_name, "range");
  // In stable, everybody can ask again.
  EXPECT_EQ(room.syncs.at(room.sync("b")).assignment, "for b");
}

TEST(Group, AMemberThatTheLeaderForgetsGetsAnEmptyAssignment) {
  Room room;
  room.join("a");
  room.join("b");
  room.pass(2 * initial_delay);
  const RequestId follower = room.sync("b");
  room.sync("a", {{"a-id", "all"}});
  EXPECT_EQ(room.syncs.at(follower).error, ErrorCode::none);
  EXPECT_EQ(room.syncs.at(follower).assignment, "");
}

TEST(Group, AFailedStoreIsToldToAllAndRebalances) {
  Room room;
  room.stores_at_once = false;
  room.join("a");
  room.join("b");
  room.pass(2 * initial_delay);
  const RequestId follower = room.sync("b");
  const RequestId leader = room.sync("a", {{"a-id", "for a"}});
  room.apply(Stored{room.stores.at(0).store, ErrorCode::coordinator_not_available});
  EXPECT_EQ(room.syncs.at(leader).error, ErrorCode::coordinator_not_available);
  EXPECT_EQ(room.syncs.at(follower).error, ErrorCode::coordinator_not_available);
  EXPECT_EQ(room.group.state(), State::preparing_rebalance);
}

TEST(Group, AStoreOfAnEarlierGenerationChangesNothing) {
  Room room;
  room.stores_at_once = false;
  room.join("a");
  room.pass(initial_delay);
  const RequestId sync = room.sync("a", {{"a-id", "old"}});
  room.join("b");
  EXPECT_EQ(room.syncs.at(sync).error, ErrorCode::rebalance_in_progress);
  room.apply(Stored{room.stores.at(0).store, ErrorCode::none});
  EXPECT_EQ(room.group.state(), State::preparing_rebalance);
  room.rejoin("a");
  EXPECT_EQ(room.group.generation(), 2);
  EXPECT_EQ(room.group.members().find("a-id")->assignment, "");
}

TEST(Group, HeartbeatByState) {
  Room room;
  EXPECT_EQ(room.heartbeat("a-id"), ErrorCode::unknown_member_id);
  room.join("a");
  room.pass(initial_delay);
  EXPECT_EQ(room.heartbeat("a-id"), ErrorCode::none) << "completing";
  EXPECT_EQ(room.heartbeat("a-id", 0), ErrorCode::illegal_generation);
  EXPECT_EQ(room.heartbeat("x"), ErrorCode::unknown_member_id);
  room.sync("a", {});
  EXPECT_EQ(room.heartbeat("a-id"), ErrorCode::none) << "stable";
  room.join("b");
  EXPECT_EQ(room.heartbeat("a-id"), ErrorCode::rebalance_in_progress) << "preparing";
}

TEST(Group, SyncByState) {
  Room room;
  EXPECT_EQ(room.syncs.at(room.sync("a")).error, ErrorCode::unknown_member_id);
  room.stabilize({"a"});
  EXPECT_EQ(room.syncs.at(room.send(Sync{{}, "a-id", {}, 7, {}, {}, {}})).error, ErrorCode::illegal_generation);
  EXPECT_EQ(room.syncs.at(room.send(Sync{{}, "a-id", {}, 1, "connect", {}, {}})).error, ErrorCode::inconsistent_group_protocol);
  EXPECT_EQ(room.syncs.at(room.send(Sync{{}, "a-id", {}, 1, "consumer", "sticky", {}})).error, ErrorCode::inconsistent_group_protocol);
  EXPECT_EQ(room.syncs.at(room.send(Sync{{}, "a-id", {}, 1, "consumer", "range", {}})).error, ErrorCode::none);
  room.join("b");
  EXPECT_EQ(room.syncs.at(room.sync("a")).error, ErrorCode::rebalance_in_progress);
}

TEST(Group, RejoinWithTheSameMetadataGivesTheSameGeneration) {
  Room room;
  room.stabilize({"a", "b"});
  const JoinAnswer& follower = room.joins.at(room.rejoin("b"));
  EXPECT_EQ(follower.generation, 1);
  EXPECT_EQ(follower.leader, "a-id");
  EXPECT_TRUE(follower.members.empty());
  EXPECT_EQ(room.group.state(), State::stable);
  room.rejoin("a");
  EXPECT_EQ(room.group.state(), State::preparing_rebalance) << "the leader asks for a rebalance by joining";
}

TEST(Group, RejoinWithOtherMetadataRebalances) {
  Room room;
  room.stabilize({"a", "b"});
  const RequestId follower = room.rejoin("b", "other topics");
  EXPECT_EQ(room.group.state(), State::preparing_rebalance);
  const RequestId leader = room.rejoin("a");
  EXPECT_EQ(room.joins.at(follower).generation, 2);
  EXPECT_EQ(room.joins.at(leader).members.at(1).metadata, "other topics");
}

TEST(Group, RejoinWhileCompleting) {
  Room room;
  room.join("a");
  room.join("b");
  room.pass(2 * initial_delay);
  EXPECT_EQ(room.joins.at(room.rejoin("a")).members.size(), 2U) << "the leader may have missed its answer";
  EXPECT_EQ(room.joins.at(room.rejoin("b")).generation, 1);
  const RequestId waiting = room.sync("b");
  room.rejoin("b", "other");
  EXPECT_EQ(room.syncs.at(waiting).error, ErrorCode::rebalance_in_progress);
  EXPECT_EQ(room.group.state(), State::preparing_rebalance);
}

TEST(Group, ARetriedJoinIsOneMemberAndTheFirstRequestIsAnswered) {
  Room room;
  room.stabilize({"a", "b"});
  room.rejoin("a");
  const RequestId lost = room.last_request;
  const RequestId retried = room.rejoin("a");
  EXPECT_EQ(room.joins.at(lost).error, ErrorCode::rebalance_in_progress);
  room.rejoin("b");
  EXPECT_EQ(room.joins.at(retried).error, ErrorCode::none);
  EXPECT_EQ(room.joins.at(retried).members.size(), 2U);
}

TEST(Group, MembersThatDoNotRejoinInTimeAreRemoved) {
  Room room;
  room.stabilize({"a", "b"});
  const RequestId request = room.join("c");
  room.rejoin("a");
  for (int i = 0; i < 59; ++i) {
    room.pass(1s);
    EXPECT_EQ(room.heartbeat("b-id"), ErrorCode::rebalance_in_progress);
  }
  EXPECT_FALSE(room.joins.contains(request));
  room.pass(1s);
  EXPECT_EQ(room.joins.at(request).error, ErrorCode::none);
  EXPECT_EQ(room.group.members().size(), 2U);
  EXPECT_EQ(room.heartbeat("b-id"), ErrorCode::unknown_member_id);
}

TEST(Group, ASilentMemberIsRemovedAfterItsSessionTimeoutAndTheOthersRebalance) {
  Room room;
  room.stabilize({"a", "b"});
  room.pass(session_timeout - 1ms);
  EXPECT_EQ(room.heartbeat("a-id"), ErrorCode::none);
  room.pass(1ms);
  EXPECT_EQ(room.group.state(), State::preparing_rebalance);
  EXPECT_EQ(room.heartbeat("b-id"), ErrorCode::unknown_member_id);
  const JoinAnswer& answer = room.joins.at(room.rejoin("a"));
  EXPECT_EQ(answer.generation, 2);
  EXPECT_EQ(answer.members.size(), 1U);
}

TEST(Group, ASilentLeaderBeforeItsSyncIsReplaced) {
  Room room;
  room.join("a");
  room.join("b");
  room.pass(2 * initial_delay);
  const RequestId follower = room.sync("b");
  room.pass(session_timeout);
  EXPECT_EQ(room.syncs.at(follower).error, ErrorCode::rebalance_in_progress);
  const JoinAnswer& answer = room.joins.at(room.rejoin("b"));
  EXPECT_EQ(answer.leader, "b-id");
  EXPECT_EQ(answer.generation, 2);
}

TEST(Group, MembersThatNeverSyncAreRemovedAfterTheRebalanceTimeout) {
  Room room;
  room.join("a");
  room.join("b");
  room.pass(2 * initial_delay);
  room.sync("a", {{"a-id", "all"}});
  for (int i = 0; i < 60; ++i) {
    room.pass(1s);
    (void)room.heartbeat("a-id");
    (void)room.heartbeat("b-id");
  }
  EXPECT_EQ(room.group.members().size(), 1U) << "b beats, but never asked for its assignment";
  EXPECT_EQ(room.group.state(), State::preparing_rebalance);
}

TEST(Group, ANewMemberWhoseConnectionIsGoneIsNotKeptForEver) {
  Room room({.initial_rebalance_delay = initial_delay, .new_member_join_timeout = 5s});
  room.stabilize({"a"});
  const RequestId request = room.join("b");
  for (int i = 0; i < 5; ++i) {
    room.pass(1s);
    (void)room.heartbeat("a-id");
  }
  EXPECT_EQ(room.joins.at(request).error, ErrorCode::unknown_member_id);
  EXPECT_EQ(room.group.members().size(), 1U);
}

TEST(Group, LeavingRebalancesTheOthersAndTheLastLeavesItEmpty) {
  Room room;
  room.stabilize({"a", "b"});
  EXPECT_EQ(room.leave("x"), ErrorCode::unknown_member_id);
  EXPECT_EQ(room.leave("a-id"), ErrorCode::none);
  EXPECT_EQ(room.group.state(), State::preparing_rebalance);
  EXPECT_EQ(room.joins.at(room.rejoin("b")).leader, "b-id");
  room.stores.clear();
  EXPECT_EQ(room.leave("b-id"), ErrorCode::none);
  EXPECT_EQ(room.group.state(), State::empty);
  EXPECT_EQ(room.group.generation(), 3);
  ASSERT_EQ(room.stores.size(), 1U);
  EXPECT_TRUE(room.stores[0].metadata.members.empty());
  EXPECT_EQ(room.stores[0].metadata.protocol, std::nullopt);
}

TEST(Group, LeavingWhileWaitingAnswersWhatWaits) {
  Room room;
  room.stabilize({"a", "b"});
  const RequestId join = room.rejoin("a");
  EXPECT_EQ(room.leave("a-id"), ErrorCode::none);
  EXPECT_EQ(room.joins.at(join).error, ErrorCode::unknown_member_id);
  room.rejoin("b");
  room.join("c");
  room.rejoin("b");
  const RequestId sync = room.sync("c");
  EXPECT_EQ(room.leave("c-id"), ErrorCode::none);
  EXPECT_EQ(room.syncs.at(sync).error, ErrorCode::unknown_member_id);
}

TEST(Group, SeveralMayLeaveAtOnce) {
  Room room;
  room.stabilize({"a", "b", "c"});
  const auto& answer = room.leaves.at(room.send(Leave{{}, {{"a-id", {}}, {"x", {}}, {"c-id", {}}}}));
  ASSERT_EQ(answer.members.size(), 3U);
  EXPECT_EQ(answer.members[0].error, ErrorCode::none);
  EXPECT_EQ(answer.members[1].error, ErrorCode::unknown_member_id);
  EXPECT_EQ(answer.members[2].error, ErrorCode::none);
  EXPECT_EQ(room.group.members().size(), 1U);
}

TEST(Group, ProtocolIsWhatAllOfferAndMostPrefer) {
  Room room;
  const auto join = [&](std::string name, std::vector<Protocol> protocols) { return room.send(Room::join_event("", std::move(name), std::move(protocols))); };
  const RequestId a = join("a", {{"only-a", "1"}, {"range", "2"}, {"sticky", "3"}});
  join("b", {{"sticky", "4"}, {"range", "5"}});
  join("c", {{"sticky", "6"}, {"range", "7"}});
  EXPECT_EQ(room.joins.at(join("d", {{"other", ""}})).error, ErrorCode::inconsistent_group_protocol);
  EXPECT_EQ(room.joins.at(join("e", {})).error, ErrorCode::inconsistent_group_protocol);
  Join connect = Room::join_event("", "f", {{"range", ""}});
  connect.protocol_type = "connect";
  EXPECT_EQ(room.joins.at(room.send(connect)).error, ErrorCode::inconsistent_group_protocol);
  room.pass(2 * initial_delay);
  const JoinAnswer& answer = room.joins.at(a);
  EXPECT_EQ(answer.protocol_name, "sticky");
  ASSERT_EQ(answer.members.size(), 3U);
  EXPECT_EQ(answer.members[0].metadata, "3");
  EXPECT_EQ(answer.members[1].metadata, "4");
}

TEST(Group, AnEmptyGroupNeedsATypeAndAProtocol) {
  Room room;
  EXPECT_EQ(room.joins.at(room.send(Room::join_event("", "a", {}))).error, ErrorCode::inconsistent_group_protocol);
  Join join = Room::join_event("", "a", Room::range());
  join.protocol_type = "";
  EXPECT_EQ(room.joins.at(room.send(join)).error, ErrorCode::inconsistent_group_protocol);
  EXPECT_EQ(room.group.state(), State::empty);
}

TEST(Group, WhoComesWhenAllOthersHaveLeftDuringTheDelayIsWelcome) {
  Room room;
  room.join("a");
  room.leave("a-id");
  ASSERT_EQ(room.group.state(), State::preparing_rebalance);
  const RequestId request = room.send(Room::join_event("", "b", {{"other", ""}}));
  room.pass(2 * initial_delay);
  EXPECT_EQ(room.joins.at(request).error, ErrorCode::none);
  EXPECT_EQ(room.joins.at(request).protocol_name, "other");
}

TEST(Group, SizeIsLimited) {
  Room room({.initial_rebalance_delay = 0ms, .size_max = 2});
  room.join("a");
  room.join("b");
  room.rejoin("a");
  EXPECT_EQ(room.joins.at(room.join("c")).error, ErrorCode::group_max_size_reached);
  EXPECT_EQ(room.joins.at(room.join("c")).member_id, "");
  EXPECT_EQ(room.group.members().size(), 2U);
}

TEST(Group, AStaticMemberThatComesBackKeepsItsAssignmentWithoutARebalance) {
  Room room;
  room.join_static("s", "", "s-1");
  room.join("b");
  room.pass(2 * initial_delay);
  const std::string leader = *room.group.members().leader();
  room.send(Sync{{}, leader, leader == "s-1" ? std::optional<std::string>("s") : std::nullopt, 1, {}, {}, {{"s-1", "for s"}, {"b-id", "for b"}}});
  ASSERT_EQ(room.group.state(), State::stable);

  room.stores_at_once = false;
  const RequestId back = room.join_static("s", "", "s-2");
  EXPECT_FALSE(room.joins.contains(back)) << "its new id is not stored yet";
  room.apply(Stored{room.stores.back().store, ErrorCode::none});
  const JoinAnswer& answer = room.joins.at(back);
  EXPECT_EQ(answer.error, ErrorCode::none);
  EXPECT_EQ(answer.member_id, "s-2");
  EXPECT_EQ(answer.generation, 1);
  EXPECT_EQ(room.group.state(), State::stable);
  EXPECT_EQ(answer.skip_assignment, leader == "s-1");
  EXPECT_EQ(room.syncs.at(room.send(Sync{{}, "s-2", "s", 1, {}, {}, {}})).assignment, "for s");

  EXPECT_EQ(room.heartbeat("s-1", 1, "s"), ErrorCode::fenced_instance_id);
  EXPECT_EQ(room.heartbeat("s-2", 1, "s"), ErrorCode::none);
  EXPECT_EQ(room.heartbeat("s-2", 1, "t"), ErrorCode::unknown_member_id);
  EXPECT_EQ(room.commit("s-1", 1, "s"), ErrorCode::fenced_instance_id);
  EXPECT_EQ(room.joins.at(room.join_static("s", "s-1", "")).error, ErrorCode::fenced_instance_id);
  EXPECT_EQ(room.leave("s-1", "s"), ErrorCode::fenced_instance_id);
}

TEST(Group, AStaticLeaderOfAnOldClientIsNotToldThatItLeads) {
  for (const bool can_skip : {false, true}) {
    Room room;
    room.join_static("s", "", "s-1");
    room.pass(initial_delay);
    room.send(Sync{{}, "s-1", "s", 1, {}, {}, {{"s-1", "for s"}}});
    const JoinAnswer& answer = room.joins.at(room.join_static("s", "", "s-2", can_skip));
    EXPECT_EQ(answer.leader, can_skip ? "s-2" : "s-1");
    EXPECT_EQ(answer.skip_assignment, can_skip);
    EXPECT_EQ(answer.members.size(), can_skip ? 1U : 0U);
    EXPECT_EQ(room.group.members().leader(), "s-2");
  }
}

TEST(Group, AReplacedStaticMemberThatWaitsIsFenced) {
  Room room;
  const RequestId join = room.join_static("s", "", "s-1");
  const RequestId second = room.join_static("s", "", "s-2");
  EXPECT_EQ(room.joins.at(join).error, ErrorCode::fenced_instance_id);
  room.join("b");
  room.pass(2 * initial_delay);
  EXPECT_EQ(room.joins.at(second).member_id, "s-2");
  const RequestId sync = room.send(Sync{{}, "s-2", "s", 1, {}, {}, {}});
  if (!room.syncs.contains(sync)) {
    room.join_static("s", "", "s-3");
    EXPECT_EQ(room.syncs.at(sync).error, ErrorCode::fenced_instance_id);
    EXPECT_EQ(room.group.state(), State::preparing_rebalance) << "the leader may be assigning to the old id";
  }
}

TEST(Group, AStaticMemberIsGivenUntilTheEndOfItsSession) {
  Room room({.initial_rebalance_delay = 0ms});
  Join join = Room::join_event("", "s", Room::range());
  join.instance_id = "s";
  join.new_member_id = "s-1";
  join.session_timeout = 300s;
  room.send(join);
  room.join("b");
  join.member_id = "s-1";
  room.send(join);
  EXPECT_EQ(room.group.generation(), 2);
  room.rejoin("b", "changed");
  room.pass(rebalance_timeout);
  EXPECT_EQ(room.group.generation(), 3) << "goes on without s";
  EXPECT_NE(room.group.members().find("s-1"), nullptr) << "but s is still a member";
}

TEST(Group, AnOperatorRemovesAStaticMember) {
  Room room;
  room.join_static("s", "", "s-1");
  room.pass(initial_delay);
  EXPECT_EQ(room.leave("", "t"), ErrorCode::unknown_member_id);
  EXPECT_EQ(room.leave("", "s"), ErrorCode::none);
  EXPECT_TRUE(room.group.members().empty());
}

TEST(Group, CommitByState) {
  Room room;
  EXPECT_EQ(room.commit("", -1), ErrorCode::none) << "a simple consumer";
  EXPECT_EQ(room.commit("x", 3), ErrorCode::unknown_member_id);
  room.join("a");
  room.pass(initial_delay);
  EXPECT_EQ(room.commit("a-id", 1), ErrorCode::rebalance_in_progress) << "completing";
  room.sync("a", {});
  EXPECT_EQ(room.commit("a-id", 1), ErrorCode::none) << "stable";
  EXPECT_EQ(room.commit("a-id", 0), ErrorCode::illegal_generation);
  EXPECT_EQ(room.commit("x", 1), ErrorCode::unknown_member_id);
  EXPECT_EQ(room.commit("", -1), ErrorCode::unknown_member_id) << "nobody else may commit";
  room.join("b");
  EXPECT_EQ(room.commit("a-id", 1), ErrorCode::none) << "preparing: before it gives its partitions up";
}

TEST(Group, CommitsKeepAMemberAlive) {
  Room room;
  room.stabilize({"a"});
  for (int i = 0; i < 5; ++i) {
    room.pass(session_timeout - 1ms);
    EXPECT_EQ(room.commit("a-id", 1), ErrorCode::none);
  }
  EXPECT_EQ(room.group.members().size(), 1U);
}

TEST(Group, DeletionNeedsAnEmptyGroup) {
  Room room;
  room.stabilize({"a"});
  EXPECT_EQ(room.plains.at(room.send(Delete{})), ErrorCode::non_empty_group);
  room.leave("a-id");
  EXPECT_EQ(room.plains.at(room.send(Delete{})), ErrorCode::none);
  EXPECT_EQ(room.group.state(), State::dead);
  EXPECT_EQ(room.plains.at(room.send(Delete{})), ErrorCode::group_id_not_found);
  EXPECT_EQ(room.joins.at(room.join("b")).error, ErrorCode::coordinator_not_available);
  EXPECT_EQ(room.commit("", -1), ErrorCode::coordinator_not_available);
  EXPECT_EQ(room.heartbeat("a-id"), ErrorCode::coordinator_not_available);
}

TEST(Group, RestoredMembersGoOnAsIfNothingHadHappened) {
  Room room;
  room.stabilize({"a", "b"});
  Room later;
  later.group = Group::restore("g", {}, room.stores.back().metadata, later.now);
  EXPECT_EQ(later.group.state(), State::stable);
  EXPECT_EQ(later.group.members().leader(), "a-id");
  EXPECT_EQ(later.heartbeat("a-id", 1), ErrorCode::none);
  EXPECT_EQ(later.commit("b-id", 1), ErrorCode::none);
  EXPECT_EQ(later.syncs.at(later.sync("b")).assignment, "for b");
  EXPECT_EQ(later.joins.at(later.rejoin("b")).generation, 1);
  later.pass(session_timeout - 1ms);
  EXPECT_EQ(later.group.members().size(), 2U);
  later.pass(1ms);
  EXPECT_EQ(later.group.state(), State::empty) << "all were silent";
  EXPECT_EQ(later.group.generation(), 2);
}

}  // namespace
}  // namespace tripos::groups
