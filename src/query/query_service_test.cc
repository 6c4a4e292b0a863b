#include "query/query_service.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <thread>

#include "io/real/posix_file_system.h"
#include "lambda/snapshotter.h"
#include "lambda/testing/fake_source.h"
#include "query/answer_text.h"
#include "query/json_text.h"
#include "query/runner_threads.h"
#include "query/worker_column_files.h"
#include "store/local_store.h"

namespace tripos::query {
namespace {

using std::chrono::milliseconds;

class TextSink final : public ResultSink {
 public:
  Result<> columns(std::span<const protocol::Column> columns) override {
    text += columns_text(columns);
    return {};
  }
  Result<> rows(Buffer piece) override {
    if (refuse) return fail(ErrorCode::cancelled, "nobody reads");
    text += piece;
    return {};
  }
  Result<> parquet(Buffer bytes) override {
    text += bytes;
    return {};
  }
  Buffer text;
  bool refuse = false;
};

class QueryTest : public testing::Test {
 protected:
  QueryTest() {
    CHECK(::mkdtemp(directory_.data()) != nullptr);
    pool_ =
        std::make_unique<WorkerPool>(disk_, settings("statements"), protocol::Role::statements, WorkerPool::Limits{.worker_count_max = 2});
    service_ = std::make_unique<QueryService>(tables_, views_, *pool_);
  }
  ~QueryTest() override {
    service_.reset();
    pool_.reset();
    (void)io::remove_tree(disk_, directory_);
  }
  WorkerSettings settings(const std::string& name) { return {.temporary_root = directory_ + "/workers/" + name, .allowed_paths = {}}; }

  Result<Answer> run(const std::string& text, milliseconds limit = milliseconds(20000)) {
    sink_.text.clear();
    Question question;
    question.text = text;
    question.time_limit = limit;
    return service_->run(question, sink_, cancellation_);
  }
  std::string rows(const std::string& text) {
    const auto answer = run(text);
    if (!answer) return std::string(to_string(answer.error().code)) + ": " + answer.error().message;
    return sink_.text.substr(sink_.text.find(']') + 1);
  }

  std::string directory_ = "/tmp/tripos_query_test_XXXXXX";
  io::PosixFileSystem disk_;
  lambda::FakeSource source_;
  store::LocalStore store_{disk_};
  lambda::ManifestStore manifests_{store_, directory_ + "/topics"};
  lambda::Tables tables_{source_, manifests_};
  ViewCatalog views_{source_, source_};
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<QueryService> service_;
  Cancellation cancellation_;
  TextSink sink_;
};

TEST_F(QueryTest, TablesArePinnedAndTheirFilesHandedOver) {
  source_.create("exams", 2);
  source_.append("exams", 1, {R"({"a":1})", R"({"a":2})"});
  const auto answer = run("offsets exams exams_messages");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_NE(sink_.text.find(R"(["exams",0,0,2,)"), std::string::npos) << sink_.text;
  EXPECT_EQ(sink_.text.find(R"(["exams",0,0,2,0])"), std::string::npos) << sink_.text;
  EXPECT_NE(
      as_of_text(answer->pin)
          .find(R"("partitions":[{"partition":0,"begin":0,"live_begin":0,"end":0},{"partition":1,"begin":0,"live_begin":0,"end":2}])"),
      std::string::npos);
  EXPECT_TRUE(answer->pin.tables[0].ranges[1].slices.empty());
}

TEST_F(QueryTest, AMissingTableIsTheServersErrorWithItsCode) {
  source_.create("exams");
  source_.append("exams", 0, {R"({"a":1})"});
  EXPECT_EQ(rows("offsets exam"), "not_found: there is no table or view exam; did you mean exams?");
}

TEST_F(QueryTest, TheWorkersRefusalIsHandedOn) { EXPECT_EQ(rows("error no such column"), "query: no such column"); }

TEST_F(QueryTest, OneWorkerServesQuestionAfterQuestion) {
  const std::string first = rows("pid");
  EXPECT_EQ(rows("pid"), first);
  EXPECT_EQ(rows("error x"), "query: x");
  EXPECT_EQ(rows("pid"), first);
  EXPECT_EQ(pool_->running_count(), 1U);
}

TEST_F(QueryTest, AWorkerThatDiesFailsItsQuestionOnly) {
  const std::string first = rows("pid");
  const auto died = run("die");
  ASSERT_FALSE(died.has_value());
  EXPECT_EQ(died.error().code, ErrorCode::unavailable);
  EXPECT_NE(died.error().message.find("signal 9"), std::string::npos) << died.error().message;
  const std::string second = rows("pid");
  EXPECT_NE(second, first);
  EXPECT_TRUE(second.starts_with("[")) << second;
}

TEST_F(QueryTest, AWorkerThatSaysItEndsIsReplaced) {
  const std::string first = rows("pid");
  EXPECT_EQ(rows("spoil"), "unavailable: spoilt");
  EXPECT_NE(rows("pid"), first);
  EXPECT_EQ(pool_->running_count(), 1U);
}

TEST_F(QueryTest, AWorkerThatTalksNonsenseIsReplaced) {
  const std::string first = rows("pid");
  EXPECT_EQ(run("nonsense").error().code, ErrorCode::unavailable);
  EXPECT_NE(rows("pid"), first);
}

TEST_F(QueryTest, ATimeLimitInterruptsAndTheWorkerLivesOn) {
  const std::string first = rows("pid");
  EXPECT_EQ(run("sleep", milliseconds(100)).error().code, ErrorCode::timed_out);
  EXPECT_EQ(rows("pid"), first);
}

TEST_F(QueryTest, AWorkerThatIgnoresTheInterruptIsKilled) {
  const std::string first = rows("pid");
  EXPECT_EQ(run("hang", milliseconds(100)).error().code, ErrorCode::timed_out);
  EXPECT_NE(rows("pid"), first);
}

TEST_F(QueryTest, ACancelledQuestionEnds) {
  std::thread canceller([this] {
    std::this_thread::sleep_for(milliseconds(100));
    cancellation_.cancel();
  });
  EXPECT_EQ(run("sleep").error().code, ErrorCode::cancelled);
  canceller.join();
}

TEST_F(QueryTest, ASinkThatRefusesEndsTheStatement) {
  sink_.refuse = true;
  EXPECT_EQ(run("flood 10").error().code, ErrorCode::cancelled);
}

TEST_F(QueryTest, WhoFindsNoWorkerFreeWaitsInTurn) {
  std::vector<std::thread> sleepers;
  for (int i = 0; i < 2; ++i) {
    sleepers.emplace_back([this] {
      TextSink sink;
      Question question;
      question.text = "sleep";
      question.time_limit = milliseconds(500);
      (void)service_->run(question, sink, cancellation_);
    });
  }
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_EQ(run("pid", milliseconds(50)).error().code, ErrorCode::timed_out);
  EXPECT_TRUE(run("pid").has_value());
  EXPECT_LE(pool_->running_count(), 2U);
  for (std::thread& sleeper : sleepers) sleeper.join();
}

TEST_F(QueryTest, ViewsAreKeptAndGivenToEachStatement) {
  EXPECT_TRUE(run("create Popular").has_value());
  EXPECT_EQ(rows("views"), R"(["Popular=text of Popular"])");
  const auto again = run("create popular");
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::already_exists);
  EXPECT_EQ(again.error().message.find("worker"), std::string::npos);
  // Another service, as after a restart, reads the same.
  ViewCatalog restarted(source_, source_);
  EXPECT_EQ(restarted.views()->size(), 1U);
  EXPECT_TRUE(run("drop POPULAR").has_value());
  EXPECT_EQ(rows("views"), "");
  EXPECT_EQ(restarted.views()->size(), 0U);
  EXPECT_EQ(run("drop popular").error().code, ErrorCode::not_found);
}

TEST_F(QueryTest, AQuestionWaitsForItsOffsets) {
  source_.create("exams");
  source_.append("exams", 0, {R"({"a":1})"});
  Question question;
  question.text = "offsets exams";
  question.wait_for = parse_wait_for("exams:0:1").value();
  std::thread producer([this] {
    std::this_thread::sleep_for(milliseconds(100));
    source_.append("exams", 0, {R"({"a":2})"});
  });
  const auto answer = service_->run(question, sink_, cancellation_);
  producer.join();
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->pin.tables[0].ranges[0].end.offset, Offset(2));
  question.wait_for = parse_wait_for("exams:0:7").value();
  question.time_limit = milliseconds(50);
  EXPECT_EQ(service_->run(question, sink_, cancellation_).error().code, ErrorCode::timed_out);
}

TEST(WaitFor, IsParsedStrictly) {
  EXPECT_TRUE(parse_wait_for("")->empty());
  const auto two = parse_wait_for("a.b-c:0:42,d:7:0").value();
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0].topic, "a.b-c");
  EXPECT_EQ(two[1].partition, PartitionId(7));
  for (const char* wrong : {"a", "a:1", ":1:2", "a:x:1", "a:1:", "a:1:2x", "a:-1:2", "a:1:-2", "a:99999999999:1"}) {
    EXPECT_FALSE(parse_wait_for(wrong).has_value()) << wrong;
  }
}

TEST_F(QueryTest, WorkersWriteColumnFiles) {
  WorkerPool snapshots(disk_, settings("snapshots"), protocol::Role::snapshots, {.worker_count_max = 2});
  WorkerColumnFiles columns(snapshots, 2, milliseconds(20000));
  lambda::Snapshotter snapshotter(tables_, columns, [] { return WallTime(); }, {.parallel_bytes_min = 1, .file_bytes_max = 150});
  source_.create("exams");
  for (int i = 0; i < 8; ++i) source_.append("exams", 0, {R"({"a":1})", R"({"a":2})"});
  const auto run = snapshotter.run("exams");
  ASSERT_TRUE(run.has_value()) << run.error().message;
  EXPECT_GT(run->front().new_files, 3U);
  EXPECT_EQ(run->front().new_row_count, 16);
  EXPECT_EQ(snapshots.running_count(), 2U);

  source_.create("bad");
  source_.append("bad", 0, {R"({"a":1})"});
  EXPECT_EQ(snapshotter.run("bad").error().code, ErrorCode::io);
  columns.stop();
  source_.append("exams", 0, {R"({"a":1})"});
  EXPECT_EQ(snapshotter.run("exams").error().code, ErrorCode::cancelled);
}

TEST(JsonText, IsAlwaysJson) {
  EXPECT_EQ(json_text("a\"b\\\n\x01"), R"("a\"b\\\n\u0001")");
  EXPECT_EQ(json_text("é\xF0\x9F\x98\x80"), "\"é\xF0\x9F\x98\x80\"");
  EXPECT_EQ(json_text("\xff\xC3"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(RunnerThreads, RunWhatIsSubmittedAndRefuseTooMuch) {
  std::atomic<int> ran = 0;
  std::atomic<bool> go = false;
  {
    RunnerThreads runners(2, 3);
    int accepted = 0;
    for (int i = 0; i < 10; ++i) {
      accepted += runners.submit([&] {
        while (!go) std::this_thread::sleep_for(milliseconds(1));
        ++ran;
      });
      std::this_thread::sleep_for(milliseconds(5));
    }
    EXPECT_EQ(accepted, 5);
    go = true;
  }
  EXPECT_EQ(ran, 5);
}

}  // namespace
}  // namespace tripos::query
