// One sync between append and acknowledgement, shared by what came meanwhile: read off the trace of operations.
#include <algorithm>

#include "log/log_fixture.h"

namespace tripos::log {
namespace {

class GroupCommitTest : public LogFixture {
 protected:
  GroupCommitTest() { observe(); }

  void observe() {
    files_->observe([this](io::Operation operation, const std::string& path) {
      if (operation != io::Operation::read)
        trace_.push_back(std::string(to_string(operation)) + " " + path.substr(path.find_last_of('/') + 1));
    });
  }
  // Appends and traces the acknowledgement.
  void append_traced(PartitionLog& log, const std::string& name, Urgency urgency = Urgency::now) {
    const auto appended = log.append(make_batch({name}), {.urgency = urgency});
    ASSERT_TRUE(appended);
    log.when_durable(appended->end, [this, name](DurableEnd) { trace_.push_back("ack " + name); });
  }
  std::unique_ptr<PartitionLog> open_log(const std::string& directory) {
    auto opened = PartitionLog::open(*files_, *commit_, directory, options_);
    EXPECT_TRUE(opened);
    return std::move(opened->log);
  }

  std::vector<std::string> trace_;
};

const std::string data_file = "00000000000000000000.log";

TEST_F(GroupCommitTest, ExactlyOneSyncLiesBetweenAppendAndAcknowledgement) {
  append_traced(log(), "first");
  sync();
  trace_.clear();
  append_traced(log(), "a");
  sync();
  EXPECT_EQ(trace_, (Values{"write " + data_file, "sync_data " + data_file, "ack a"}));
}

TEST_F(GroupCommitTest, ConcurrentAppendsShareOneSync) {
  append_traced(log(), "first");
  sync();
  trace_.clear();
  append_traced(log(), "a");
  append_traced(log(), "b");
  sync();
  EXPECT_EQ(trace_, (Values{"write " + data_file, "write " + data_file, "sync_data " + data_file, "ack a", "ack b"}));
}

TEST_F(GroupCommitTest, WhatComesDuringASyncWaitsForTheNext) {
  append_traced(log(), "first");
  sync();
  trace_.clear();
  append_traced(log(), "a");
  loop_->step();  // the round starts
  append_traced(log(), "b");
  append_traced(log(), "c");
  sync();
  EXPECT_EQ(trace_, (Values{"write " + data_file, "write " + data_file, "write " + data_file, "sync_data " + data_file, "ack a",
                            "sync_data " + data_file, "ack b", "ack c"}));
}

TEST_F(GroupCommitTest, TheNamesOfANewSegmentAreSyncedBeforeTheFirstAcknowledgement) {
  append_traced(log(), "a");
  sync();
  const auto ack = std::find(trace_.begin(), trace_.end(), "ack a");
  ASSERT_NE(ack, trace_.end());
  for (const auto* const directory : {"sync_directory 0", "sync_directory t", "sync_directory topics", "sync_directory data"}) {
    EXPECT_EQ(std::count(trace_.begin(), ack, directory), 1) << directory;
  }
  EXPECT_EQ(std::count(trace_.begin(), ack, "sync_data " + data_file), 1);
}

TEST_F(GroupCommitTest, ARollSyncsBothFilesAndTheDirectoryBeforeTheAcknowledgement) {
  options_.segment_bytes = 200;
  append_traced(log(), std::string(100, 'x'));
  sync();
  trace_.clear();
  append_traced(log(), std::string(101, 'y'));
  sync();
  const auto ack = std::find(trace_.begin(), trace_.end(), "ack " + std::string(101, 'y'));
  ASSERT_NE(ack, trace_.end());
  for (const auto& operation :
       {"sync_data " + data_file, std::string("sync_data 00000000000000000001.log"), std::string("sync_directory 0")}) {
    EXPECT_EQ(std::count(trace_.begin(), ack, operation), 1) << operation;
  }
  EXPECT_EQ(std::count(trace_.begin(), ack, "rename checkpoint"), 0) << "the checkpoint comes after the syncs that it describes";
  EXPECT_EQ(std::count(ack, trace_.end(), "rename checkpoint"), 1);
}

TEST_F(GroupCommitTest, ManyLogsAreSyncedAtOnce) {
  std::vector<std::unique_ptr<PartitionLog>> logs;
  for (int i = 0; i < 30; ++i) logs.push_back(open_log("data/topics/t/" + std::to_string(i)));
  for (const auto& log : logs) append_traced(*log, "x");
  sync();
  EXPECT_EQ(std::count(trace_.begin(), trace_.end(), "ack x"), 30);
  EXPECT_EQ(std::count(trace_.begin(), trace_.end(), "sync_all data"), 1);
  EXPECT_EQ(std::count(trace_.begin(), trace_.end(), "sync_data " + data_file), 0);
  EXPECT_EQ(commit_->counters().rounds, 1u);
}

TEST_F(GroupCommitTest, AcknowledgementsComeInOrderAndOnlyForWhatIsDurable) {
  std::vector<Offset> ends;
  const auto first = log().append(make_batch({"a"}), {});
  const auto second = log().append(make_batch({"b"}), {});
  log().when_durable(second->end, [&](DurableEnd) { ends.emplace_back(2); });
  log().when_durable(first->end, [&](DurableEnd end) {
    ends.emplace_back(1);
    EXPECT_EQ(end.offset, Offset(2));
  });
  Offset heard{0};
  log().set_durable_listener([&](DurableEnd end) {
    heard = end.offset;
    EXPECT_TRUE(ends.empty()) << "the listener hears first";
  });
  EXPECT_TRUE(ends.empty());
  sync();
  EXPECT_EQ(ends, (std::vector{Offset(1), Offset(2)}));
  EXPECT_EQ(heard, Offset(2));
  bool at_once = false;
  log().when_durable(first->end, [&](DurableEnd) { at_once = true; });
  EXPECT_TRUE(at_once);
}

TEST_F(GroupCommitTest, UnwaitedAppendsAreSyncedWithinTenMilliseconds) {
  append_traced(log(), "first");
  sync();
  trace_.clear();
  append_traced(log(), "a", Urgency::soon);
  loop_->run();
  EXPECT_EQ(std::count(trace_.begin(), trace_.end(), "sync_data " + data_file), 0);
  loop_->advance(std::chrono::milliseconds(10));
  EXPECT_EQ(std::count(trace_.begin(), trace_.end(), "ack a"), 1);
  trace_.clear();
  append_traced(log(), "b", Urgency::soon);
  append_traced(log(), "c");
  loop_->run();
  EXPECT_EQ(std::count(trace_.begin(), trace_.end(), "ack b"), 1) << "they ride along";
}

TEST_F(GroupCommitTest, AFailedSyncAcknowledgesNothingAndIsFatal) {
  append_traced(log(), "first");
  sync();
  files_->inject([](io::Operation operation, const std::string&) {
    return operation == io::Operation::sync_data ? std::optional(ErrorCode::io) : std::nullopt;
  });
  append_traced(log(), "a");
  sync();
  files_->inject(nullptr);
  EXPECT_NE(fatal_, "");
  append_traced(log(), "b");
  sync();
  EXPECT_EQ(std::count(trace_.begin(), trace_.end(), "ack a"), 0);
  EXPECT_EQ(std::count(trace_.begin(), trace_.end(), "ack b"), 0);
  // The page cache shows the record, the disk never got it: the next start must not take it for durable.
  kill();
  EXPECT_EQ(values(), (Values{"first", "a", "b"}));
  cut_power(io::Survival::nothing);
  EXPECT_EQ(values(), (Values{"first", "a", "b"})) << "seen once, there for ever";
}

TEST_F(GroupCommitTest, ALogMayGoAwayDuringARound) {
  auto other = open_log("data/topics/u/0");
  append_traced(*other, "other");
  append_traced(log(), "a");
  loop_->step();
  other.reset();
  ASSERT_TRUE(io::remove_tree(*files_, "data/topics/u"));
  sync();
  EXPECT_EQ(fatal_, "");
  EXPECT_EQ(std::count(trace_.begin(), trace_.end(), "ack a"), 1);
  EXPECT_EQ(std::count(trace_.begin(), trace_.end(), "ack other"), 0);
}

TEST_F(GroupCommitTest, ACleanStopLeavesNothingToScan) {
  append_traced(log(), "a");
  append_traced(log(), "b", Urgency::soon);
  close();
  static_cast<void>(log());
  EXPECT_TRUE(report_.clean);
  EXPECT_EQ(report_.scanned_bytes, 0u);
  EXPECT_EQ(values(), (Values{"a", "b"}));
  cut_power(io::Survival::nothing);
  EXPECT_EQ(values(), (Values{"a", "b"}));
}

}  // namespace
}  // namespace tripos::log
