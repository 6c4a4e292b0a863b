// The broker over a simulated disk: requests and what they leave.
#include "broker/broker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "broker/testing.h"
#include "log/paths.h"
#include "wire/api_versions.h"
#include "wire/delete_topics.h"
#include "wire/describe_configs.h"
#include "wire/init_producer_id.h"
#include "wire/metadata.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;
using Values = std::vector<std::string>;

wire::MetadataRequest metadata_of(const std::string& name, bool create) {
  wire::MetadataRequest request;
  request.topics.emplace();
  request.topics->emplace_back().name = name;
  request.allow_auto_topic_creation = create;
  return request;
}

// ---- ApiVersions

TEST(ApiVersions, AVersionWeLackIsAnsweredInVersionZeroWithTheList) {
  TestBroker test;
  const Pending pending = test.send_frame(Bytes("\x00\x12\x00\x63\x00\x00\x00\x07\xff\xff\x00", 11));  // version 99
  const Buffer frame = pending.frame();
  ASSERT_GT(frame.size(), 10U);
  EXPECT_EQ(load_be<std::int32_t>(frame.data()), 7);
  EXPECT_EQ(load_be<std::int16_t>(frame.data() + 4), 35);  // right behind the correlation id: header version 0
  const auto response = wire::ApiVersionsResponse::decode(Bytes(frame).substr(4), 0);
  ASSERT_TRUE(response.has_value());
  EXPECT_GT(response->api_keys.size(), 5U);
}

TEST(ApiVersions, RangesAreWhatClientsNeed) {
  TestBroker test;
  const auto response = test.call<wire::ApiVersionsResponse>(wire::ApiVersionsRequest{}, 0);
  const auto range = [&](wire::ApiKey key) {
    for (const auto& each : response.api_keys) {
      if (each.api_key == static_cast<std::int16_t>(key)) return std::pair(each.min_version, each.max_version);
    }
    return std::pair<std::int16_t, std::int16_t>(-1, -1);
  };
  EXPECT_EQ(range(wire::ApiKey::produce).first, 0);   // librdkafka compresses only then
  EXPECT_GE(range(wire::ApiKey::produce).second, 7);  // zstd
  EXPECT_LE(range(wire::ApiKey::fetch).first, 4);
  EXPECT_GE(range(wire::ApiKey::fetch).second, 10);
  for (const auto key : {wire::ApiKey::find_coordinator, wire::ApiKey::init_producer_id, wire::ApiKey::join_group, wire::ApiKey::sync_group,
                         wire::ApiKey::heartbeat, wire::ApiKey::leave_group}) {
    EXPECT_EQ(range(key).first, 0) << to_string(key);
  }
}

TEST(Requests, AnUnknownOneIsRefusedAndABrokenOneEndsTheSession) {
  TestBroker test;
  const Pending unknown = test.send_frame(Bytes("\x03\xe7\x00\x00\x00\x00\x00\x07\xff\xff", 10));  // key 999
  EXPECT_EQ(unknown.frame(), Buffer("\x00\x00\x00\x07\x00\x23", 6));
  EXPECT_TRUE(test.send_frame(Bytes("\x00\x03\x00", 3)).is_closed());
  EXPECT_TRUE(test.send_frame(Bytes("\x00\x03\x00\x01\x00\x00\x00\x07\xff\xff\x7f\xff\xff\xff", 14)).is_closed());  // 2^31-1 topics
}

// ---- Topics

TEST(Topics, AreCreatedDescribedAndSurviveARestart) {
  TestBroker test;
  EXPECT_EQ(test.create_topic("exams", 3, {{"retention.ms", "-1"}}), ErrorCode::none);
  EXPECT_EQ(test.create_topic("exams", 3), ErrorCode::topic_already_exists);
  const TopicId id = test.broker().topics().find("exams")->id();
  test.restart();
  const Topic* topic = test.broker().topics().find("exams");
  ASSERT_NE(topic, nullptr);
  EXPECT_EQ(topic->id(), id);
  EXPECT_EQ(topic->partition_count(), 3);
  EXPECT_EQ(topic->config.retention_ms, -1);
}

TEST(Topics, WhatCanNotBeCreatedSaysWhy) {
  TestBroker test;
  EXPECT_EQ(test.create_topic("bad name"), ErrorCode::invalid_topic_exception);
  EXPECT_EQ(test.create_topic("t", 0), ErrorCode::invalid_partitions);
  EXPECT_EQ(test.create_topic("t", 2'000'000'000), ErrorCode::invalid_partitions);
  EXPECT_EQ(test.create_topic("t", 1, {{"no.such.key", "1"}}), ErrorCode::invalid_config);
  EXPECT_EQ(test.create_topic("t", 1, {{"cleanup.policy", "burn"}}), ErrorCode::invalid_config);
  EXPECT_EQ(test.create_topic("t"), ErrorCode::none);
}

TEST(Topics, ReplicationIsClampedDefaultsApplyAndValidateOnlyCreatesNothing) {
  TestBroker test(ConfigValues{{"num.partitions", "4"}});
  wire::CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = "t";
  topic.num_partitions = -1;
  topic.replication_factor = 3;
  request.validate_only = true;
  EXPECT_EQ(test.call<wire::CreateTopicsResponse>(request, 7).topics.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(test.broker().topics().find("t"), nullptr);
  request.validate_only = false;
  const auto created = test.call<wire::CreateTopicsResponse>(request, 7).topics.at(0);
  EXPECT_EQ(created.error_code, ErrorCode::none);
  EXPECT_EQ(created.num_partitions, 4);
  EXPECT_EQ(created.replication_factor, 1);
  request.topics.at(0).name = "u";
  request.topics.at(0).replication_factor = 0;
  EXPECT_EQ(test.call<wire::CreateTopicsResponse>(request, 7).topics.at(0).error_code, ErrorCode::invalid_replication_factor);
  request.topics.push_back(request.topics.at(0));
  const auto twice = test.call<wire::CreateTopicsResponse>(request, 7);
  ASSERT_EQ(twice.topics.size(), 1U);
  EXPECT_EQ(twice.topics.at(0).error_code, ErrorCode::invalid_request);
}

TEST(Topics, AreNotToldBeforeTheyAreDurable) {
  TestBroker test;
  wire::CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = "t";
  topic.num_partitions = 1;
  topic.replication_factor = 1;
  const Pending pending = test.send(request, 7);
  EXPECT_FALSE(pending.is_answered());
  EXPECT_EQ(test.broker().topics().find("t"), nullptr);
  test.run();
  EXPECT_TRUE(pending.is_answered());
}

TEST(Topics, ADeletionIsDurableAndTheNameIsAnotherTopicThen) {
  TestBroker test;
  test.create_topic("t");
  test.produce("t", batch_of({"a"}));
  const TopicId first = test.broker().topics().find("t")->id();
  wire::DeleteTopicsRequest request;
  request.topic_names = {"t", "unknown"};
  const auto deleted = test.call<wire::DeleteTopicsResponse>(request, 5);
  EXPECT_EQ(deleted.responses.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(deleted.responses.at(1).error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(test.fetch("t", 0).error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_FALSE(*test.files().exists("data/topics/" + first.text()));
  EXPECT_EQ(test.create_topic("t"), ErrorCode::none);
  EXPECT_NE(test.broker().topics().find("t")->id(), first);
  EXPECT_EQ(test.consume("t"), Values{});
  test.restart();
  EXPECT_EQ(test.consume("t"), Values{});
  wire::DeleteTopicsRequest by_id;
  by_id.topics.emplace_back().topic_id = test.broker().topics().find("t")->id();
  EXPECT_EQ(test.call<wire::DeleteTopicsResponse>(by_id, 6).responses.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(test.call<wire::DeleteTopicsResponse>(by_id, 6).responses.at(0).error_code, ErrorCode::unknown_topic_id);
}

TEST(Topics, AFetchThatWaitsIsToldOfTheDeletion) {
  TestBroker test;
  test.create_topic("t");
  const Pending fetch = test.send(TestBroker::fetch_request("t", 0, 60'000), 11);
  wire::DeleteTopicsRequest request;
  request.topic_names = {"t"};
  (void)test.call<wire::DeleteTopicsResponse>(request, 5);
  ASSERT_TRUE(fetch.is_answered());
  EXPECT_EQ(TestBroker::read<wire::FetchResponse>(fetch, 11).responses.at(0).partitions.at(0).error_code,
            ErrorCode::unknown_topic_or_partition);
}

TEST(Metadata, CreatesWhatBothSidesAllow) {
  TestBroker test;
  EXPECT_EQ(test.call<wire::MetadataResponse>(metadata_of("a", false), 9).topics.at(0).error_code, ErrorCode::unknown_topic_or_partition);
  const auto created = test.call<wire::MetadataResponse>(metadata_of("a", true), 9);
  EXPECT_EQ(created.topics.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(created.topics.at(0).partitions.size(), 1U);
  EXPECT_EQ(created.brokers.at(0).host, "127.0.0.1");
  EXPECT_EQ(created.brokers.at(0).port, 9092);
  EXPECT_EQ(test.call<wire::MetadataResponse>(metadata_of("no good", true), 9).topics.at(0).error_code, ErrorCode::invalid_topic_exception);
  EXPECT_EQ(test.call<wire::MetadataResponse>(metadata_of("__consumer_offsets", true), 9).topics.at(0).error_code,
            ErrorCode::unknown_topic_or_partition);

  TestBroker strict(ConfigValues{{"auto.create.topics.enable", "false"}});
  EXPECT_EQ(strict.call<wire::MetadataResponse>(metadata_of("a", true), 9).topics.at(0).error_code, ErrorCode::unknown_topic_or_partition);
}

TEST(Metadata, TwoWhoAskAtTheSameTimeGetTheSameTopic) {
  TestBroker test;
  const Pending first = test.send(metadata_of("a", true), 12);
  const Pending second = test.send(metadata_of("a", true), 12);
  test.run();
  const auto id = TestBroker::read<wire::MetadataResponse>(first, 12).topics.at(0).topic_id;
  EXPECT_EQ(TestBroker::read<wire::MetadataResponse>(second, 12).topics.at(0).topic_id, id);
  EXPECT_FALSE(id.is_zero());
}

TEST(Metadata, AllTopicsAndTopicsById) {
  TestBroker test;
  test.create_topic("b");
  test.create_topic("a", 2);
  wire::MetadataRequest all;
  all.topics.emplace();
  EXPECT_EQ(test.call<wire::MetadataResponse>(all, 0).topics.size(), 2U);  // version 0: none named is all
  EXPECT_EQ(test.call<wire::MetadataResponse>(all, 1).topics.size(), 0U);
  all.topics.reset();
  EXPECT_EQ(test.call<wire::MetadataResponse>(all, 1).topics.size(), 2U);
  wire::MetadataRequest by_id;
  by_id.topics.emplace();
  for (const TopicId& id : {test.broker().topics().find("a")->id(), Uuid::random()}) {
    auto& asked = by_id.topics->emplace_back();
    asked.topic_id = id;
    asked.name.reset();
  }
  const auto response = test.call<wire::MetadataResponse>(by_id, 12);
  EXPECT_EQ(response.topics.at(0).name, "a");
  EXPECT_EQ(response.topics.at(1).error_code, ErrorCode::unknown_topic_id);
}

TEST(DescribeConfigs, TellsValuesAndWhereTheyComeFrom) {
  TestBroker test(ConfigValues{{"log.segment.bytes", "5000"}});
  test.create_topic("t", 1, {{"cleanup.policy", "compact"}});
  wire::DescribeConfigsRequest request;
  request.include_synonyms = true;
  request.include_documentation = true;
  request.resources.push_back({.resource_type = 2, .resource_name = "t", .configuration_keys = {}});
  request.resources.push_back({.resource_type = 4, .resource_name = "1", .configuration_keys = std::vector<std::string>{"num.partitions"}});
  request.resources.push_back({.resource_type = 2, .resource_name = "unknown", .configuration_keys = {}});
  request.resources.push_back({.resource_type = 99, .resource_name = "", .configuration_keys = {}});
  const auto response = test.call<wire::DescribeConfigsResponse>(request, 4);
  const auto& configs = response.results.at(0).configs;
  EXPECT_EQ(configs.size(), topic_keys().size());
  const auto find = [&](std::string_view name) {
    return *std::ranges::find(configs, name, [](const auto& each) { return std::string_view(each.name); });
  };
  EXPECT_EQ(find("cleanup.policy").value, "compact");
  EXPECT_EQ(find("cleanup.policy").config_source, 1);
  EXPECT_EQ(find("segment.bytes").value, "5000");
  EXPECT_EQ(find("segment.bytes").config_source, 4);
  EXPECT_EQ(find("retention.ms").value, "604800000");
  EXPECT_EQ(find("retention.ms").config_source, 5);
  EXPECT_TRUE(find("retention.ms").documentation.has_value());
  ASSERT_EQ(response.results.at(1).configs.size(), 1U);
  EXPECT_EQ(response.results.at(1).configs.at(0).value, "1");
  EXPECT_EQ(response.results.at(2).error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(response.results.at(3).error_code, ErrorCode::invalid_request);
}

// ---- Damage and stops

// A stopped broker with three records in "good" and in "bad"; the segment of "bad".
std::string stop_with_records(TestBroker& test) {
  test.create_topic("good");
  test.create_topic("bad");
  for (int i = 0; i < 3; ++i) {
    (void)test.produce("good", batch_of({"a"}));
    (void)test.produce("bad", batch_of({"a"}));
  }
  bool stopped = false;
  test.broker().stop([&] { stopped = true; });
  test.run();
  EXPECT_TRUE(stopped);
  return log::segment_path(
      log::partition_directory("data", {.topic = test.broker().topics().find("bad")->id(), .partition = PartitionId(0)}), Offset(0));
}

TEST(Broker, ADamagedPartitionIsRefusedAndTheOthersServe) {
  TestBroker test;
  const std::string log = stop_with_records(test);
  {
    const auto file = test.files().open(log, io::OpenMode::write).value();
    ASSERT_TRUE(file->truncate(file->size().value() - 1));  // below what the checkpoint says is durable
  }
  test.restart();
  ASSERT_TRUE(test.is_open());
  EXPECT_EQ(test.consume("good").size(), 3U);
  EXPECT_EQ(test.fetch("bad", 0).error_code, ErrorCode::kafka_storage_error);
  EXPECT_EQ(test.produce("bad", batch_of({"b"})).error_code, ErrorCode::kafka_storage_error);
  ASSERT_FALSE(test.warnings().empty());
  EXPECT_NE(test.warnings().front().find(log), std::string::npos) << test.warnings().front();
}

// Recovery reads only what lies above the checkpoint. What is damaged below it goes out as it is: the reader's checksum finds it.
TEST(Broker, DamageBelowTheCheckpointReachesReadersWithItsChecksum) {
  TestBroker test;
  test.files().damage(stop_with_records(test), 30, '\x40');
  test.restart();
  ASSERT_TRUE(test.is_open());
  const auto fetched = test.fetch("bad", 0);
  EXPECT_EQ(fetched.error_code, ErrorCode::none);
  EXPECT_EQ(fetched.high_watermark, 3);
  EXPECT_EQ(test.produce("bad", batch_of({"b"})).base_offset, 3);
}

TEST(Broker, ADamagedMetadataLogIsAnError) {
  TestBroker test;
  for (int i = 0; i < 3; ++i) test.create_topic("t" + std::to_string(i));
  bool stopped = false;
  test.broker().stop([&] { stopped = true; });
  test.run();
  test.files().damage(log::segment_path(log::metadata_directory("data"), Offset(0)), 80, '\x40');
  test.restart();
  EXPECT_FALSE(test.is_open());
  EXPECT_NE(test.open_error().find("metadata"), std::string::npos) << test.open_error();
}

TEST(Broker, AStopAnswersWhoWaitsAndRefusesWhoComes) {
  TestBroker test;
  test.create_topic("t");
  const Pending fetch = test.send(TestBroker::fetch_request("t", 0, 60'000), 11);
  const Pending produce = test.start_produce("t", batch_of({"a"}));
  bool stopped = false;
  test.broker().stop([&] { stopped = true; });
  EXPECT_TRUE(test.start_produce("t", batch_of({"b"})).is_closed());
  test.run();
  EXPECT_TRUE(stopped);
  EXPECT_TRUE(fetch.is_answered());
  EXPECT_EQ(TestBroker::produced(produce).error_code, ErrorCode::none);
}

}  // namespace
}  // namespace tripos::broker
