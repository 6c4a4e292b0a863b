// Records that leave the log: by DeleteRecords, by retention.
#include "broker/trimming.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/retention.h"
#include "broker/testing_transactions.h"
#include "log/paths.h"
#include "wire/delete_records.h"
#include "wire/delete_topics.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;

struct Deleted {
  ErrorCode error;
  std::int64_t low_watermark;
  friend bool operator==(const Deleted&, const Deleted&) = default;
};

wire::DeleteRecordsRequest delete_request(const std::string& topic, std::int64_t offset, std::int32_t partition = 0) {
  wire::DeleteRecordsRequest request;
  auto& asked = request.topics.emplace_back();
  asked.name = topic;
  asked.partitions.push_back({.partition_index = partition, .offset = offset});
  return request;
}

Deleted read_deleted(const Pending& pending) {
  const auto response = TestBroker::read<wire::DeleteRecordsResponse>(pending, 2);
  const auto& partition = response.topics.at(0).partitions.at(0);
  return {partition.error_code, partition.low_watermark};
}

Deleted delete_records(TestBroker& test, const std::string& topic, std::int64_t offset, std::int32_t partition = 0) {
  const Pending pending = test.send(delete_request(topic, offset, partition), 2);
  test.run();
  return read_deleted(pending);
}

std::vector<std::string> segments_of(TestBroker& test, const std::string& topic) {
  std::vector<std::string> names;
  const std::string directory =
      log::partition_directory("data", {.topic = test.broker().topics().find(topic)->id(), .partition = PartitionId(0)});
  for (const auto& entry : test.files().list(directory).value_or(std::vector<io::DirectoryEntry>())) {
    if (log::segment_base_offset(entry.name)) names.push_back(entry.name);
  }
  return names;
}

TEST(DeleteRecords, MovesTheStartForEverybodyWhoAsks) {
  TestBroker test;
  test.create_topic("t", 1, {{"segment.bytes", "200"}});
  for (int i = 0; i < 10; ++i) test.produce("t", batch_of({"value " + std::to_string(i)}));
  const std::size_t segments = segments_of(test, "t").size();
  ASSERT_GT(segments, 3U);
  EXPECT_EQ(delete_records(test, "t", 7), (Deleted{ErrorCode::none, 7}));
  EXPECT_EQ(test.fetch("t", 6).error_code, ErrorCode::offset_out_of_range);
  EXPECT_EQ(test.fetch("t", 7).error_code, ErrorCode::none);
  EXPECT_EQ(test.fetch("t", 7).log_start_offset, 7);
  EXPECT_EQ(test.list_offsets("t", -2).offset, 7);
  EXPECT_EQ(test.list_offsets("t", 0).offset, 7) << "the first record that is there";
  EXPECT_EQ(test.produce("t", batch_of({"next"})).log_start_offset, 7);
  EXPECT_LT(segments_of(test, "t").size(), segments);
  EXPECT_EQ(delete_records(test, "t", 3), (Deleted{ErrorCode::none, 7})) << "a start never goes back";
  test.restart();
  EXPECT_EQ(test.list_offsets("t", -2).offset, 7);
  EXPECT_EQ(delete_records(test, "t", -1), (Deleted{ErrorCode::none, 11}));
  EXPECT_EQ(test.list_offsets("t", -2).offset, 11);
  EXPECT_EQ(test.list_offsets("t", -1).offset, 11);
  EXPECT_EQ(test.produce("t", batch_of({"later"})).base_offset, 11);
}

TEST(DeleteRecords, WhatCannotBeDeletedIsRefused) {
  TestBroker test;
  test.create_topic("t");
  test.create_topic("keys", 1, {{"cleanup.policy", "compact"}});
  test.create_topic("both", 1, {{"cleanup.policy", "compact,delete"}});
  test.produce("t", batch_of({"a", "b"}));
  EXPECT_EQ(delete_records(test, "t", 3), (Deleted{ErrorCode::offset_out_of_range, -1}));
  EXPECT_EQ(delete_records(test, "t", -2), (Deleted{ErrorCode::offset_out_of_range, -1}));
  EXPECT_EQ(delete_records(test, "t", 1, 1), (Deleted{ErrorCode::unknown_topic_or_partition, -1}));
  EXPECT_EQ(delete_records(test, "none", 1), (Deleted{ErrorCode::unknown_topic_or_partition, -1}));
  EXPECT_EQ(delete_records(test, "keys", 0), (Deleted{ErrorCode::policy_violation, -1}));
  EXPECT_EQ(delete_records(test, "both", 0), (Deleted{ErrorCode::none, 0}));
  ASSERT_EQ(TestProducer(test, "x").init(), ErrorCode::none);  // makes the coordinator's topic
  EXPECT_EQ(delete_records(test, "__transaction_state", 0), (Deleted{ErrorCode::invalid_topic_exception, -1}));
}

TEST(DeleteRecords, AnIdempotentProducerGoesOnThoughItsRecordsAreGone) {
  TestBroker test;
  test.create_topic("t");
  for (std::int32_t i = 0; i < 6; ++i) test.produce("t", batch_of({"v"}, producer_fields(7, 0, i)));
  ASSERT_EQ(delete_records(test, "t", -1).error, ErrorCode::none);
  test.restart();
  const auto again = test.produce("t", batch_of({"v"}, producer_fields(7, 0, 5)));
  EXPECT_EQ(again.error_code, ErrorCode::none);
  EXPECT_EQ(again.base_offset, 5) << "known as a duplicate";
  const auto next = test.produce("t", batch_of({"v"}, producer_fields(7, 0, 6)));
  EXPECT_EQ(next.error_code, ErrorCode::none);
  EXPECT_EQ(next.base_offset, 6);
  EXPECT_EQ(test.produce("t", batch_of({"v"}, producer_fields(7, 0, 9))).error_code, ErrorCode::out_of_order_sequence_number);
}

TEST(DeleteRecords, TheStableOffsetIsNeverBelowTheStart) {
  TestBroker test;
  test.create_topic("t");
  TestProducer open(test, "x");
  ASSERT_EQ(open.init(), ErrorCode::none);
  ASSERT_EQ(open.add("t"), ErrorCode::none);
  ASSERT_EQ(open.send("t", {"a", "b"}), ErrorCode::none);
  test.produce("t", batch_of({"c"}));
  ASSERT_EQ(delete_records(test, "t", 2), (Deleted{ErrorCode::none, 2}));
  EXPECT_EQ(test.fetch("t", 2).last_stable_offset, 2);
  test.restart();
  EXPECT_EQ(test.fetch("t", 2).last_stable_offset, 2);
  ASSERT_EQ(open.end(false), ErrorCode::none);
  EXPECT_EQ(test.fetch("t", 2).last_stable_offset, 4);
}

TEST(Trimming, NothingGoesBeforeTheGuardHasAnswered) {
  std::vector<LeavingRecords> asked;
  std::function<void(const Result<Offset>&)> answer;
  TestBroker test({}, 1, [&](const LeavingRecords& leaving, std::function<void(const Result<Offset>&)> allowed) {
    asked.push_back(leaving);
    answer = std::move(allowed);
  });
  test.create_topic("t");
  test.produce("t", batch_of({"a", "b", "c"}));
  Pending pending = test.send(delete_request("t", 3), 2);
  test.run();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].end, Offset(3));
  EXPECT_EQ(asked[0].trim, log::Trim::deletion);
  EXPECT_FALSE(pending.is_answered());
  EXPECT_EQ(test.list_offsets("t", -2).offset, 0);
  answer(Offset(2));
  test.run();
  EXPECT_EQ(read_deleted(pending), (Deleted{ErrorCode::none, 2}));
  pending = test.send(delete_request("t", 3), 2);
  answer(Result<Offset>(fail(tripos::ErrorCode::no_space, "no room for what must be made first")));
  EXPECT_EQ(read_deleted(pending), (Deleted{ErrorCode::kafka_storage_error, -1}));
  EXPECT_EQ(test.list_offsets("t", -2).offset, 2);
}

TEST(Trimming, WhoeverWaitsIsToldWhenTheTopicGoes) {
  std::function<void(const Result<Offset>&)> answer;
  TestBroker test({}, 1, [&](const LeavingRecords&, std::function<void(const Result<Offset>&)> allowed) { answer = std::move(allowed); });
  test.create_topic("t");
  test.produce("t", batch_of({"a"}));
  const Pending early = test.send(delete_request("t", 1), 2);
  wire::DeleteTopicsRequest request;
  request.topic_names = {"t"};
  (void)test.call<wire::DeleteTopicsResponse>(request, 5);
  answer(Offset(1));
  EXPECT_EQ(read_deleted(early).error, ErrorCode::unknown_topic_id);
  test.create_topic("u");
  test.produce("u", batch_of({"a"}));
  const Pending late = test.send(delete_request("u", 1), 2);
  std::exchange(answer, nullptr)(Offset(1));  // on its way to the disk now
  request.topic_names = {"u"};
  (void)test.call<wire::DeleteTopicsResponse>(request, 5);
  EXPECT_TRUE(late.is_answered());
}

using Segments = std::vector<log::PartitionLog::SegmentInfo>;

log::PartitionLog::SegmentInfo segment(std::int64_t base, std::int64_t end, std::uint64_t bytes, std::int64_t max_timestamp_ms) {
  return {
      .base_offset = Offset(base), .end_offset = Offset(end), .size_bytes = bytes, .max_timestamp_ms = max_timestamp_ms, .active = false};
}

std::int64_t retained(Segments segments, const RetentionLimits& limits, std::int64_t now_ms, std::int64_t next_offset = 30) {
  segments.back().active = true;
  return retained_from(segments, limits, Offset(2), Offset(next_offset), now_ms).value();
}

TEST(Retention, TimeTakesSegmentsWhoseNewestRecordIsTooOld) {
  const Segments segments{segment(0, 10, 100, 1000), segment(10, 20, 100, 2000), segment(20, 30, 100, 1500)};
  EXPECT_EQ(retained(segments, {.ms = 500, .bytes = -1}, 1500), 2) << "not older than the limit yet";
  EXPECT_EQ(retained(segments, {.ms = 500, .bytes = -1}, 1501), 10);
  EXPECT_EQ(retained(segments, {.ms = 500, .bytes = -1}, 2100), 10) << "the second is younger: nothing behind it goes";
  EXPECT_EQ(retained(segments, {.ms = 500, .bytes = -1}, 2501), 30) << "the active one, too";
  EXPECT_EQ(retained(segments, {.ms = 500, .bytes = -1}, 2501, 31), 20) << "but not while it is written";
  EXPECT_EQ(retained(segments, {.ms = -1, .bytes = -1}, 99999), 2);
  EXPECT_EQ(retained(segments, {.ms = 500, .bytes = -1}, 0), 2) << "the future does not age";
  EXPECT_EQ(retained({segment(0, 10, 100, -1), segment(10, 30, 100, 0)}, {.ms = 0, .bytes = -1}, 99999), 2) << "nothing known of its age";
  EXPECT_EQ(retained({segment(0, 10, 100, 5), segment(10, 10, 0, -1)}, {.ms = 0, .bytes = -1}, 99999, 10), 10) << "an empty one stays";
}

TEST(Retention, SizeTakesSegmentsWhileWhatIsLeftIsEnough) {
  const Segments segments{segment(0, 10, 100, 1000), segment(10, 20, 100, 2000), segment(20, 30, 50, 3000)};
  EXPECT_EQ(retained(segments, {.ms = -1, .bytes = 250}, 0), 2);
  EXPECT_EQ(retained(segments, {.ms = -1, .bytes = 151}, 0), 2);
  EXPECT_EQ(retained(segments, {.ms = -1, .bytes = 150}, 0), 10);
  EXPECT_EQ(retained(segments, {.ms = -1, .bytes = 1}, 0), 20);
  EXPECT_EQ(retained(segments, {.ms = -1, .bytes = 0}, 0), 30);
  EXPECT_EQ(retained(segments, {.ms = 500, .bytes = 50}, 1501), 20) << "time first, then what is left";
}

TEST(Retention, TakesWhatIsOldAndAsksTheGuardOnceForIt) {
  int asked = 0;
  std::function<void(const Result<Offset>&)> answer;
  TestBroker test({{"log.retention.check.interval.ms", "1000"}, {"log.cleaner.enable", "false"}}, 1,
                  [&](const LeavingRecords& leaving, std::function<void(const Result<Offset>&)> allowed) {
                    EXPECT_EQ(leaving.trim, log::Trim::retention);
                    ++asked;
                    answer = std::move(allowed);
                  });
  test.create_topic("t", 1, {{"segment.bytes", "200"}, {"retention.ms", "60000"}});
  test.create_topic("kept", 1, {{"segment.bytes", "200"}, {"retention.ms", "-1"}});
  test.create_topic("keys", 1, {{"segment.bytes", "200"}, {"retention.ms", "1"}, {"cleanup.policy", "compact"}});
  const std::int64_t now_ms = test.loop().wall().time_since_epoch().count();
  for (const char* topic : {"t", "kept", "keys"}) {
    for (int i = 0; i < 6; ++i) test.produce(topic, batch_of({"value"}, {}, now_ms));
  }
  test.advance(std::chrono::seconds(59));
  EXPECT_EQ(asked, 0);
  test.advance(std::chrono::seconds(5));
  EXPECT_EQ(asked, 1) << "while the first question is open";
  EXPECT_EQ(test.list_offsets("t", -2).offset, 0);
  answer(Result<Offset>(fail(tripos::ErrorCode::no_space, "no room for the snapshot")));
  test.run();
  EXPECT_EQ(test.warnings().size(), 1U);
  EXPECT_EQ(test.list_offsets("t", -2).offset, 0);
  test.advance(std::chrono::seconds(1));
  EXPECT_EQ(asked, 2);
  answer(Offset(6));
  test.run();
  EXPECT_EQ(test.list_offsets("t", -2).offset, 6);
  EXPECT_EQ(segments_of(test, "t").size(), 1U);
  EXPECT_EQ(test.list_offsets("kept", -2).offset, 0);
  EXPECT_EQ(test.list_offsets("keys", -2).offset, 0);
  test.advance(std::chrono::seconds(3));
  EXPECT_EQ(asked, 2) << "nothing more to take";
}

TEST(Retention, ManyPartitionsAreTrimmedAFewAtATime) {
  std::vector<std::pair<LeavingRecords, std::function<void(const Result<Offset>&)>>> asked;
  TestBroker test({{"log.retention.check.interval.ms", "1000"}, {"num.partitions", "30"}}, 1,
                  [&](const LeavingRecords& leaving, std::function<void(const Result<Offset>&)> allowed) {
                    asked.emplace_back(leaving, std::move(allowed));
                  });
  test.create_topic("t", 30, {{"retention.ms", "1"}});
  for (int partition = 0; partition < 30; ++partition) test.produce("t", batch_of({"old"}, {}, 5), partition);
  test.advance(std::chrono::seconds(1));
  EXPECT_EQ(asked.size(), 8U);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    EXPECT_LE(i + 1, 30U);
    if (i == 3) {
      std::exchange(asked[i].second, nullptr)(Result<Offset>(fail(tripos::ErrorCode::no_space, "full")));
    } else {
      std::exchange(asked[i].second, nullptr)(asked[i].first.end);
    }
    test.run();
  }
  EXPECT_EQ(asked.size(), 30U) << "each once, the refused one, too";
  int trimmed = 0;
  for (int partition = 0; partition < 30; ++partition) {
    const auto found = test.broker().topics().partition("t", PartitionId(partition));
    trimmed += (*found)->start_offset() == Offset(1) ? 1 : 0;
  }
  EXPECT_EQ(trimmed, 29);
  EXPECT_EQ(test.warnings().size(), 1U);
}

}  // namespace
}  // namespace tripos::broker
