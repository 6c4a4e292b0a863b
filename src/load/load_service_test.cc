#include "load/load_service.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "io/sim/sim_file_system.h"
#include "lambda/record_scan.h"
#include "lambda/testing/fake_source.h"

namespace tripos::load {
namespace {

class TurnedClock final : public io::Clock {
 public:
  [[nodiscard]] WallTime wall() const noexcept override { return {}; }
  [[nodiscard]] MonotonicTime monotonic() const noexcept override { return now; }
  MonotonicTime now{};
};

// A sink whose answers can be held back, or fail.
class HeldSink final : public RecordSink {
 public:
  explicit HeldSink(lambda::FakeSource& source) : source_(source) {}
  Result<Offset> append(NewRecords records) override { return source_.append(std::move(records)); }
  void append(NewRecords records, AppendDone done) override {
    if (fail_next) {
      fail_next = false;
      return done(fail(ErrorCode::no_space, "the disk is full"));
    }
    auto result = source_.append(std::move(records));
    if (hold)
      held.push_back([done = std::move(done), result] { done(result); });
    else
      done(result);
  }
  void release() {
    for (const auto& answer : held) answer();
    held.clear();
  }
  bool fail_next = false;
  bool hold = false;
  std::vector<std::function<void()>> held;

 private:
  lambda::FakeSource& source_;
};

using Contents = std::map<std::string, int>;

class LoadServiceTest : public ::testing::Test {
 protected:
  LoadServiceTest() { source_.create("t", 2); }

  Result<std::shared_ptr<LoadSession>> begin(LoadRequest request = {.topic = "t"}) {
    return service_.begin(std::move(request), [](std::uint64_t, std::uint64_t) -> Result<> { return {}; });
  }
  static Result<> take(LoadSession& session, const std::string& lines) {
    return session.take(lines, [](const LoadTally&) {});
  }
  // A whole load of one file, in blocks of a few lines.
  LoadTally load(const std::vector<std::string>& elements, LoadRequest request = {.topic = "t"}) {
    auto session = begin(std::move(request));
    EXPECT_TRUE(session) << session.error().message;
    std::string block;
    for (const std::string& element : elements) {
      block += element + "\n";
      if (block.size() > 20) {
        EXPECT_TRUE(take(**session, std::exchange(block, {})));
      }
    }
    EXPECT_TRUE(take(**session, block));
    auto tally = (*session)->finish();
    EXPECT_TRUE(tally);
    return *tally;
  }
  Contents topic(bool minified = false) {
    Contents contents;
    std::vector<RangeRequest> requests;
    const TopicDescription topic = source_.topic("t");
    for (PartitionId partition(0); partition.value() < topic.partition_count; ++partition)
      requests.push_back({.partition = {.topic = topic.id, .partition = partition}, .begin = Offset(0)});
    lambda::RecordScan scan;
    const auto ranges = source_.ranges(requests);
    for (const PartitionRange& range : *ranges) {
      EXPECT_TRUE(scan.scan(range, [&](const Record& record) {
        Buffer buffer;
        if (record.value) ++contents[std::string(minified ? without_white_space(*record.value, buffer) : *record.value)];
      }));
    }
    return contents;
  }

  lambda::FakeSource source_;
  HeldSink sink_{source_};
  io::SimFileSystem files_;
  TurnedClock clock_;
  LoadService service_{files_, clock_, "/data/topics", source_, sink_, {.kept_from_bytes = 500, .table_size = 8}};
};

TEST_F(LoadServiceTest, BringsTheTopicUpToTheFile) {
  const std::vector<std::string> file{"{\"a\":1}", "{\"a\":2}", "{\"a\":1}", "not json", "{\"a\":1}"};
  source_.append("t", 1, {"{ \"a\": 1 }", "{\"b\":1}"});  // by another producer
  const LoadTally first = load(file);
  EXPECT_EQ(first.new_count, 4U);
  EXPECT_EQ(first.known_count, 1U);
  EXPECT_EQ(topic(true), (Contents{{"{\"a\":1}", 3}, {"{\"a\":2}", 1}, {"not json", 1}, {"{\"b\":1}", 1}}));
  const LoadTally again = load(file);
  EXPECT_EQ(again.new_count, 0U);
  EXPECT_EQ(again.known_count, 5U);
  load({"{\"a\":2}", "{\"a\":2}"});
  EXPECT_EQ(topic(true)["{\"a\":2}"], 2);
}

TEST_F(LoadServiceTest, KeepsTheOrderOfTheFile) {
  std::vector<std::string> file;
  for (int i = 0; i < 500; ++i) file.push_back("{\"i\":" + std::to_string(i * 7919 % 500) + "}");
  load(file, {.topic = "t", .partition = PartitionId(1)});
  lambda::RecordScan scan;
  std::vector<std::string> stored;
  const auto ranges = source_.ranges(std::vector<RangeRequest>{{{source_.topic("t").id, PartitionId(1)}, Offset(0)}});
  ASSERT_TRUE(scan.scan(ranges->front(), [&](const Record& record) { stored.emplace_back(*record.value); }));
  EXPECT_EQ(stored, file);
}

TEST_F(LoadServiceTest, EachFileStandsForItself) {
  auto session = *begin();
  ASSERT_TRUE(take(*session, "1\n2\n2\n"));
  ASSERT_TRUE(session->begin([](std::uint64_t, std::uint64_t) -> Result<> { return {}; }));
  ASSERT_TRUE(take(*session, "2\n3\n1\n1\n"));
  const auto tally = session->finish();
  ASSERT_TRUE(tally);
  EXPECT_EQ(tally->new_count, 5U);
  EXPECT_EQ(topic(), (Contents{{"1", 2}, {"2", 2}, {"3", 1}}));
}

TEST_F(LoadServiceTest, OneLoadAtATime) {
  auto first = *begin();
  EXPECT_EQ(begin().error().code, ErrorCode::conflict);
  source_.create("other");
  EXPECT_TRUE(begin({.topic = "other"}));
  ASSERT_TRUE(take(*first, "1\n"));
  first.reset();  // its connection has closed
  EXPECT_TRUE(begin());
}

TEST_F(LoadServiceTest, AClaimLastsUntilTheLastAppendIsAnswered) {
  sink_.hold = true;
  auto killed = *begin();
  ASSERT_TRUE(take(*killed, "1\n2\n"));
  killed.reset();
  EXPECT_EQ(begin().error().code, ErrorCode::conflict) << "two appends are under way";
  clock_.now += 2 * LoadClaims::idle_max;
  EXPECT_EQ(begin().error().code, ErrorCode::conflict) << "however long that takes";
  sink_.release();
  sink_.hold = false;
  EXPECT_EQ(load({"1", "2", "3"}).new_count, 1U);
  EXPECT_EQ(topic(), (Contents{{"1", 1}, {"2", 1}, {"3", 1}}));
}

TEST_F(LoadServiceTest, AnIdleClaimGoesToTheNext) {
  auto idle = *begin();
  ASSERT_TRUE(take(*idle, "1\n"));
  clock_.now += LoadClaims::idle_max;
  EXPECT_FALSE(begin());
  clock_.now += std::chrono::seconds(1);
  auto next = begin();
  ASSERT_TRUE(next);
  ASSERT_TRUE(take(**next, "1\n2\n"));
  const auto lost = take(*idle, "2\n");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::conflict);
  EXPECT_FALSE(idle->finish());
  idle.reset();
  EXPECT_EQ(begin().error().code, ErrorCode::conflict) << "the lost claim's end frees nothing";
  ASSERT_TRUE((*next)->finish());
  EXPECT_EQ(topic(), (Contents{{"1", 1}, {"2", 1}}));
}

TEST_F(LoadServiceTest, AFailureEndsTheLoadAndTheNextGoesOn) {
  auto session = *begin();
  ASSERT_TRUE(take(*session, "1\n"));
  sink_.fail_next = true;
  ASSERT_TRUE(take(*session, "2\n"));
  static_cast<void>(take(*session, "3\n"));
  const auto finished = session->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, ErrorCode::no_space);
  session.reset();
  load({"1", "2", "3"});
  EXPECT_EQ(topic(), (Contents{{"1", 1}, {"2", 1}, {"3", 1}}));
}

TEST_F(LoadServiceTest, RefusesWhatCannotBe) {
  EXPECT_EQ(begin({.topic = "nowhere"}).error().code, ErrorCode::not_found);
  EXPECT_EQ(begin({.topic = "t", .partition = PartitionId(2)}).error().code, ErrorCode::invalid_argument);
  EXPECT_FALSE(take(**begin(), "1\n2"));
  source_.topic("t").compacted = true;
  EXPECT_EQ(begin().error().code, ErrorCode::invalid_argument);
  source_.create("__internal");
  EXPECT_EQ(begin({.topic = "__internal"}).error().code, ErrorCode::invalid_argument);
}

TEST_F(LoadServiceTest, BatchesKeepWithinTheTopicsLimit) {
  source_.topic("t").message_bytes_max = 1000;
  auto session = *begin();
  EXPECT_LT(session->element_bytes_max(), 1000U);
  std::string block;
  for (int i = 0; i < 100; ++i) block += "\"" + std::to_string(i) + std::string(300, 'x') + "\"\n";
  ASSERT_TRUE(take(*session, block));
  ASSERT_TRUE(session->finish());
  EXPECT_EQ(topic().size(), 100U);
}

// Files of repeated elements, loads cut off anywhere, other producers beforehand, counts in memory and in files: the topic has each content
// as often as the file that has it most often, or as it had before.
TEST_F(LoadServiceTest, AnyFilesAnyInterruptions) {
  std::mt19937 random(5);
  Contents expected;
  for (int round = 0; round < 60; ++round) {
    std::vector<std::string> file;
    for (std::size_t count = random() % 60; count > 0; --count) file.push_back("{\"i\":" + std::to_string(random() % 40) + "}");
    if (round % 5 == 0) {
      for (const std::string& element : file) {
        source_.append("t", static_cast<std::int32_t>(random() % 2), {element});
        ++expected[element];
      }
      continue;
    }
    const std::size_t cut = random() % 3 == 0 ? random() % (file.size() + 1) : file.size();
    file.resize(cut);  // what the server got before the loader was killed
    auto session = begin();
    ASSERT_TRUE(session) << session.error().message;
    std::string block;
    for (const std::string& element : file) {
      block += element + "\n";
      if (random() % 4 == 0) {
        ASSERT_TRUE(take(**session, std::exchange(block, {})));
      }
    }
    ASSERT_TRUE(take(**session, block));
    if (random() % 2 == 0) {
      ASSERT_TRUE((*session)->finish());
    }
    Contents in_file;
    for (const std::string& element : file) ++in_file[element];
    for (const auto& [element, count] : in_file) expected[element] = std::max(expected[element], count);
    session->reset();
    ASSERT_EQ(topic(), expected) << "round " << round;
  }
  EXPECT_TRUE(*files_.exists("/data/topics/" + source_.topic("t").id.text() + "/load/content/index")) << "counts were kept in files, too";
}

}  // namespace
}  // namespace tripos::load
