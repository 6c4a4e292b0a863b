// The group's state machine: static members, who may commit, deletion, and what a restart restores.
#include "broker/group/group_room.h"

namespace tripos::groups {
namespace {

TEST(Group, AStaticMemberThatComesBackKeepsItsAssignmentWithoutARebalance) {
  Room room;
  room.join_static("s", "", "s-1");
  room.join("b");
  room.pass(2 * initial_delay);
  const std::string leader = *room.group.members().leader();
  room.send(
      Sync{{}, leader, leader == "s-1" ? std::optional<std::string>("s") : std::nullopt, 1, {}, {}, {{"s-1", "for s"}, {"b-id", "for b"}}});
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
