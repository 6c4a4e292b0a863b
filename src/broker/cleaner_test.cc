// Compaction as clients see it: through requests, over restarts, in Tripos' own topics.
#include "broker/cleaner.h"

#include <gtest/gtest.h>

#include "broker/testing_transactions.h"
#include "log/paths.h"
#include "wire/offset_fetch.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;

Buffer keyed(const std::string& key, const std::string& value, std::int64_t time_ms) {
  RecordBatchBuilder builder;
  builder.add(WallTime(std::chrono::milliseconds(time_ms)), Bytes(key), Bytes(value));
  return builder.finish({});
}

class CleanerTest : public testing::Test {
 protected:
  CleanerTest() {
    test_.create_topic("t", 1, {{"cleanup.policy", "compact"}, {"segment.bytes", "400"}, {"min.cleanable.dirty.ratio", "0.1"}});
  }

  std::int64_t now_ms() { return test_.loop().wall().time_since_epoch().count(); }
  void put(const std::string& key, const std::string& value) {
    EXPECT_EQ(test_.produce("t", keyed(key, value, now_ms())).error_code, ErrorCode::none);
  }
  void fill() {
    for (int i = 0; i < 6; ++i) put("filler", std::string(80, 'f'));
  }
  void clean() {
    for (int i = 0; i < 3; ++i) test_.advance(std::chrono::seconds(15));
  }
  // key=value of what a consumer that reads committed records sees, by the list of aborted transactions that it is given.
  std::vector<std::string> consume() {
    std::vector<std::string> seen;
    std::int64_t offset = test_.list_offsets("t", -2).offset;
    while (true) {
      auto request = TestBroker::fetch_request("t", offset);
      request.isolation_level = 1;
      const auto data = test_.call<wire::FetchResponse>(request, 11).responses.at(0).partitions.at(0);
      EXPECT_EQ(data.error_code, ErrorCode::none);
      const Bytes bytes = data.records.decoded_bytes();
      if (bytes.empty()) return seen;
      // As clients do it: a producer is skipped from its transaction's first offset to its next marker.
      auto aborted = data.aborted_transactions.value_or(std::vector<wire::FetchResponse::AbortedTransaction>());
      std::set<std::int64_t> skipped;
      RecordReader reader(1 << 20);
      for (std::size_t at = 0; at < bytes.size();) {
        const auto batch = RecordBatchView::parse(bytes.substr(at));
        if (!batch || !reader.start(*batch)) return {"broken"};
        at += batch->bytes().size();
        std::erase_if(aborted, [&](const auto& each) {
          if (each.first_offset > batch->last_offset().value()) return false;
          skipped.insert(each.producer_id);
          return true;
        });
        if (batch->is_control()) skipped.erase(batch->producer_id().value());
        const bool skip = batch->is_control() || (batch->is_transactional() && skipped.contains(batch->producer_id().value()));
        for (auto record = reader.next(); record && *record != nullptr; record = reader.next()) {
          if ((*record)->offset.value() < offset || skip || (*record)->key == "filler") continue;
          seen.push_back(std::string((*record)->key.value_or("")) + "=" + std::string((*record)->value.value_or("(null)")));
        }
        offset = batch->next_offset().value();
      }
    }
  }
  std::uint64_t size() {
    const auto partition = test_.broker().topics().partition("t", PartitionId(0));
    return (*partition)->log()->size_bytes();
  }
  using Seen = std::vector<std::string>;

  TestBroker test_;
};

TEST_F(CleanerTest, OldValuesGoByThemselves) {
  for (int i = 0; i < 40; ++i) put("k" + std::to_string(i % 2), std::to_string(i));
  fill();
  const std::uint64_t before = size();
  clean();
  EXPECT_EQ(consume(), (Seen{"k0=38", "k1=39"}));
  EXPECT_LT(size(), before / 2);
  EXPECT_EQ(test_.list_offsets("t", -2).offset, 0);
  test_.restart();
  EXPECT_EQ(consume(), (Seen{"k0=38", "k1=39"}));
  for (const std::string& warning : test_.warnings()) EXPECT_TRUE(warning.starts_with("the journal held")) << warning;
}

TEST_F(CleanerTest, NothingHappensWhileItIsSwitchedOff) {
  TestBroker off(ConfigValues{{"log.cleaner.enable", "false"}});
  off.create_topic("t", 1, {{"cleanup.policy", "compact"}, {"segment.bytes", "400"}, {"min.cleanable.dirty.ratio", "0"}});
  for (int i = 0; i < 40; ++i) off.produce("t", batch_of({std::to_string(i)}));
  off.advance(std::chrono::minutes(2));
  EXPECT_EQ(off.consume("t").size(), 40U);
}

TEST_F(CleanerTest, TransactionsStayWholeAndAbortedOnesAreForgotten) {
  TestProducer producer(test_, "x");
  ASSERT_EQ(producer.init(), ErrorCode::none);
  for (const bool committed : {true, false, true}) {
    ASSERT_EQ(producer.add("t"), ErrorCode::none);
    ASSERT_EQ(producer.send("t", {committed ? "committed" : "aborted"}), ErrorCode::none);  // of the key "key"
    ASSERT_EQ(producer.end(committed), ErrorCode::none);
    fill();
  }
  fill();
  const auto partition = [this] { return *test_.broker().topics().partition("t", PartitionId(0)); };
  EXPECT_EQ(partition()->aborted(Offset(0), Offset(1000)).size(), 1U);
  EXPECT_EQ(consume(), (Seen{"key=committed", "key=committed"}));
  clean();
  EXPECT_EQ(consume(), (Seen{"key=committed"}));
  // The marker's horizon passes; each run needs something new.
  for (int i = 0; i < 3; ++i) {
    test_.advance(std::chrono::hours(25));
    fill();
    clean();
  }
  EXPECT_TRUE(partition()->aborted(Offset(0), Offset(1000)).empty());
  EXPECT_EQ(consume(), (Seen{"key=committed"}));
  test_.restart();
  EXPECT_TRUE(partition()->aborted(Offset(0), Offset(1000)).empty()) << "also by a snapshot that is older than the run";
  EXPECT_EQ(consume(), (Seen{"key=committed"}));
  ASSERT_EQ(producer.add("t"), ErrorCode::none);
  ASSERT_EQ(producer.send("t", {"later"}), ErrorCode::none) << "its sequence is known though its batches are gone";
  ASSERT_EQ(producer.end(true), ErrorCode::none);
  EXPECT_EQ(consume(), (Seen{"key=committed", "key=later"}));
}

TEST_F(CleanerTest, AnOpenTransactionHoldsItBack) {
  TestProducer producer(test_, "x");
  ASSERT_EQ(producer.init(), ErrorCode::none);
  put("a", "1");
  ASSERT_EQ(producer.add("t"), ErrorCode::none);
  ASSERT_EQ(producer.send("t", {"open"}), ErrorCode::none);
  put("a", "2");
  fill();
  clean();
  EXPECT_EQ(test_.fetch("t", 0).records.size_bytes() > 0, true);
  EXPECT_EQ(consume(), (Seen{"a=1"}));
  ASSERT_EQ(producer.end(true), ErrorCode::none);
  fill();
  clean();
  EXPECT_EQ(consume(), (Seen{"key=open", "a=2"}));
}

TEST_F(CleanerTest, WhatTheGuardDoesNotAllowWaits) {
  std::vector<LeavingRecords> asked;
  Result<Offset> answer = Offset(0);
  TestBroker test({}, 1, [&](const LeavingRecords& leaving, std::function<void(const Result<Offset>&)> allowed) {
    asked.push_back(leaving);
    allowed(answer);
  });
  test.create_topic("t", 1, {{"cleanup.policy", "compact"}, {"segment.bytes", "400"}});
  for (int i = 0; i < 40; ++i) test.produce("t", batch_of({std::to_string(i)}));
  test.advance(std::chrono::seconds(20));
  ASSERT_FALSE(asked.empty());
  EXPECT_EQ(asked[0].trim, log::Trim::compaction);
  EXPECT_EQ(test.consume("t").size(), 40U);
  answer = asked[0].end;
  test.advance(std::chrono::seconds(20));
  const auto partition = test.broker().topics().partition("t", PartitionId(0));
  EXPECT_EQ((*partition)->log()->compacted_below(), asked[0].end);
}

TEST(Cleaner, CommittedOffsetsAreKeptThoughTheirTopicIsCompacted) {
  TestBroker test({{"offsets.topic.segment.bytes", "2000"}, {"offsets.topic.num.partitions", "1"}});
  test.create_topic("t");
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(test.commit_offset("busy", "t", i), ErrorCode::none);
    if (i < 3) {
      ASSERT_EQ(test.commit_offset("quiet" + std::to_string(i), "t", 7), ErrorCode::none);
    }
  }
  const auto log = [&] { return (*test.broker().topics().partition("__consumer_offsets", PartitionId(0)))->log(); };
  const std::uint64_t before = log()->size_bytes();
  for (int i = 0; i < 3; ++i) test.advance(std::chrono::seconds(15));
  EXPECT_LT(log()->size_bytes(), before / 2);
  test.restart();
  const auto committed = [&](const std::string& group) {
    wire::OffsetFetchRequest request;
    request.group_id = group;
    auto& topic = request.topics.emplace().emplace_back();
    topic.name = "t";
    topic.partition_indexes = {0};
    return test.call<wire::OffsetFetchResponse>(request, 7).topics.at(0).partitions.at(0).committed_offset;
  };
  EXPECT_EQ(committed("busy"), 99);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(committed("quiet" + std::to_string(i)), 7);
}

}  // namespace
}  // namespace tripos::broker
