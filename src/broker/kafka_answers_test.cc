// Requests that no good client sends, answered as Apache Kafka answers them (`./run compat differential` found each of these out).
#include <gtest/gtest.h>

#include "broker/testing.h"
#include "wire/alter_configs.h"
#include "wire/api_versions.h"
#include "wire/create_partitions.h"
#include "wire/delete_groups.h"
#include "wire/delete_records.h"
#include "wire/delete_topics.h"
#include "wire/describe_cluster.h"
#include "wire/describe_configs.h"
#include "wire/describe_groups.h"
#include "wire/describe_log_dirs.h"
#include "wire/describe_producers.h"
#include "wire/describe_topic_partitions.h"
#include "wire/describe_transactions.h"
#include "wire/find_coordinator.h"
#include "wire/incremental_alter_configs.h"
#include "wire/leave_group.h"
#include "wire/list_groups.h"
#include "wire/metadata.h"
#include "wire/offset_commit.h"
#include "wire/offset_for_leader_epoch.h"
#include "wire/txn_offset_commit.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;

class KafkaAnswers : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(test_.create_topic("t", 2), ErrorCode::none); }
  [[nodiscard]] TopicId topic_id() { return test_.broker().topics().find("t")->id(); }

  TestBroker test_;
};

TEST_F(KafkaAnswers, ATopicIsDeletedByNameOrByIdAndOnce) {
  wire::DeleteTopicsRequest request;
  request.topics = {{.name = "t", .topic_id = topic_id()}, {.name = std::nullopt, .topic_id = {}}};
  auto response = test_.call<wire::DeleteTopicsResponse>(request, 6);
  ASSERT_EQ(response.responses.size(), 2U);
  for (const auto& each : response.responses) EXPECT_EQ(each.error_code, ErrorCode::invalid_request);
  request.topics = {{.name = "t", .topic_id = {}}, {.name = std::nullopt, .topic_id = topic_id()}};
  response = test_.call<wire::DeleteTopicsResponse>(request, 6);
  ASSERT_EQ(response.responses.size(), 1U) << "the same topic";
  EXPECT_EQ(response.responses[0].error_code, ErrorCode::invalid_request);
  EXPECT_NE(test_.broker().topics().find("t"), nullptr);
}

TEST_F(KafkaAnswers, APartitionIsAssignedToABrokerOnce) {
  wire::CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = "assigned";
  topic.num_partitions = -1;
  topic.replication_factor = -1;
  const std::int32_t node_id = test_.broker().config().node_id;
  topic.assignments = {{.partition_index = 0, .broker_ids = {node_id, node_id}}};
  EXPECT_EQ(test_.call<wire::CreateTopicsResponse>(request, 7).topics.at(0).error_code, ErrorCode::invalid_replica_assignment);
}

TEST_F(KafkaAnswers, MoreCountsForATopicAreRefusedOnce) {
  wire::CreatePartitionsRequest request;
  request.topics = {{.name = "t", .count = 3, .assignments = {}}, {.name = "t", .count = 4, .assignments = {}}};
  const auto response = test_.call<wire::CreatePartitionsResponse>(request, 3);
  ASSERT_EQ(response.results.size(), 1U);
  EXPECT_EQ(response.results[0].error_code, ErrorCode::invalid_request);
}

TEST_F(KafkaAnswers, MetadataTellsOfATopicOnceAndTheIdCounts) {
  wire::MetadataRequest request;
  auto& topics = request.topics.emplace();
  topics.resize(2);
  topics[0].name = topics[1].name = "t";
  EXPECT_EQ(test_.call<wire::MetadataResponse>(request, 12).topics.size(), 1U);
  topics.resize(1);
  topics[0].topic_id = TopicId({1, 2});
  auto response = test_.call<wire::MetadataResponse>(request, 12);
  EXPECT_EQ(response.topics.at(0).error_code, ErrorCode::unknown_topic_id);
  EXPECT_EQ(response.topics.at(0).name, std::nullopt);
  topics[0] = {};
  topics[0].name = std::nullopt;
  topics[0].topic_id = topic_id();
  response = test_.call<wire::MetadataResponse>(request, 11);
  EXPECT_EQ(response.topics.at(0).error_code, ErrorCode::invalid_request) << "version 11 knows no ids yet";
  EXPECT_EQ(response.brokers.size(), 0U);
}

TEST_F(KafkaAnswers, ACursorNamesATopicThatIsAskedForAndAPartition) {
  wire::DescribeTopicPartitionsRequest request;
  request.topics = {{.name = "t"}};
  request.response_partition_limit = 10;
  request.cursor = {.topic_name = "s"};
  EXPECT_EQ(test_.call<wire::DescribeTopicPartitionsResponse>(request, 0).topics.at(0).error_code, ErrorCode::invalid_request);
  request.cursor->topic_name = "t";
  request.cursor->partition_index = -1;
  EXPECT_EQ(test_.call<wire::DescribeTopicPartitionsResponse>(request, 0).topics.at(0).error_code, ErrorCode::invalid_request);
  request.cursor->partition_index = 1;
  EXPECT_EQ(test_.call<wire::DescribeTopicPartitionsResponse>(request, 0).topics.at(0).partitions.size(), 1U);
}

TEST_F(KafkaAnswers, WhatIsNamedTwiceIsToldOnce) {
  wire::DescribeLogDirsRequest directories;
  directories.topics.emplace().push_back({.topic = "t", .partitions = {0, 0}});
  const auto described = test_.call<wire::DescribeLogDirsResponse>(directories, 4);
  EXPECT_EQ(described.results.at(0).topics.at(0).partitions.size(), 1U);

  (void)test_.produce("t", batch_of({"a", "b", "c"}));
  wire::DeleteRecordsRequest deletion;
  auto& topic = deletion.topics.emplace_back();
  topic.name = "t";
  topic.partitions = {{.partition_index = 0, .offset = 3}, {.partition_index = 0, .offset = 1}};
  const auto deleted = test_.call<wire::DeleteRecordsResponse>(deletion, 2);
  ASSERT_EQ(deleted.topics.at(0).partitions.size(), 1U);
  EXPECT_EQ(deleted.topics[0].partitions[0].low_watermark, 1) << "the last one counts";

  wire::DeleteGroupsRequest groups;
  groups.groups_names = {"none", "none", ""};
  const auto removed = test_.call<wire::DeleteGroupsResponse>(groups, 2);
  ASSERT_EQ(removed.results.size(), 2U);
  for (const auto& each : removed.results) EXPECT_EQ(each.error_code, ErrorCode::group_id_not_found);

  wire::ListOffsetsRequest offsets;
  offsets.topics.emplace_back().name = "t";
  offsets.topics[0].partitions.resize(2);
  offsets.topics[0].partitions[0].timestamp = -1;
  offsets.topics[0].partitions[1].timestamp = -2;
  const auto listed = test_.call<wire::ListOffsetsResponse>(offsets, 9);
  ASSERT_EQ(listed.topics.at(0).partitions.size(), 1U);
  EXPECT_EQ(listed.topics[0].partitions[0].error_code, ErrorCode::invalid_request);
}

TEST_F(KafkaAnswers, ATimeThatMeansNothingYetIsToldBeforeThePartition) {
  wire::ListOffsetsRequest request;
  request.topics.emplace_back().name = "t";
  auto& asked = request.topics[0].partitions.emplace_back();
  asked.partition_index = 9;
  asked.timestamp = -4;
  EXPECT_EQ(test_.call<wire::ListOffsetsResponse>(request, 7).topics.at(0).partitions.at(0).error_code, ErrorCode::unsupported_version);
  EXPECT_EQ(test_.call<wire::ListOffsetsResponse>(request, 8).topics.at(0).partitions.at(0).error_code,
            ErrorCode::unknown_topic_or_partition);
}

TEST_F(KafkaAnswers, EndpointsAreBrokers) {
  for (const auto& [type, code] : {std::pair<std::int8_t, ErrorCode>{1, ErrorCode::none},
                                   {2, ErrorCode::mismatched_endpoint_type},
                                   {3, ErrorCode::unsupported_endpoint_type}}) {
    wire::DescribeClusterRequest request;
    request.endpoint_type = type;
    const auto response = test_.call<wire::DescribeClusterResponse>(request, 2);
    EXPECT_EQ(response.error_code, code);
    EXPECT_EQ(response.endpoint_type, 1);
  }
}

TEST_F(KafkaAnswers, ClientsHaveNames) {
  for (const auto& [name, code] : {std::pair{"a-b.c", ErrorCode::none},
                                   {"", ErrorCode::invalid_request},
                                   {"a b", ErrorCode::invalid_request},
                                   {"-a", ErrorCode::invalid_request},
                                   {"a.", ErrorCode::invalid_request}}) {
    wire::ApiVersionsRequest request;
    request.client_software_name = name;
    request.client_software_version = "1";
    EXPECT_EQ(test_.call<wire::ApiVersionsResponse>(request, 4).error_code, code) << name;
    std::swap(request.client_software_name, request.client_software_version);
    EXPECT_EQ(test_.call<wire::ApiVersionsResponse>(request, 4).error_code, code) << name;
  }
}

TEST_F(KafkaAnswers, NoKeysOfAConfigAreAllOfThem) {
  wire::DescribeConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = 2;
  resource.resource_name = "t";
  resource.configuration_keys.emplace();
  const auto response = test_.call<wire::DescribeConfigsResponse>(request, 4);
  EXPECT_GT(response.results.at(0).configs.size(), 20U);
  EXPECT_EQ(response.results[0].configs[0].documentation, std::nullopt) << "not asked for";
  EXPECT_EQ(response.results[0].error_message, "");
}

TEST_F(KafkaAnswers, AResourceIsAlteredOnceAndHasAName) {
  wire::IncrementalAlterConfigsRequest request;
  request.resources.resize(2);
  for (auto& resource : request.resources) {
    resource.resource_type = 2;
    resource.resource_name = "t";
    resource.configs = {{.name = "retention.ms", .config_operation = 0, .value = "1000"}};
  }
  for (const auto& each : test_.call<wire::IncrementalAlterConfigsResponse>(request, 1).responses)
    EXPECT_EQ(each.error_code, ErrorCode::invalid_request);
  request.resources.resize(1);
  request.resources[0].resource_name = "";
  EXPECT_EQ(test_.call<wire::IncrementalAlterConfigsResponse>(request, 1).responses.at(0).error_code, ErrorCode::invalid_request);
  request.resources[0].resource_name = "t";
  request.resources[0].configs = {{.name = "cleanup.policy", .config_operation = 2, .value = ""}};
  EXPECT_EQ(test_.call<wire::IncrementalAlterConfigsResponse>(request, 1).responses.at(0).error_code, ErrorCode::invalid_config);
  request.resources[0].resource_type = 4;
  request.resources[0].resource_name = "";
  request.resources[0].configs = {{.name = "log.retention.ms", .config_operation = 0, .value = "soon"}};
  EXPECT_EQ(test_.call<wire::IncrementalAlterConfigsResponse>(request, 1).responses.at(0).error_code, ErrorCode::invalid_request);
}

TEST_F(KafkaAnswers, ARefusedBatchTellsWhereTheLogStarts) {
  (void)test_.produce("t", batch_of({"a"}));
  const RecordBatchFields second{.producer_id = ProducerId(1), .producer_epoch = ProducerEpoch(0), .base_sequence = Sequence(5)};
  EXPECT_EQ(test_.produce("t", batch_of({"b"}, second)).log_start_offset, 0);
  EXPECT_EQ(test_.produce("t", batch_of({"b"}, {.base_offset = Offset(9)})).log_start_offset, 0);
  EXPECT_EQ(test_.produce("t", batch_of({"b"}).substr(0, 20)).log_start_offset, -1) << "none reached the log";
}

TEST_F(KafkaAnswers, AnOffsetOutOfRangeHasNoMarks) {
  (void)test_.produce("t", batch_of({"a"}));
  const auto fetched = test_.fetch("t", 2);
  EXPECT_EQ(fetched.error_code, ErrorCode::offset_out_of_range);
  EXPECT_EQ(fetched.high_watermark, -1);
  EXPECT_EQ(fetched.log_start_offset, -1);
  EXPECT_EQ(fetched.aborted_transactions, std::nullopt);
}

TEST_F(KafkaAnswers, AnEpochThatNeverWasIsOutOfRange) {
  auto request = TestBroker::fetch_request("t", 0);
  request.topics.at(0).partitions.at(0).last_fetched_epoch = 1;
  EXPECT_EQ(test_.call<wire::FetchResponse>(request, 12).responses.at(0).partitions.at(0).error_code, ErrorCode::offset_out_of_range);

  wire::OffsetForLeaderEpochRequest epochs;
  epochs.topics.emplace_back().topic = "t";
  epochs.topics[0].partitions.emplace_back().current_leader_epoch = -2;
  EXPECT_EQ(test_.call<wire::OffsetForLeaderEpochResponse>(epochs, 4).topics.at(0).partitions.at(0).error_code,
            ErrorCode::fenced_leader_epoch);
}

TEST_F(KafkaAnswers, GroupsThatThereAreNot) {
  wire::OffsetCommitRequest commit;
  commit.group_id = "none";
  commit.member_id = "m";
  commit.generation_id_or_member_epoch = 1;
  commit.topics.emplace_back().name = "t";
  commit.topics[0].partitions.emplace_back();
  EXPECT_EQ(test_.call<wire::OffsetCommitResponse>(commit, 8).topics.at(0).partitions.at(0).error_code, ErrorCode::illegal_generation);
  EXPECT_EQ(test_.call<wire::OffsetCommitResponse>(commit, 9).topics.at(0).partitions.at(0).error_code, ErrorCode::group_id_not_found);

  wire::DescribeGroupsRequest describe;
  describe.groups = {""};
  describe.include_authorized_operations = true;
  auto described = test_.call<wire::DescribeGroupsResponse>(describe, 5).groups.at(0);
  EXPECT_EQ(described.error_code, ErrorCode::none);
  EXPECT_EQ(described.group_state, "Dead");
  EXPECT_EQ(described.authorized_operations, 3400);
  described = test_.call<wire::DescribeGroupsResponse>(describe, 6).groups.at(0);
  EXPECT_EQ(described.error_code, ErrorCode::group_id_not_found);

  wire::LeaveGroupRequest leave;
  leave.members.emplace_back().member_id = "m";
  const auto left = test_.call<wire::LeaveGroupResponse>(leave, 5);
  EXPECT_EQ(left.error_code, ErrorCode::invalid_group_id);
  EXPECT_EQ(left.members.size(), 0U);
}

TEST_F(KafkaAnswers, WordsAreKafkas) {
  const auto committed = test_.start_commit_offset("g", "t", 1);
  test_.run();
  EXPECT_EQ(TestBroker::committed(committed), ErrorCode::none);
  EXPECT_EQ(test_.call<wire::ListGroupsResponse>(wire::ListGroupsRequest(), 5).groups.at(0).group_type, "classic");
  wire::FindCoordinatorRequest find;
  find.key = "g";
  EXPECT_EQ(test_.call<wire::FindCoordinatorResponse>(find, 3).error_message, "NONE");
  find.coordinator_keys = {"g"};
  EXPECT_EQ(test_.call<wire::FindCoordinatorResponse>(find, 4).coordinators.at(0).error_message, "");
}

TEST_F(KafkaAnswers, APartitionThatThereIsNotIsToldBeforeItsTransaction) {
  wire::TxnOffsetCommitRequest request;
  request.transactional_id = "none";
  request.group_id = "g";
  request.producer_id = 7;
  request.topics.emplace_back().name = "t";
  request.topics[0].partitions.resize(2);
  request.topics[0].partitions[1].partition_index = 9;
  const auto response = test_.call<wire::TxnOffsetCommitResponse>(request, 3);
  EXPECT_EQ(response.topics.at(0).partitions.at(0).error_code, ErrorCode::invalid_producer_id_mapping);
  EXPECT_EQ(response.topics[0].partitions.at(1).error_code, ErrorCode::unknown_topic_or_partition);
}

TEST_F(KafkaAnswers, WhatIsUnknownHasNoNumbers) {
  wire::DescribeTransactionsRequest describe;
  describe.transactional_ids = {"none"};
  const auto described = test_.call<wire::DescribeTransactionsResponse>(describe, 0).transaction_states.at(0);
  EXPECT_EQ(described.error_code, ErrorCode::transactional_id_not_found);
  EXPECT_EQ(described.producer_id, 0);
  wire::DescribeProducersRequest producers;
  producers.topics.emplace_back().name = "a/b";
  producers.topics[0].partition_indexes = {0};
  EXPECT_EQ(test_.call<wire::DescribeProducersResponse>(producers, 0).topics.at(0).partitions.at(0).error_code,
            ErrorCode::invalid_topic_exception);
}

}  // namespace
}  // namespace tripos::broker
