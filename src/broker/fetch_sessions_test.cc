#include "broker/fetch_sessions.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

#include "broker/testing.h"
#include "wire/offset_for_leader_epoch.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;
using Request = wire::FetchRequest;
using PartitionData = wire::FetchResponse::PartitionData;

Request request_of(std::int32_t id, std::int32_t epoch, const std::vector<std::pair<std::string, std::int32_t>>& partitions = {}) {
  Request request;
  request.session_id = id;
  request.session_epoch = epoch;
  for (const auto& [topic, partition] : partitions) {
    auto& asked = request.topics.emplace_back();
    asked.topic = topic;
    asked.partitions.emplace_back().partition = partition;
  }
  return request;
}

PartitionData data(std::int32_t partition, std::int64_t high_watermark) {
  PartitionData read;
  read.partition_index = partition;
  read.high_watermark = high_watermark;
  return read;
}

class FetchSessionsTest : public testing::Test {
 protected:
  // The context of a request that must be taken.
  FetchSessions::Context begin(const Request& request, std::chrono::seconds now = {}) {
    FetchSessions::Context context;
    EXPECT_EQ(sessions_.begin(request, false, MonotonicTime(now), context), ErrorCode::none);
    return context;
  }
  ErrorCode refusal(const Request& request, bool by_id = false) {
    FetchSessions::Context context;
    return sessions_.begin(request, by_id, MonotonicTime(), context);
  }
  static std::vector<std::string> names(const FetchSessions::Context& context) {
    std::vector<std::string> asked;
    for (const auto& each : context.asked()) asked.push_back(each.topic + std::to_string(each.partition.partition));
    return asked;
  }
  static std::vector<std::string> told(const wire::FetchResponse& response) {
    std::vector<std::string> told;
    for (const auto& topic : response.responses) {
      for (const auto& partition : topic.partitions) told.push_back(topic.topic + std::to_string(partition.partition_index));
    }
    return told;
  }
  using Names = std::vector<std::string>;

  std::int32_t next_id_ = 40;
  FetchSessions sessions_{2, [this] { return next_id_++; }};
};

TEST_F(FetchSessionsTest, OnlyWhatHasChangedIsTold) {
  auto context = begin(request_of(0, 0, {{"a", 0}, {"a", 1}, {"b", 0}}));
  auto response = context.answer({data(0, 5), data(1, 5), data(0, 5)});
  EXPECT_EQ(response.session_id, 40);
  EXPECT_EQ(told(response), (Names{"a0", "a1", "b0"})) << "all of it at first";
  context = begin(request_of(40, 1));
  EXPECT_EQ(names(context), (Names{"a0", "a1", "b0"}));
  response = context.answer({data(0, 5), data(1, 5), data(0, 5)});
  EXPECT_EQ(response.session_id, 40);
  EXPECT_EQ(told(response), Names());
  context = begin(request_of(40, 2));
  EXPECT_EQ(told(context.answer({data(0, 5), data(1, 6), data(0, 5)})), (Names{"a1"}));
  // An error is told each time, and what comes after it, too.
  context = begin(request_of(40, 3));
  auto broken = data(1, -1);
  broken.error_code = ErrorCode::kafka_storage_error;
  EXPECT_EQ(told(context.answer({data(0, 5), broken, data(0, 5)})), (Names{"a1"}));
  context = begin(request_of(40, 4));
  EXPECT_EQ(told(context.answer({data(0, 5), data(1, 6), data(0, 5)})), (Names{"a1"}));
  // Records are told, and their partition waits its turn behind the others.
  context = begin(request_of(40, 5));
  auto full = data(0, 5);
  full.records.add(Bytes("records"));
  EXPECT_EQ(told(context.answer({full, data(1, 6), data(0, 5)})), (Names{"a0"}));
  EXPECT_EQ(names(begin(request_of(40, 6))), (Names{"a1", "b0", "a0"}));
}

TEST_F(FetchSessionsTest, PartitionsComeChangeAndGo) {
  (void)begin(request_of(0, 0, {{"a", 0}, {"a", 1}}));
  Request request = request_of(40, 1, {{"b", 7}, {"a", 1}});
  request.topics[1].partitions[0].fetch_offset = 99;
  auto& forgotten = request.forgotten_topics_data.emplace_back();
  forgotten.topic = "a";
  forgotten.partitions = {0, 5};
  const auto context = begin(request);
  EXPECT_EQ(names(context), (Names{"a1", "b7"}));
  EXPECT_EQ(context.asked()[0].partition.fetch_offset, 99);
  // Nothing is left: the session ends.
  request = request_of(40, 2);
  for (const auto& [topic, partition] : {std::pair("a", 1), std::pair("b", 7)}) {
    auto& gone = request.forgotten_topics_data.emplace_back();
    gone.topic = topic;
    gone.partitions = {partition};
  }
  auto empty = begin(request);
  EXPECT_EQ(empty.answer({}).session_id, 0);
  EXPECT_EQ(sessions_.count(), 0U);
}

TEST_F(FetchSessionsTest, WhatDoesNotFitIsRefused) {
  (void)begin(request_of(0, 0, {{"a", 0}}));
  EXPECT_EQ(refusal(request_of(41, 1)), ErrorCode::fetch_session_id_not_found);
  EXPECT_EQ(refusal(request_of(40, 2)), ErrorCode::invalid_fetch_session_epoch);
  EXPECT_EQ(refusal(request_of(40, 1), true), ErrorCode::fetch_session_topic_id_error);
  EXPECT_EQ(refusal(request_of(40, 1)), ErrorCode::none) << "a refusal changes nothing";
  EXPECT_EQ(refusal(request_of(40, 1)), ErrorCode::invalid_fetch_session_epoch);
  (void)begin(request_of(40, -1, {{"a", 0}}));
  EXPECT_EQ(refusal(request_of(40, 2)), ErrorCode::fetch_session_id_not_found) << "it was ended";
}

TEST_F(FetchSessionsTest, ThereAreNoMoreThanTheLimit) {
  using std::chrono::seconds;
  const auto start = [this](int now) { return begin(request_of(0, 0, {{"a", 0}}), seconds(now)).answer({data(0, 0)}).session_id; };
  EXPECT_EQ(start(0), 40);
  EXPECT_EQ(start(1), 41);
  EXPECT_EQ(start(60), 0) << "no room: served without a session";
  (void)begin(request_of(40, 1), seconds(61));
  EXPECT_EQ(start(121), 42) << "in the place of the one that was longest unused";
  EXPECT_EQ(refusal(request_of(41, 1)), ErrorCode::fetch_session_id_not_found);
  EXPECT_EQ(refusal(request_of(40, 2)), ErrorCode::none);
  EXPECT_EQ(sessions_.count(), 2U);
}

// What a client puts together from the answers of its session is what it would have been told without one.
TEST(FetchSessionsModel, AnswersAddUpToWhatThereIs) {
  EXPECT_TRUE(rc::check("incremental answers add up", [] {
    std::int32_t next_id = 1;
    FetchSessions sessions(1, [&next_id] { return next_id++; });
    std::map<std::int32_t, std::int64_t> ends;   // the broker's high watermarks
    std::map<std::int32_t, std::int64_t> known;  // the client's
    std::set<std::int32_t> wanted;
    std::int32_t id = 0;
    std::int32_t epoch = 0;
    const int steps = *rc::gen::inRange(1, 60);
    for (int step = 0; step < steps; ++step) {
      std::vector<std::pair<std::string, std::int32_t>> named;
      Request request;
      std::set<std::int32_t> next = wanted;
      for (int i = *rc::gen::inRange(0, 3); i > 0; --i) next.insert(*rc::gen::inRange(0, 6));
      if (*rc::gen::inRange(0, 3) == 0 && !next.empty()) next.erase(next.begin());
      if (next.empty()) next.insert(3);
      if (*rc::gen::inRange(0, 8) == 0) id = epoch = 0;  // the client starts anew
      for (const std::int32_t partition : next) {
        if (epoch == 0 || !wanted.contains(partition)) named.emplace_back("t", partition);
      }
      request = request_of(id, epoch, named);
      for (const std::int32_t partition : wanted) {
        if (next.contains(partition) || epoch == 0) continue;
        auto& forgotten = request.forgotten_topics_data.emplace_back();
        forgotten.topic = "t";
        forgotten.partitions = {partition};
        known.erase(partition);
      }
      if (epoch == 0) known.clear();
      wanted = next;
      for (int i = *rc::gen::inRange(0, 3); i > 0; --i) ++ends[*rc::gen::inRange(0, 6)];
      FetchSessions::Context context;
      RC_ASSERT(sessions.begin(request, false, MonotonicTime(std::chrono::hours(step)), context) == ErrorCode::none);
      std::vector<PartitionData> read;
      std::set<std::int32_t> asked;
      for (const auto& each : context.asked()) {
        asked.insert(each.partition.partition);
        read.push_back(data(each.partition.partition, ends[each.partition.partition]));
      }
      RC_ASSERT(asked == wanted);
      const auto response = context.answer(std::move(read));
      for (const auto& topic : response.responses) {
        for (const auto& partition : topic.partitions) known[partition.partition_index] = partition.high_watermark;
      }
      for (const std::int32_t partition : wanted) RC_ASSERT(known.at(partition) == ends[partition]);
      RC_ASSERT(response.session_id != 0);
      id = response.session_id;
      ++epoch;
    }
  }));
}

TEST(FetchSessions, AConsumerNamesItsPartitionsOnce) {
  TestBroker test;
  test.create_topic("t", 2);
  auto request = TestBroker::fetch_request("t", 0);
  request.topics[0].partitions.push_back(request.topics[0].partitions[0]);
  request.topics[0].partitions[1].partition = 1;
  request.session_epoch = 0;
  auto response = test.call<wire::FetchResponse>(request, 11);
  ASSERT_NE(response.session_id, 0);
  EXPECT_EQ(response.responses.at(0).partitions.size(), 2U);
  Request next;
  next.max_wait_ms = 1000;
  next.min_bytes = 1;
  next.max_bytes = 1 << 20;
  next.session_id = response.session_id;
  next.session_epoch = 1;
  const Pending waiting = test.send(next, 11);
  test.run();
  EXPECT_FALSE(waiting.is_answered());
  test.produce("t", batch_of({"a"}), 1);
  response = TestBroker::read<wire::FetchResponse>(waiting, 11);
  ASSERT_EQ(response.responses.size(), 1U);
  ASSERT_EQ(response.responses[0].partitions.size(), 1U);
  EXPECT_EQ(response.responses[0].partitions[0].partition_index, 1);
  EXPECT_FALSE(response.responses[0].partitions[0].records.decoded_bytes().empty());
}

TEST(OffsetForLeaderEpoch, TheOnlyEpochEndsWithTheLog) {
  TestBroker test;
  test.create_topic("t");
  test.produce("t", batch_of({"a", "b"}));
  const auto ask = [&](std::int32_t epoch, std::int32_t current = -1, const std::string& topic = "t") {
    wire::OffsetForLeaderEpochRequest request;
    request.replica_id = -1;
    auto& asked = request.topics.emplace_back();
    asked.topic = topic;
    asked.partitions.push_back({.partition = 0, .current_leader_epoch = current, .leader_epoch = epoch});
    const auto found = test.call<wire::OffsetForLeaderEpochResponse>(request, 4).topics.at(0).partitions.at(0);
    return std::tuple(found.error_code, found.leader_epoch, found.end_offset);
  };
  EXPECT_EQ(ask(0), (std::tuple(ErrorCode::none, 0, std::int64_t{2})));
  EXPECT_EQ(ask(1), (std::tuple(ErrorCode::none, -1, std::int64_t{-1})));
  EXPECT_EQ(ask(0, 3), (std::tuple(ErrorCode::unknown_leader_epoch, -1, std::int64_t{-1})));
  EXPECT_EQ(ask(0, -1, "none"), (std::tuple(ErrorCode::unknown_topic_or_partition, -1, std::int64_t{-1})));
}

}  // namespace
}  // namespace tripos::broker
