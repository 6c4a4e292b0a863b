// The ports over a real loop, files and threads.
#include "source/broker_source.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "broker/topics.h"
#include "io/asio/loop.h"
#include "io/real/background_threads.h"
#include "io/real/posix_file_system.h"
#include "io/real/real_clock.h"
#include "model/record_batch.h"

namespace tripos::source {
namespace {

class PortsTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tripos-source-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    auto broker = broker::Broker::open({.files = files_,
                                        .clock = clock_,
                                        .executor = loop_,
                                        .background = background_,
                                        .fatal = [](const Error&) { std::abort(); },
                                        .warn = [](std::string_view) {}},
                                       directory_, {.config = {}, .offset_floor = nullptr});
    ASSERT_TRUE(broker.has_value()) << broker.error().message;
    broker_ = std::move(*broker);
    thread_ = std::thread([this] { loop_.run(); });
  }
  void TearDown() override {
    stop();
    broker_.reset();
    std::filesystem::remove_all(directory_);
  }
  void stop() {
    if (!thread_.joinable()) return;
    loop_.stop();
    thread_.join();
  }

  static std::vector<std::string> values(const PartitionRange& range) {
    std::vector<std::string> values;
    RecordReader reader(1 << 20);
    for (const LogSlice& slice : range.slices) {
      Buffer bytes;
      EXPECT_TRUE(slice.file->read(slice.begin, slice.end - slice.begin, bytes).has_value());
      for (std::size_t at = 0; at < bytes.size();) {
        const auto batch = RecordBatchView::parse(Bytes(bytes).substr(at));
        EXPECT_TRUE(batch.has_value() && reader.start(*batch).has_value());
        for (auto record = reader.next(); record && *record != nullptr; record = reader.next()) {
          if ((*record)->offset >= range.begin && (*record)->offset < range.end.offset)
            values.emplace_back((*record)->value.value_or("(null)"));
        }
        at += batch->bytes().size();
      }
    }
    return values;
  }

  std::string directory_;
  io::PosixFileSystem files_;
  io::RealClock clock_;
  io::AsioLoop loop_;
  io::BackgroundThreads background_{loop_, 2, "test"};
  std::unique_ptr<broker::Broker> broker_;
  std::thread thread_;
};

NewRecords records(const std::string& topic, std::vector<std::string> values, std::int32_t partition = 0) {
  NewRecords appended{.topic = topic, .partition = PartitionId(partition), .records = {}};
  for (std::string& value : values) appended.records.push_back({.key = {}, .value = std::move(value), .timestamp = {}});
  return appended;
}

TEST_F(PortsTest, WhatWasAppendedIsReadFromAnyOffset) {
  BrokerSink sink(*broker_);
  BrokerSource source(*broker_);
  EXPECT_EQ(*sink.append(records("exams", {"a", "b"})), Offset(0));  // creates the topic
  EXPECT_EQ(*sink.append(records("exams", {"c"})), Offset(2));
  const auto topics = source.topics();
  ASSERT_EQ(topics.size(), 1U);
  EXPECT_EQ(topics[0].name, "exams");
  EXPECT_TRUE(topics[0].table);
  EXPECT_FALSE(topics[0].internal);
  const TopicPartition partition{.topic = topics[0].id, .partition = PartitionId(0)};
  for (const auto& [from, expected] :
       std::vector<std::pair<int, std::vector<std::string>>>{{0, {"a", "b", "c"}}, {1, {"b", "c"}}, {3, {}}, {9, {}}}) {
    const std::vector<RangeRequest> requests{{.partition = partition, .begin = Offset(from)}};
    const auto ranges = source.ranges(requests);
    ASSERT_TRUE(ranges.has_value());
    EXPECT_EQ(ranges->at(0).end.offset, Offset(3));
    EXPECT_EQ(values(ranges->at(0)), expected);
  }
}

TEST_F(PortsTest, WhatIsNotThereSaysSo) {
  BrokerSink sink(*broker_);
  BrokerSource source(*broker_);
  const std::vector<RangeRequest> requests{{.partition = {.topic = Uuid::random(), .partition = PartitionId(0)}, .begin = Offset(0)}};
  EXPECT_EQ(source.ranges(requests).error().code, ErrorCode::not_found);
  EXPECT_EQ(sink.append(records("no good name", {"a"})).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(sink.append(records("exams", {"a"}, 5)).error().code, ErrorCode::not_found);
  EXPECT_EQ(sink.append(records("exams", {std::string(2 << 20, 'x')})).error().code, ErrorCode::too_large);
}

TEST_F(PortsTest, AnInternalTopicIsCompactedAndNoTable) {
  BrokerSink sink(*broker_);
  BrokerSource source(*broker_);
  EXPECT_EQ(*sink.append(records("__tripos_catalog", {"view"})), Offset(0));
  const auto topics = source.topics();
  ASSERT_EQ(topics.size(), 1U);
  EXPECT_TRUE(topics[0].internal);
  EXPECT_TRUE(topics[0].compacted);
  EXPECT_EQ(topics[0].partition_count, 1);
}

TEST_F(PortsTest, ManyThreadsAppendAndEachRecordHasItsOffset) {
  BrokerSource source(*broker_);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] {
      BrokerSink sink(*broker_);
      for (int j = 0; j < 50; ++j) EXPECT_TRUE(sink.append(records("exams", {std::to_string(i * 100 + j)})).has_value());
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<RangeRequest> requests{
      {.partition = {.topic = source.topics().at(0).id, .partition = PartitionId(0)}, .begin = Offset(0)}};
  EXPECT_EQ(values(source.ranges(requests)->at(0)).size(), 400U);
}

TEST_F(PortsTest, CallsEndWhenTheLoopEnds) {
  BrokerSink sink(*broker_);
  BrokerSource source(*broker_);
  stop();
  EXPECT_TRUE(source.topics().empty());
  EXPECT_EQ(sink.append(records("exams", {"a"})).error().code, ErrorCode::cancelled);
}

}  // namespace
}  // namespace tripos::source
