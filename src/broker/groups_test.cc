// Requests of groups through handle(): what a client is answered. The state machine itself is tested in group/.
#include <gtest/gtest.h>

#include "broker/testing.h"
#include "wire/delete_groups.h"
#include "wire/describe_groups.h"
#include "wire/heartbeat.h"
#include "wire/join_group.h"
#include "wire/leave_group.h"
#include "wire/list_groups.h"
#include "wire/offset_delete.h"
#include "wire/offset_fetch.h"
#include "wire/sync_group.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;

class GroupRequests : public testing::Test {
 protected:
  GroupRequests() { EXPECT_EQ(test.create_topic("t"), ErrorCode::none); }

  // Joins as the only member, and hands in its own assignment.
  void join() {
    wire::JoinGroupRequest request;
    request.group_id = "g";
    request.session_timeout_ms = 10'000;
    request.rebalance_timeout_ms = 10'000;
    request.protocol_type = "consumer";
    request.protocols.push_back({.name = "range", .metadata = Bytes("subscription")});
    const Pending pending = test.send(request, 3);
    test.run();
    test.advance(std::chrono::seconds(4));  // group.initial.rebalance.delay.ms
    test.run();
    const auto joined = TestBroker::read<wire::JoinGroupResponse>(pending, 3);
    ASSERT_EQ(joined.error_code, ErrorCode::none);
    EXPECT_EQ(joined.leader, joined.member_id);
    member = joined.member_id;
    generation = joined.generation_id;
    wire::SyncGroupRequest sync;
    sync.group_id = "g";
    sync.member_id = member;
    sync.generation_id = generation;
    sync.assignments.push_back({.member_id = member, .assignment = Bytes("partition 0")});
    const auto synced = test.call<wire::SyncGroupResponse>(sync, 2);
    EXPECT_EQ(synced.error_code, ErrorCode::none);
    EXPECT_EQ(synced.assignment, "partition 0");
  }

  ErrorCode heartbeat(std::int32_t in_generation) {
    wire::HeartbeatRequest request;
    request.group_id = "g";
    request.member_id = member;
    request.generation_id = in_generation;
    return test.call<wire::HeartbeatResponse>(request, 2).error_code;
  }
  ErrorCode leave() {
    wire::LeaveGroupRequest request;
    request.group_id = "g";
    request.member_id = member;
    return test.call<wire::LeaveGroupResponse>(request, 2).error_code;
  }
  ErrorCode commit(std::int64_t offset, std::int32_t in_generation) {
    return test.commit_offset("g", "t", offset, in_generation < 0 ? "" : member, in_generation);
  }
  std::int64_t committed() {
    wire::OffsetFetchRequest request;
    request.group_id = "g";
    auto& topic = request.topics.emplace().emplace_back();
    topic.name = "t";
    topic.partition_indexes = {0};
    return test.call<wire::OffsetFetchResponse>(request, 7).topics.at(0).partitions.at(0).committed_offset;
  }
  wire::DescribeGroupsResponse::DescribedGroup describe() {
    wire::DescribeGroupsRequest request;
    request.groups = {"g"};
    return test.call<wire::DescribeGroupsResponse>(request, 5).groups.at(0);
  }
  ErrorCode remove() {
    wire::DeleteGroupsRequest request;
    request.groups_names = {"g"};
    return test.call<wire::DeleteGroupsResponse>(request, 2).results.at(0).error_code;
  }
  ErrorCode remove_offset() {
    wire::OffsetDeleteRequest request;
    request.group_id = "g";
    request.topics.push_back({.name = "t", .partitions = {{.partition_index = 0}}});
    const auto response = test.call<wire::OffsetDeleteResponse>(request, 0);
    return response.error_code != ErrorCode::none ? response.error_code : response.topics.at(0).partitions.at(0).error_code;
  }

  TestBroker test;
  std::string member;
  std::int32_t generation = -1;
};

TEST_F(GroupRequests, AMembersLife) {
  join();
  EXPECT_EQ(heartbeat(generation), ErrorCode::none);
  EXPECT_EQ(heartbeat(generation + 1), ErrorCode::illegal_generation);
  EXPECT_EQ(commit(7, generation), ErrorCode::none);
  EXPECT_EQ(commit(8, generation + 1), ErrorCode::illegal_generation);
  EXPECT_EQ(commit(8, -1), ErrorCode::unknown_member_id);  // as no member, while there are some
  EXPECT_EQ(committed(), 7);
  const auto described = describe();
  EXPECT_EQ(described.group_state, "Stable");
  ASSERT_EQ(described.members.size(), 1u);
  EXPECT_EQ(described.members[0].member_assignment, "partition 0");
  EXPECT_EQ(remove(), ErrorCode::non_empty_group);
  EXPECT_EQ(leave(), ErrorCode::none);
  EXPECT_EQ(heartbeat(generation), ErrorCode::unknown_member_id);
  EXPECT_EQ(describe().group_state, "Empty");
  EXPECT_EQ(commit(9, -1), ErrorCode::none);
  test.cut_power(io::Survival::nothing, 1);
  EXPECT_EQ(committed(), 9);
}

TEST_F(GroupRequests, WhatIsRemovedStaysRemoved) {
  EXPECT_EQ(commit(7, -1), ErrorCode::none);
  const auto listed = test.call<wire::ListGroupsResponse>(wire::ListGroupsRequest{}, 5);
  ASSERT_EQ(listed.groups.size(), 1u);
  EXPECT_EQ(listed.groups[0].group_id, "g");
  EXPECT_EQ(listed.groups[0].group_state, "Empty");
  EXPECT_EQ(remove_offset(), ErrorCode::none);
  EXPECT_EQ(committed(), -1);
  EXPECT_EQ(commit(8, -1), ErrorCode::none);
  EXPECT_EQ(remove(), ErrorCode::none);
  EXPECT_EQ(remove(), ErrorCode::group_id_not_found);
  test.cut_power(io::Survival::nothing, 1);
  EXPECT_EQ(committed(), -1);
  EXPECT_TRUE(test.call<wire::ListGroupsResponse>(wire::ListGroupsRequest{}, 5).groups.empty());
}

}  // namespace
}  // namespace tripos::broker
