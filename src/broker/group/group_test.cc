// The group's state machine, event by event: joining, sharing out, staying alive, leaving. Static members, commits, deletion and restarts:
// group_static_test.cc. Random sequences against a naive model: group_model_test.cc.
#include "broker/group/group_room.h"

namespace tripos::groups {
namespace {

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
  const auto join = [&](std::string name, std::vector<Protocol> protocols) {
    return room.send(Room::join_event("", std::move(name), std::move(protocols)));
  };
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

}  // namespace
}  // namespace tripos::groups
