// What administrators ask for: partitions, configurations, sizes, the cluster; and that it is there after a restart.
#include <gtest/gtest.h>

#include "broker/testing.h"
#include "wire/alter_configs.h"
#include "wire/create_partitions.h"
#include "wire/describe_cluster.h"
#include "wire/describe_configs.h"
#include "wire/describe_log_dirs.h"
#include "wire/describe_topic_partitions.h"
#include "wire/incremental_alter_configs.h"
#include "wire/list_partition_reassignments.h"
#include "wire/metadata.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;

constexpr std::int8_t topic_type = 2;
constexpr std::int8_t broker_type = 4;
enum Operation : std::int8_t { set, remove, append, subtract };

struct Edit {
  std::string name;
  std::int8_t operation;
  std::optional<std::string> value;
};

wire::IncrementalAlterConfigsRequest edit_request(std::int8_t type, const std::string& name, const std::vector<Edit>& edits) {
  wire::IncrementalAlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = type;
  resource.resource_name = name;
  for (const Edit& edit : edits) {
    resource.configs.push_back({.name = edit.name, .config_operation = edit.operation, .value = edit.value});
  }
  return request;
}

ErrorCode alter(TestBroker& test, std::int8_t type, const std::string& name, const std::vector<Edit>& edits, bool validate_only = false) {
  auto request = edit_request(type, name, edits);
  request.validate_only = validate_only;
  return test.call<wire::IncrementalAlterConfigsResponse>(request, 1).responses.at(0).error_code;
}

// "value (source)"; "" if it is not told.
std::string config(TestBroker& test, std::int8_t type, const std::string& name, const std::string& key) {
  wire::DescribeConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = type;
  resource.resource_name = name;
  resource.configuration_keys = {key};
  const auto response = test.call<wire::DescribeConfigsResponse>(request, 4);
  const auto& result = response.results.at(0);
  if (result.configs.empty()) return "";
  return fmt::format("{} ({})", result.configs.front().value.value_or("null"), result.configs.front().config_source);
}

wire::CreatePartitionsResponse create_partitions(TestBroker& test, const std::string& topic, std::int32_t count,
                                                 bool validate_only = false) {
  wire::CreatePartitionsRequest request;
  request.validate_only = validate_only;
  auto& asked = request.topics.emplace_back();
  asked.name = topic;
  asked.count = count;
  asked.assignments = std::nullopt;
  return test.call<wire::CreatePartitionsResponse>(request, 3);
}
ErrorCode code_of(const wire::CreatePartitionsResponse& response) { return response.results.at(0).error_code; }

TEST(CreatePartitions, AddsThemDurablyAndKeepsRecords) {
  TestBroker test;
  test.create_topic("exams", 1);
  test.produce("exams", batch_of({"first"}));
  EXPECT_EQ(code_of(create_partitions(test, "exams", 3, true)), ErrorCode::none);
  EXPECT_EQ(test.broker().topics().find("exams")->partition_count(), 1);
  EXPECT_EQ(code_of(create_partitions(test, "exams", 3)), ErrorCode::none);
  EXPECT_EQ(test.produce("exams", batch_of({"third"}), 2).error_code, ErrorCode::none);
  test.cut_power(io::Survival::nothing, 3);
  EXPECT_EQ(test.broker().topics().find("exams")->partition_count(), 3);
  EXPECT_EQ(test.consume("exams", 0), std::vector<std::string>{"first"});
  EXPECT_EQ(test.consume("exams", 2), std::vector<std::string>{"third"});
}

TEST(CreatePartitions, RefusesWhatIsNoIncrease) {
  TestBroker test;
  test.create_topic("exams", 2);
  EXPECT_EQ(code_of(create_partitions(test, "exams", 2)), ErrorCode::invalid_partitions);
  EXPECT_EQ(code_of(create_partitions(test, "exams", 1)), ErrorCode::invalid_partitions);
  EXPECT_EQ(code_of(create_partitions(test, "exams", partition_count_max + 1)), ErrorCode::invalid_partitions);
  EXPECT_EQ(code_of(create_partitions(test, "none", 2)), ErrorCode::unknown_topic_or_partition);
  wire::CreatePartitionsRequest request;
  request.topics.resize(2);
  for (auto& topic : request.topics) {
    topic.name = "exams";
    topic.count = 4;
    topic.assignments = std::nullopt;
  }
  EXPECT_EQ(code_of(test.call<wire::CreatePartitionsResponse>(request, 3)), ErrorCode::invalid_request);
  request.topics.resize(1);
  request.topics[0].assignments.emplace(2);
  request.topics[0].assignments->at(0).broker_ids = {1};
  request.topics[0].assignments->at(1).broker_ids = {7};
  EXPECT_EQ(code_of(test.call<wire::CreatePartitionsResponse>(request, 3)), ErrorCode::invalid_replica_assignment);
  EXPECT_EQ(test.broker().topics().find("exams")->partition_count(), 2);
}

TEST(CreatePartitions, OfADeletedTopicDoNothing) {
  TestBroker test;
  test.create_topic("exams", 1);
  Outcome<Topic*> outcome = nullptr;
  const TopicId id = test.broker().topics().find("exams")->id();
  test.broker().topics().change(
      id,
      [](TopicRecord record) {
        record.partition_count = 5;
        return Outcome<TopicRecord>(record);
      },
      [&](const Outcome<Topic*>& changed) { outcome = changed; });
  test.broker().topics().remove(id, [](const Outcome<>&) {});
  test.run();
  EXPECT_FALSE(outcome.has_value());
  test.restart();
  EXPECT_EQ(test.broker().topics().find("exams"), nullptr);
}

TEST(AlterConfigs, SetsOneValueAndKeepsTheOthers) {
  TestBroker test;
  test.create_topic("exams", 1, {{"retention.ms", "-1"}});
  EXPECT_EQ(alter(test, topic_type, "exams", {{"max.message.bytes", set, "100"}}), ErrorCode::none);
  EXPECT_EQ(config(test, topic_type, "exams", "retention.ms"), "-1 (1)");
  EXPECT_EQ(config(test, topic_type, "exams", "max.message.bytes"), "100 (1)");
  EXPECT_EQ(test.produce("exams", batch_of({std::string(200, 'x')})).error_code, ErrorCode::message_too_large);
  EXPECT_EQ(alter(test, topic_type, "exams", {{"max.message.bytes", remove, std::nullopt}}), ErrorCode::none);
  EXPECT_EQ(config(test, topic_type, "exams", "max.message.bytes"), "1048588 (5)");
  test.cut_power(io::Survival::nothing, 5);
  EXPECT_EQ(config(test, topic_type, "exams", "retention.ms"), "-1 (1)");
  EXPECT_EQ(test.produce("exams", batch_of({std::string(200, 'x')})).error_code, ErrorCode::none);
}

TEST(AlterConfigs, ListsGrowAndShrink) {
  TestBroker test;
  test.create_topic("exams");
  EXPECT_EQ(alter(test, topic_type, "exams", {{"cleanup.policy", append, "compact"}}), ErrorCode::none);
  EXPECT_EQ(config(test, topic_type, "exams", "cleanup.policy"), "delete,compact (1)");
  EXPECT_EQ(alter(test, topic_type, "exams", {{"cleanup.policy", append, "compact"}}), ErrorCode::none);
  EXPECT_EQ(alter(test, topic_type, "exams", {{"cleanup.policy", subtract, "delete"}}), ErrorCode::none);
  EXPECT_EQ(config(test, topic_type, "exams", "cleanup.policy"), "compact (1)");
  EXPECT_EQ(alter(test, topic_type, "exams", {{"retention.ms", append, "1"}}), ErrorCode::invalid_config);
  EXPECT_EQ(alter(test, topic_type, "exams", {{"cleanup.policy", subtract, "compact"}}), ErrorCode::invalid_config);
}

TEST(AlterConfigs, WhatIsWrongIsRefusedWhole) {
  TestBroker test;
  test.create_topic("exams");
  EXPECT_EQ(alter(test, topic_type, "exams", {{"retention.ms", set, "5"}, {"no.such.key", set, "1"}}), ErrorCode::invalid_config);
  EXPECT_EQ(alter(test, topic_type, "exams", {{"retention.ms", set, "soon"}}), ErrorCode::invalid_config);
  EXPECT_EQ(alter(test, topic_type, "exams", {{"retention.ms", set, std::nullopt}}), ErrorCode::invalid_request);
  EXPECT_EQ(alter(test, topic_type, "exams", {{"retention.ms", set, "5"}, {"retention.ms", set, "6"}}), ErrorCode::invalid_request);
  EXPECT_EQ(alter(test, topic_type, "exams", {{"retention.ms", 9, "5"}}), ErrorCode::invalid_request);
  EXPECT_EQ(alter(test, topic_type, "none", {{"retention.ms", set, "5"}}), ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(alter(test, 3, "exams", {}), ErrorCode::invalid_request);
  EXPECT_EQ(alter(test, topic_type, "exams", {{"retention.ms", set, "5"}}, true), ErrorCode::none);
  EXPECT_EQ(config(test, topic_type, "exams", "retention.ms"), "604800000 (5)");
}

TEST(AlterConfigs, TheOldRequestReplacesAllValues) {
  TestBroker test;
  test.create_topic("exams", 1, {{"retention.ms", "7"}});
  wire::AlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = topic_type;
  resource.resource_name = "exams";
  resource.configs.push_back({.name = "segment.ms", .value = "9"});
  EXPECT_EQ(test.call<wire::AlterConfigsResponse>(request, 2).responses.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(config(test, topic_type, "exams", "segment.ms"), "9 (1)");
  EXPECT_EQ(config(test, topic_type, "exams", "retention.ms"), "604800000 (5)");
}

TEST(AlterConfigs, ChangesAtTheSameTimeBothStand) {
  TestBroker test;
  test.create_topic("exams");
  const Pending first = test.send(edit_request(topic_type, "exams", {{"retention.ms", set, "5"}}), 1);
  const Pending second = test.send(edit_request(topic_type, "exams", {{"segment.ms", set, "6"}}), 1);
  const Pending third = test.send(edit_request(broker_type, "", {{"log.retention.bytes", set, "7"}}), 1);
  const Pending fourth = test.send(edit_request(broker_type, "", {{"log.cleanup.policy", set, "compact"}}), 1);
  EXPECT_FALSE(first.is_answered() || second.is_answered() || third.is_answered() || fourth.is_answered());  // none is durable
  test.run();
  EXPECT_EQ(config(test, topic_type, "exams", "retention.ms"), "5 (1)");
  EXPECT_EQ(config(test, topic_type, "exams", "segment.ms"), "6 (1)");
  EXPECT_EQ(config(test, topic_type, "exams", "retention.bytes"), "7 (3)");
  EXPECT_EQ(config(test, topic_type, "exams", "cleanup.policy"), "compact (3)");
}

TEST(AlterConfigs, TheBrokersDefaultsReachItsTopicsAndSurvive) {
  TestBroker test(ConfigValues{{"log.segment.bytes", "1000000"}});
  test.create_topic("exams");
  EXPECT_EQ(config(test, topic_type, "exams", "segment.bytes"), "1000000 (4)");
  EXPECT_EQ(alter(test, broker_type, "", {{"log.segment.bytes", set, "2000000"}}), ErrorCode::none);
  EXPECT_EQ(config(test, topic_type, "exams", "segment.bytes"), "2000000 (3)");
  EXPECT_EQ(alter(test, broker_type, "1", {{"log.segment.bytes", set, "3000000"}}), ErrorCode::none);
  test.cut_power(io::Survival::nothing, 9);
  EXPECT_EQ(config(test, topic_type, "exams", "segment.bytes"), "3000000 (2)");
  EXPECT_EQ(config(test, broker_type, "1", "log.segment.bytes"), "3000000 (2)");
  EXPECT_EQ(config(test, broker_type, "", "log.segment.bytes"), "2000000 (3)");
  EXPECT_EQ(test.broker().topics().find("exams")->config.segment_bytes, 3'000'000);
  EXPECT_EQ(alter(test, broker_type, "1", {{"log.segment.bytes", remove, std::nullopt}}), ErrorCode::none);
  EXPECT_EQ(alter(test, broker_type, "", {{"log.segment.bytes", remove, std::nullopt}}), ErrorCode::none);
  EXPECT_EQ(config(test, broker_type, "1", "log.segment.bytes"), "1000000 (4)");
  EXPECT_EQ(alter(test, broker_type, "1", {{"node.id", set, "2"}}), ErrorCode::invalid_request);
  EXPECT_EQ(alter(test, broker_type, "2", {{"log.segment.bytes", set, "2000000"}}), ErrorCode::invalid_request);
}

TEST(AlterConfigs, ASmallerSegmentIsRolledAtTheNextAppend) {
  TestBroker test;
  test.create_topic("exams");
  for (int i = 0; i < 3; ++i) test.produce("exams", batch_of({std::string(500, 'x')}));
  EXPECT_EQ(alter(test, topic_type, "exams", {{"segment.bytes", set, "1000"}}), ErrorCode::none);
  for (int i = 0; i < 3; ++i) test.produce("exams", batch_of({std::string(500, 'y')}));
  const auto partition = test.broker().topics().partition("exams", PartitionId(0));
  ASSERT_TRUE(partition.has_value());
  EXPECT_EQ((*partition)->log()->segments()->size(), 4U);
}

TEST(DescribeLogDirs, TellsSizesAndSpace) {
  TestBroker test;
  test.files().set_capacity(1'000'000'000);
  test.create_topic("exams", 2);
  test.produce("exams", batch_of({"value"}), 1);
  const auto response = test.call<wire::DescribeLogDirsResponse>(wire::DescribeLogDirsRequest{.topics = std::nullopt}, 4);
  ASSERT_EQ(response.results.size(), 1U);
  EXPECT_EQ(response.results[0].total_bytes, 1'000'000'000);
  EXPECT_LT(response.results[0].usable_bytes, 1'000'000'000);
  ASSERT_EQ(response.results[0].topics.size(), 1U);
  const auto& partitions = response.results[0].topics[0].partitions;
  ASSERT_EQ(partitions.size(), 2U);
  EXPECT_EQ(partitions[0].partition_size, 0);
  EXPECT_GT(partitions[1].partition_size, 60);
}

TEST(DescribeCluster, NamesTheOneBroker) {
  TestBroker test;
  const auto response = test.call<wire::DescribeClusterResponse>(wire::DescribeClusterRequest{}, 2);
  EXPECT_EQ(response.cluster_id, test.broker().cluster_id());
  ASSERT_EQ(response.brokers.size(), 1U);
  EXPECT_EQ(response.brokers[0].broker_id, response.controller_id);
  EXPECT_EQ(test.call<wire::DescribeClusterResponse>(wire::DescribeClusterRequest{.endpoint_type = 2}, 2).error_code,
            ErrorCode::mismatched_endpoint_type);
  EXPECT_TRUE(test.call<wire::ListPartitionReassignmentsResponse>(wire::ListPartitionReassignmentsRequest{}, 0).topics.empty());
}

TEST(DescribeTopicPartitions, ComesInPages) {
  TestBroker test;
  test.create_topic("a", 3);
  test.create_topic("b", 2);
  wire::DescribeTopicPartitionsRequest request;
  request.response_partition_limit = 2;
  std::vector<std::string> seen;
  int pages = 0;
  while (true) {
    const auto response = test.call<wire::DescribeTopicPartitionsResponse>(request, 0);
    ++pages;
    for (const auto& topic : response.topics) {
      for (const auto& partition : topic.partitions) seen.push_back(fmt::format("{}-{}", *topic.name, partition.partition_index));
    }
    if (!response.next_cursor) break;
    request.cursor.emplace(wire::DescribeTopicPartitionsRequest::Cursor{});
    request.cursor->topic_name = response.next_cursor->topic_name;
    request.cursor->partition_index = response.next_cursor->partition_index;
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"a-0", "a-1", "a-2", "b-0", "b-1"}));
  EXPECT_EQ(pages, 3);
  wire::DescribeTopicPartitionsRequest unknown;
  unknown.topics.push_back({.name = "none"});
  EXPECT_EQ(test.call<wire::DescribeTopicPartitionsResponse>(unknown, 0).topics.at(0).error_code, ErrorCode::unknown_topic_or_partition);
}

}  // namespace
}  // namespace tripos::broker
