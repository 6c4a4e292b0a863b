#include "broker/metadata_record.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "broker/topic_registry.h"

namespace tripos::broker {
namespace {

Result<MetadataRecord> decoded(const EncodedMetadata& encoded) {
  return decode_metadata(encoded.key, encoded.value ? std::optional<Bytes>(*encoded.value) : std::nullopt);
}

TEST(MetadataRecord, ReadsBackAsWritten) {
  const MetadataRecord records[] = {
      TopicRecord{
          .id = Uuid::random(), .name = "exams", .partition_count = 3, .config = {{"cleanup.policy", "compact"}, {"retention.ms", "-1"}}},
      TopicRecord{.id = Uuid::random(), .name = std::string(249, 'x'), .partition_count = 100'000, .config = {}},
      TopicDeleted{.id = Uuid::random()},
      ProducerIdBlock{.next = ProducerId(1LL << 40)},
      ClusterRecord{.id = Uuid::random()},
      DynamicConfigRecord{.scope = DynamicScope::all_brokers, .values = {{"log.retention.ms", "5"}}},
      DynamicConfigRecord{.scope = DynamicScope::this_broker, .values = {}},
  };
  for (const MetadataRecord& record : records) {
    const auto read = decoded(encode_metadata(record));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, record);
  }
}

TEST(MetadataRecord, BytesAreStable) {  // a directory written by any release must open
  TopicRecord topic{.id = {}, .name = "t", .partition_count = 2, .config = {{"a", "bc"}}};
  topic.id.bytes.fill('\x11');
  const EncodedMetadata encoded = encode_metadata(topic);
  EXPECT_EQ(encoded.key, Buffer("\x01", 1) + Buffer(16, '\x11'));
  EXPECT_EQ(*encoded.value, Buffer("\x00\x01t\x02\x01\x01"
                                   "a\x02"
                                   "bc",
                                   10));
}

TEST(MetadataRecord, EveryCutIsRefused) {
  const EncodedMetadata encoded =
      encode_metadata(TopicRecord{.id = Uuid::random(), .name = "exams", .partition_count = 3, .config = {{"retention.ms", "-1"}}});
  for (std::size_t size = 0; size < encoded.value->size(); ++size) {
    EXPECT_FALSE(decode_metadata(encoded.key, Bytes(*encoded.value).substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(decode_metadata(encoded.key, *encoded.value + "x").has_value());
}

TEST(MetadataRecord, WhatANewerProgramWroteIsRefusedNotGuessed) {
  EncodedMetadata encoded = encode_metadata(ProducerIdBlock{.next = ProducerId(5)});
  (*encoded.value)[0] = 1;
  EXPECT_EQ(decoded(encoded).error().code, ErrorCode::unsupported);
  EXPECT_EQ(decode_metadata("\x7f", Buffer(1, '\0')).error().code, ErrorCode::unsupported);
}

TEST(MetadataRecord, AnyBytesAreReadOrRefused) {
  EXPECT_TRUE(rc::check("any bytes", [](const std::string& key, const std::string& value) {
    (void)decode_metadata(key, value);
    (void)decode_metadata("\x01" + std::string(16, 'i'), std::string(1, '\0') + value);
  }));
}

TEST(TopicNames, FollowKafkasRules) {
  for (const char* good : {"exams", "a.b_c-D9", "__consumer_offsets"}) EXPECT_TRUE(check_topic_name(good)) << good;
  for (const char* bad : {"", ".", "..", "a b", "exäms", "a/b", "a\n"}) EXPECT_FALSE(check_topic_name(bad)) << bad;
  EXPECT_TRUE(check_topic_name(std::string(249, 'a')));
  EXPECT_FALSE(check_topic_name(std::string(250, 'a')));
}

TEST(TopicRegistry, GoesThroughItsStates) {
  TopicRegistry registry;
  const TopicId id = Uuid::random();
  const auto record = [](const TopicId& topic, const char* name) {
    return TopicRecord{.id = topic, .name = name, .partition_count = 1, .config = {}};
  };
  ASSERT_TRUE(registry.begin_create(record(id, "exams")));
  EXPECT_EQ(registry.begin_create(record(Uuid::random(), "exams")).error().code, wire::ErrorCode::topic_already_exists);
  EXPECT_FALSE(registry.begin_delete(id));  // not yet there
  registry.created(id);
  EXPECT_EQ(registry.begin_create(record(Uuid::random(), "exams")).error().code, wire::ErrorCode::topic_already_exists);
  ASSERT_TRUE(registry.begin_delete(id));
  EXPECT_FALSE(registry.begin_delete(id));
  EXPECT_FALSE(registry.check_create("exams"));  // taken until the deletion is durable
  registry.delete_failed(id);
  EXPECT_EQ(registry.find(id)->state, TopicState::live);
  ASSERT_TRUE(registry.begin_delete(id));
  registry.deleted(id);
  EXPECT_EQ(registry.find("exams"), nullptr);
  const TopicId another = Uuid::random();
  ASSERT_TRUE(registry.begin_create(record(another, "exams")));
  registry.create_failed(another);
  EXPECT_EQ(registry.find("exams"), nullptr);
}

TEST(TopicRegistry, RefusesNamesThatCollideInMetricNames) {
  TopicRegistry registry;
  const TopicId id = Uuid::random();
  ASSERT_TRUE(registry.begin_create({.id = id, .name = "a.b", .partition_count = 1, .config = {}}));
  EXPECT_EQ(registry.check_create("a_b").error().code, wire::ErrorCode::invalid_topic_exception);
  registry.create_failed(id);
  EXPECT_TRUE(registry.check_create("a_b"));
}

}  // namespace
}  // namespace tripos::broker
