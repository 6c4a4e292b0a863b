// The records of __consumer_offsets, the partition of a group, subscriptions, and when offsets expire.
// Golden bytes are those of Kafka's own classes (OffsetCommitKey … of kafka-group-coordinator 4.1); tests/wire checks the schema against
// them.
#include <gtest/gtest.h>

#include "broker/group/committed_offsets.h"
#include "broker/group/offset_records.h"
#include "broker/group/offsets_partition.h"
#include "broker/group/subscription.h"

namespace tripos::groups {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

TEST(OffsetRecords, KeysAreKafkas) {
  EXPECT_EQ(encode(OffsetKey{"g", "t", 3}), "\0\1\0\1g\0\1t\0\0\0\3"s);
  EXPECT_EQ(encode(GroupKey{"g"}), "\0\2\0\1g"s);
}

TEST(OffsetRecords, ValuesAreKafkas) {
  EXPECT_EQ(encode(CommittedOffset{42, 7, "m", 5, std::nullopt}), "\0\3\0\0\0\0\0\0\0\x2a\0\0\0\7\0\1m\0\0\0\0\0\0\0\5"s);
  EXPECT_EQ(encode(CommittedOffset{42, 7, "m", 5, 9}), "\0\1\0\0\0\0\0\0\0\x2a\0\1m\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\x9"s);
  GroupMetadata group{"consumer", 2, "range", "m1", 8, {}};
  group.members.push_back({"m1", std::nullopt, "c", "/h", 60000, 10000, "sub", "as"});
  EXPECT_EQ(encode(group),
            "\0\3\0\x8"
            "consumer\0\0\0\2\0\5range\0\2m1\0\0\0\0\0\0\0\x8\0\0\0\1"
            "\0\2m1\xff\xff\0\1c\0\2/h\0\0\xea\x60\0\0\x27\x10\0\0\0\3sub\0\0\0\2as"s);
}

TEST(OffsetRecords, ReadBackWhatWasWritten) {
  const CommittedOffset offset{42, 7, "métadonnées", 5, std::nullopt};
  EXPECT_EQ(decode_committed_offset(encode(offset)).value(), offset);
  const CommittedOffset with_expiry{42, -1, "", 5, 9};
  EXPECT_EQ(decode_committed_offset(encode(with_expiry)).value(), with_expiry);
  GroupMetadata group{"consumer", 2, std::nullopt, std::nullopt, 8, {}};
  group.members.push_back({"m1", "static", "c", "/h", 60000, 10000, std::string(100000, 'x'), ""});
  EXPECT_EQ(decode_group_metadata(encode(group)).value(), group);
  EXPECT_EQ(std::get<OffsetKey>(decode_offsets_topic_key(encode(OffsetKey{"g", "t", 3})).value()), (OffsetKey{"g", "t", 3}));
  EXPECT_EQ(std::get<GroupKey>(decode_offsets_topic_key(encode(GroupKey{"g"})).value()), GroupKey{"g"});
}

TEST(OffsetRecords, OlderVersionsAreRead) {
  EXPECT_EQ(std::get<OffsetKey>(decode_offsets_topic_key("\0\0\0\1g\0\1t\0\0\0\3"s).value()), (OffsetKey{"g", "t", 3}));
  EXPECT_EQ(decode_committed_offset("\0\0\0\0\0\0\0\0\0\x2a\0\1m\0\0\0\0\0\0\0\5"s).value(),
            (CommittedOffset{42, -1, "m", 5, std::nullopt}));
}

TEST(OffsetRecords, WhatIsNotOursIsToldFromWhatIsBroken) {
  EXPECT_EQ(std::get<ForeignKey>(decode_offsets_topic_key("\0\3\0\1g"s).value()).version, 3);
  const Buffer whole = encode(GroupMetadata{"consumer", 2, "range", "m1", 8, {{"m1", {}, "c", "/h", 1, 1, "s", "a"}}});
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(decode_group_metadata(whole.substr(0, size))) << size;
  EXPECT_FALSE(decode_offsets_topic_key(""));
  EXPECT_FALSE(decode_offsets_topic_key("\0\1\0\5g"s));
  EXPECT_FALSE(decode_committed_offset("\0\x9"s));
}

TEST(OffsetsPartition, IsKafkas) {
  // Values of Java: "…".hashCode(), Utils.abs(…) % 50.
  EXPECT_EQ(java_hash(""), 0);
  EXPECT_EQ(java_hash("group"), 98629247);
  EXPECT_EQ(java_hash("é"), 233);
  EXPECT_EQ(java_hash("polygenelubricants"), -2147483647 - 1);
  EXPECT_EQ(java_hash("😀"), 1772899);
  EXPECT_EQ(offsets_partition("group", 50), PartitionId(47));
  EXPECT_EQ(offsets_partition("polygenelubricants", 50), PartitionId(0));
  EXPECT_EQ(offsets_partition("console-consumer-1", 1), PartitionId(0));
}

TEST(Subscription, TopicsAreReadFromAnyVersion) {
  EXPECT_EQ(parse_subscription("\0\0\0\0\0\2\0\1a\0\2bc\xff\xff\xff\xff"s).value(), (Topics{"a", "bc"}));
  EXPECT_EQ(parse_subscription("\0\1\0\0\0\1\0\1a\xff\xff\xff\xff\0\0\0\0"s).value(), (Topics{"a"}));
  EXPECT_FALSE(parse_subscription(""));
  EXPECT_FALSE(parse_subscription("\0\0\x7f\xff\xff\xff\0\1a"s));
}

// ---- Expiry

constexpr milliseconds retention = 1000ms;

WallTime wall(std::int64_t ms) { return WallTime(milliseconds(ms)); }

GroupMetadata consumer_group(bool has_member, const std::string& topic) {
  GroupMetadata metadata{"consumer", 1, "range", "m1", 0, {}};
  const Buffer subscription = "\0\0\0\0\0\1\0\1"s + topic + "\xff\xff\xff\xff"s;
  if (has_member) metadata.members.push_back({"m1", {}, "c", "/h", 10000, 10000, subscription, ""});
  return metadata;
}

std::size_t expired_count(const Group& group, const CommittedOffsets& offsets, std::int64_t state_ms, std::int64_t now_ms) {
  return expired_offsets(group, offsets, state_ms, retention, wall(now_ms)).size();
}

TEST(Expiry, OfAnEmptyGroupCountsFromWhenItBecameEmpty) {
  const Group group = Group::restore("g", {}, consumer_group(false, ""), MonotonicTime{});
  CommittedOffsets offsets;
  offsets.set("t", 0, {1, -1, "", 100, std::nullopt});
  EXPECT_EQ(expired_count(group, offsets, 5000, 5999), 0U);
  EXPECT_EQ(expired_count(group, offsets, 5000, 6000), 1U);
  EXPECT_EQ(expired_count(group, offsets, -1, 1100), 1U) << "not known: from the commit";
}

TEST(Expiry, OfASimpleConsumerCountsFromTheCommit) {
  const Group group("g", {});
  CommittedOffsets offsets;
  offsets.set("t", 0, {1, -1, "", 100, std::nullopt});
  offsets.set("t", 1, {1, -1, "", 200, std::nullopt});
  EXPECT_EQ(expired_count(group, offsets, -1, 1099), 0U);
  EXPECT_EQ(expired_count(group, offsets, -1, 1100), 1U);
  EXPECT_EQ(expired_count(group, offsets, -1, 1200), 2U);
}

TEST(Expiry, OfAStableGroupTakesOnlyTopicsThatNobodySubscribesTo) {
  const Group group = Group::restore("g", {}, consumer_group(true, "t"), MonotonicTime{});
  CommittedOffsets offsets;
  offsets.set("t", 0, {1, -1, "", 100, std::nullopt});
  offsets.set("u", 0, {1, -1, "", 100, std::nullopt});
  const auto expired = expired_offsets(group, offsets, 0, retention, wall(9999));
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].topic, "u");
  GroupMetadata unreadable = consumer_group(true, "t");
  unreadable.members[0].subscription = "?";
  EXPECT_EQ(expired_count(Group::restore("g", {}, unreadable, MonotonicTime{}), offsets, 0, 9999), 0U);
}

TEST(Expiry, ACommitsOwnTimeGoesFirstAndPendingOnesStay) {
  const Group group("g", {});
  CommittedOffsets offsets;
  offsets.set("t", 0, {1, -1, "", 100, 5000});
  EXPECT_EQ(expired_count(group, offsets, -1, 4999), 0U);
  EXPECT_EQ(expired_count(group, offsets, -1, 5000), 1U);
  offsets.begin_commit("t", 0);
  EXPECT_EQ(expired_count(group, offsets, -1, 5000), 0U);
  offsets.end_commit("t", 0);
  EXPECT_EQ(expired_count(group, offsets, -1, 5000), 1U);
}

}  // namespace
}  // namespace tripos::groups
