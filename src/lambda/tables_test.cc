#include "lambda/tables.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "io/real/posix_file_system.h"
#include "io/sim/sim_file_system.h"
#include "lambda/snapshotter.h"
#include "lambda/testing/exactness.h"
#include "lambda/testing/fake_source.h"
#include "store/local_store.h"

namespace tripos::lambda {
namespace {

std::string row(int n) { return fmt::format(R"({{"n":{}}})", n); }

// Everything of the batch layer over one file system; a new one is a restart.
struct Lambda {
  Lambda(io::FileSystem& disk, FakeSource& source, const std::string& topics_directory = "/data/topics")
      : store(disk), manifests(store, topics_directory), tables(source, manifests), columns(disk), snapshotter(tables, columns, [] {
          return WallTime();
        }) {}

  store::LocalStore store;
  ManifestStore manifests;
  Tables tables;
  PlainColumnFiles columns;
  Snapshotter snapshotter;
};

class TablesTest : public testing::Test {
 protected:
  Result<Pin> pin(const std::string& name, const std::string& qualifier = "") {
    const TableReference reference{.qualifier = qualifier, .name = name};
    return lambda_.tables.pin({&reference, 1});
  }
  PinnedTable pinned(const std::string& name) { return pin(name).value().tables.front(); }
  std::string wrong(const std::string& name) {
    return wrong_with(pinned(name), source_, lambda_.columns, lambda_.manifests).value_or("exact");
  }

  FakeSource source_;
  io::SimFileSystem disk_;
  Lambda lambda_{disk_, source_};
};

TEST_F(TablesTest, ATableAppearsWithTheFirstJsonObject) {
  source_.create("exams");
  EXPECT_EQ(pin("exams").error().code, ErrorCode::not_found);
  source_.append("exams", 0, {"no json", "[1]", "7", std::nullopt});
  EXPECT_EQ(pin("exams").error().code, ErrorCode::not_found);
  EXPECT_TRUE(pin("exams_messages").has_value());
  EXPECT_TRUE(pin("exams_rejected").has_value());
  source_.append("exams", 0, {R"({"b":1.5,"a":"x"})"});
  EXPECT_EQ(pinned("exams").schema.text(), "struct<a:string,b:double>");
  EXPECT_EQ(wrong("exams"), "exact");
}

TEST_F(TablesTest, AChangedByteOfAFileIsFoundBeforeItIsUsed) {
  source_.create("exams");
  source_.append("exams", 0, {row(1), row(2)});
  ASSERT_TRUE(lambda_.snapshotter.run("exams").has_value());
  const PinnedTable before = pinned("exams");
  const std::string path = lambda_.manifests.path(before.topic.id, before.manifest->files.at(0).name);
  const std::size_t size = disk_.open(path, io::OpenMode::read).value()->size().value();
  for (std::size_t i = 0; i < size; ++i) {
    const auto flip = [&] {
      const auto file = disk_.open(path, io::OpenMode::write).value();
      Buffer byte(1, '\0');
      ASSERT_TRUE(io::read_exactly(*file, i, byte).has_value());
      byte[0] = static_cast<char>(byte[0] ^ 16);
      const Bytes parts[] = {byte};
      ASSERT_TRUE(file->write_at(i, parts).has_value());
    };
    flip();
    Lambda restarted(disk_, source_);
    const TableReference reference{.qualifier = "", .name = "exams"};
    const auto refused = restarted.tables.pin({&reference, 1});
    ASSERT_FALSE(refused.has_value()) << "byte " << i;
    EXPECT_EQ(refused.error().code, ErrorCode::corrupt);
    EXPECT_NE(refused.error().message.find(path), std::string::npos) << refused.error().message;
    flip();
    EXPECT_TRUE(restarted.tables.pin({&reference, 1}).has_value()) << "a file that was put back is taken";
  }
}

TEST_F(TablesTest, TheSchemaCoversExactlyWhatIsPinned) {
  source_.create("exams", 2);
  source_.append("exams", 0, {R"({"a":1})"});
  EXPECT_EQ(pinned("exams").schema.text(), "struct<a:bigint>");
  source_.append("exams", 1, {R"({"a":2.5,"b":null})"});
  // Comes after the pin has looked at the log: not in its schema.
  const auto first = pinned("exams");
  source_.append("exams", 1, {R"({"c":true})"});
  EXPECT_EQ(first.schema.text(), "struct<a:double,b:void>");
  EXPECT_EQ(pinned("exams").schema.text(), "struct<a:double,b:void,c:boolean>");
}

TEST_F(TablesTest, AllTablesOfAStatementAreOfOneMoment) {
  source_.create("exams");
  source_.create("answers");
  source_.append("exams", 0, {row(1)});
  source_.append("answers", 0, {row(1)});
  const int calls = source_.ranges_calls;
  const TableReference references[] = {{"", "exams"}, {"topics", "answers"}, {"", "EXAMS_messages"}, {"", "exams"}};
  const Pin pin = lambda_.tables.pin(references).value();
  EXPECT_EQ(source_.ranges_calls, calls + 1);
  EXPECT_EQ(pin.tables[2].kind, TableKind::messages);
  EXPECT_EQ(pin.tables[0].ranges[0].end, pin.tables[3].ranges[0].end);
}

TEST_F(TablesTest, MessagesAndRejectedAreReadFromTheLogsStart) {
  source_.create("exams");
  source_.append("exams", 0, {row(1), "bad", row(2)});
  ASSERT_TRUE(lambda_.snapshotter.run("exams").has_value());
  EXPECT_EQ(pinned("exams").ranges[0].begin, Offset(3));
  EXPECT_EQ(pinned("exams").files().size(), 1U);
  EXPECT_EQ(pinned("exams_messages").ranges[0].begin, Offset(0));
  EXPECT_TRUE(pinned("exams_messages").files().empty());
  EXPECT_EQ(pinned("exams_rejected").ranges[0].begin, Offset(0));
}

TEST_F(TablesTest, InternalTopicsAndThoseWithoutTableAreNone) {
  source_.create("__consumer_offsets");
  source_.create("plain");
  source_.topic("plain").table = false;
  for (const char* name : {"__consumer_offsets", "plain"}) {
    source_.append(name, 0, {row(1)});
    EXPECT_EQ(pin(name).error().code, ErrorCode::not_found);
    EXPECT_EQ(pin(std::string(name) + "_messages").error().code, ErrorCode::not_found);
  }
}

TEST_F(TablesTest, ACompactedTopicIsReadFromItsLog) {
  source_.create("exams");
  source_.append("exams", 0, {row(1)});
  ASSERT_TRUE(lambda_.snapshotter.run("exams").has_value());
  source_.topic("exams").compacted = true;
  EXPECT_TRUE(pinned("exams").files().empty());
  EXPECT_EQ(pinned("exams").ranges[0].begin, Offset(0));
  source_.append("exams", 0, {row(2)});
  EXPECT_EQ(lambda_.snapshotter.run("exams")->front().outcome, SnapshotOutcome::compacted);
}

TEST_F(TablesTest, ADeletedTopicsNameMeansTheNewOne) {
  source_.create("exams");
  source_.append("exams", 0, {row(1), row(2)});
  ASSERT_TRUE(lambda_.snapshotter.run("exams").has_value());
  source_.remove("exams");
  EXPECT_EQ(pin("exams").error().code, ErrorCode::not_found);
  source_.create("exams");
  source_.append("exams", 0, {R"({"other":1})"});
  EXPECT_EQ(pinned("exams").schema.text(), "struct<other:bigint>");
  EXPECT_EQ(wrong("exams"), "exact");
}

TEST_F(TablesTest, ATopicDeletedWhileItIsPinnedIsLookedUpAnew) {
  source_.create("exams");
  source_.append("exams", 0, {row(1)});
  source_.before_ranges = [this] {
    source_.before_ranges = nullptr;
    source_.remove("exams");
    source_.create("exams");
    source_.append("exams", 0, {row(1), row(2)});
  };
  EXPECT_EQ(pinned("exams").ranges[0].end.offset, Offset(2));
}

TEST_F(TablesTest, LearningAheadChangesNoAnswerAndADeletedTopicStopsNoOther) {
  source_.create("exams");
  source_.create("answers");
  source_.append("exams", 0, {R"({"a":1})"});
  source_.append("answers", 0, {R"({"b":1})"});
  EXPECT_TRUE(lambda_.tables.learn().value());
  EXPECT_FALSE(lambda_.tables.learn().value());
  EXPECT_EQ(lambda_.tables.names().value(),
            (std::vector<std::string>{"answers", "answers_messages", "answers_rejected", "exams", "exams_messages", "exams_rejected"}));
  source_.append("exams", 0, {R"({"c":1})"});
  source_.before_ranges = [this] {
    source_.before_ranges = nullptr;
    source_.remove("answers");
  };
  EXPECT_TRUE(lambda_.tables.learn().value());
  EXPECT_EQ(pinned("exams").schema.text(), "struct<a:bigint,c:bigint>");
}

TEST_F(TablesTest, ARestartInfersOnlyTheTail) {
  source_.create("exams");
  source_.append("exams", 0, {R"({"a":1,"gone":[]})"});
  ASSERT_TRUE(lambda_.snapshotter.run("exams").has_value());
  source_.trim("exams", 0, Offset(1));  // the log below is gone: what it held is known from the manifest only
  source_.append("exams", 0, {R"({"b":1})"});
  Lambda restarted(disk_, source_);
  const TableReference reference{.qualifier = "", .name = "exams"};
  const auto pin = restarted.tables.pin({&reference, 1});
  ASSERT_TRUE(pin.has_value()) << pin.error().message;
  EXPECT_EQ(pin->tables[0].schema.text(), "struct<a:bigint,b:bigint,gone:array<void>>");
  EXPECT_EQ(pin->tables[0].ranges[0].begin, Offset(1));
}

// A rival (another process) moves the manifest on, and the log is trimmed behind it, between the two steps of a pin.
TEST_F(TablesTest, ATrimmedLogIsSeenAndThePinIsMadeAgain) {
  source_.create("exams");
  source_.append("exams", 0, {row(1)});
  ASSERT_TRUE(lambda_.snapshotter.run("exams").has_value());
  source_.append("exams", 0, {row(2), row(3)});
  Lambda rival(disk_, source_);
  int call = 0;
  source_.before_ranges = [&] {
    if (++call != 1) return;
    ASSERT_TRUE(rival.snapshotter.run("exams").has_value());
    source_.trim("exams", 0, Offset(3));
  };
  const auto table = pinned("exams");
  EXPECT_EQ(table.manifest->version, 2U);
  EXPECT_EQ(table.files().size(), 2U);
  EXPECT_EQ(table.ranges[0].begin, Offset(3));
}

TEST_F(TablesTest, WhatWasDeletedOnRequestLeavesTheTableAndWhatAgedOutStays) {
  source_.create("exams");
  source_.append("exams", 0, {row(1), row(2)});
  ASSERT_TRUE(lambda_.snapshotter.run("exams").has_value());
  source_.append("exams", 0, {row(3), row(4)});
  ASSERT_TRUE(lambda_.snapshotter.run("exams").has_value());
  source_.append("exams", 0, {row(5)});
  const auto offsets = [this] {
    std::vector<std::int64_t> found;
    const auto table = pinned("exams");
    const auto rows = rows_of(table.files(), table.ranges, table.topic.id, PartitionId(0), lambda_.columns, lambda_.manifests);
    for (const PlainRow& each : rows.value()) found.push_back(each.offset.value());
    return found;
  };
  source_.trim("exams", 0, Offset(4));
  EXPECT_EQ(offsets(), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  source_.erase("exams", 0, Offset(1));
  EXPECT_EQ(offsets(), (std::vector<std::int64_t>{1, 2, 3, 4}));
  source_.erase("exams", 0, Offset(3));
  EXPECT_EQ(offsets(), (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(pinned("exams").files().size(), 1U);
  // The next snapshot leaves the file out of which all is gone.
  ASSERT_TRUE(lambda_.snapshotter.run("exams").has_value());
  EXPECT_EQ(pinned("exams").manifest->files.size(), 2U);
  EXPECT_EQ(offsets(), (std::vector<std::int64_t>{3, 4}));
  // Up to the end: nothing is left, and nothing is lost of what comes.
  source_.erase("exams", 0, Offset(5));
  EXPECT_EQ(offsets(), (std::vector<std::int64_t>{}));
  EXPECT_EQ(lambda_.snapshotter.run("exams")->front().outcome, SnapshotOutcome::written);
  EXPECT_EQ(pinned("exams").manifest->files.size(), 0U);
  source_.append("exams", 0, {row(6)});
  EXPECT_EQ(offsets(), (std::vector<std::int64_t>{5}));
}

TEST_F(TablesTest, WhatRetentionWouldTakeIsPutIntoFilesFirst) {
  source_.create("exams", 2);
  const auto cover = [this](std::int32_t partition, std::int64_t end) {
    return lambda_.snapshotter.cover(source_.topic("exams"), PartitionId(partition), Offset(end)).value();
  };
  source_.append("exams", 0, {"no json", std::nullopt});
  EXPECT_EQ(cover(0, 2), Offset(2)) << "no row, no file needed";
  EXPECT_EQ(cover(0, 9), Offset(2)) << "not what comes later";
  source_.append("exams", 0, {row(1), row(2)});
  source_.append("exams", 1, {row(3)});
  EXPECT_EQ(cover(0, 3), Offset(3));
  EXPECT_EQ(pinned("exams").manifest->end_of(PartitionId(0)), Offset(4));
  EXPECT_EQ(cover(1, 1), Offset(1));
  EXPECT_EQ(pinned("exams").manifest->version, 1U) << "what is covered needs nothing";
  EXPECT_EQ(cover(1, 7), Offset(1));
  source_.topic("exams").compacted = true;
  EXPECT_EQ(cover(1, 1), Offset(1));
}

TEST_F(TablesTest, ACompactedTablesColumnsOutliveTheRecordsThatBroughtThem) {
  source_.create("exams");
  source_.topic("exams").compacted = true;
  source_.append("exams", 0, {R"({"old":"x"})"});
  source_.append("exams", 0, {R"({"new":1})"});
  ASSERT_TRUE(lambda_.snapshotter.keep_schema(source_.topic("exams")));
  source_.trim("exams", 0, Offset(1));  // as compaction takes the first one
  Lambda restarted(disk_, source_);
  const auto table = restarted.tables.pin_rows(source_.topic("exams")).value();
  EXPECT_EQ(table.schema.text(), "struct<new:bigint,old:string>");
  EXPECT_EQ(table.manifest->version, 1U);
  ASSERT_TRUE(restarted.snapshotter.keep_schema(source_.topic("exams")));
  EXPECT_EQ(restarted.tables.pin_rows(source_.topic("exams"))->manifest->version, 1U) << "nothing new";
  // With another policy it is a table like others: nothing of what the log holds is taken for being in files.
  source_.topic("exams").compacted = false;
  EXPECT_EQ(restarted.tables.pin_rows(source_.topic("exams"))->ranges[0].begin, Offset(1));
}

TEST_F(TablesTest, OfTwoSnapshotsOneWinsAndNothingIsDoubled) {
  source_.create("exams");
  source_.append("exams", 0, {row(1)});
  Lambda rival(disk_, source_);
  const auto ours = lambda_.tables.pin_rows(source_.topic("exams")).value();
  ASSERT_TRUE(rival.snapshotter.run("exams").has_value());
  Manifest next = *ours.manifest;
  next.version = 1;
  EXPECT_EQ(lambda_.tables.commit(ours, next, {}).error().code, ErrorCode::conflict);
  EXPECT_EQ(wrong("exams"), "exact");
  source_.append("exams", 0, {row(2)});
  EXPECT_EQ(lambda_.snapshotter.run("exams")->front().manifest.version, 2U);
  EXPECT_EQ(wrong("exams"), "exact");
}

TEST_F(TablesTest, WaitForIsCoveredWhenTheEndIsAboveTheOffset) {
  source_.create("exams");
  const Awaited awaited{.topic = "exams", .partition = PartitionId(0), .offset = Offset(0)};
  EXPECT_FALSE(lambda_.tables.covers({&awaited, 1}).value());
  source_.append("exams", 0, {row(1)});
  EXPECT_TRUE(lambda_.tables.covers({&awaited, 1}).value());
  const Awaited missing{.topic = "exams", .partition = PartitionId(1), .offset = Offset(0)};
  EXPECT_EQ(lambda_.tables.covers({&missing, 1}).error().code, ErrorCode::not_found);
}

TEST_F(TablesTest, LargeRangesAreCutAtBatchesAndNothingIsLost) {
  source_.create("exams", 2);
  for (int i = 0; i < 100; ++i) source_.append("exams", i % 2, {row(i), "bad", row(i)});
  const auto whole = lambda_.tables.pin_rows(source_.topic("exams")).value();
  for (const std::uint64_t bytes : {1U, 100U, 1000U, 5000U, 1000000U}) {
    for (const PartitionRange& range : whole.ranges) {
      const auto parts = cut_range(range, bytes).value();
      EXPECT_EQ(parts.front().begin, range.begin);
      EXPECT_EQ(parts.back().end, range.end);
      for (std::size_t i = 1; i < parts.size(); ++i) EXPECT_EQ(parts[i].begin, parts[i - 1].end.offset);
      PinnedTable cut = whole;
      cut.ranges = parts;
      const auto rows = rows_of({}, cut.ranges, cut.topic.id, range.partition, lambda_.columns, lambda_.manifests).value();
      EXPECT_EQ(rows, recompute(source_, cut.topic.id, range.partition, range.end).value());
    }
  }
  Snapshotter cutting(lambda_.tables, lambda_.columns, [] { return WallTime(); }, {.parallel_bytes_min = 500, .file_bytes_max = 800});
  const auto snapshot = cutting.run("exams").value().front();
  EXPECT_GT(snapshot.new_files, 6U);
  EXPECT_EQ(snapshot.new_row_count, 200);
  EXPECT_EQ(wrong("exams"), "exact");
}

TEST_F(TablesTest, ARangeWithoutRowsMovesTheEndWithoutAFile) {
  source_.create("exams");
  source_.append("exams", 0, {row(1)});
  ASSERT_TRUE(lambda_.snapshotter.run("exams").has_value());
  source_.append("exams", 0, {"bad", std::nullopt});
  const auto snapshot = lambda_.snapshotter.run("exams").value().front();
  EXPECT_EQ(snapshot.new_files, 0U);
  EXPECT_EQ(snapshot.manifest.end_of(PartitionId(0)), Offset(3));
  EXPECT_EQ(snapshot.manifest.partitions[0].rejected_count, 1);
  EXPECT_EQ(lambda_.snapshotter.run("exams")->front().outcome, SnapshotOutcome::no_change);
}

TEST_F(TablesTest, AFullDiskLeavesNothingBehindAndTheNextRunGoesOn) {
  source_.create("exams");
  const TopicId topic = source_.topic("exams").id;
  source_.append("exams", 0, {row(1), row(2)});
  disk_.inject([](io::Operation operation, const std::string& path) {
    const bool hit = operation == io::Operation::write && path.ends_with(".parquet");
    return hit ? std::optional(ErrorCode::no_space) : std::nullopt;
  });
  EXPECT_EQ(lambda_.snapshotter.run("exams").error().code, ErrorCode::no_space);
  EXPECT_TRUE(lambda_.store.list(lambda_.manifests.table_directory(topic))->empty());
  EXPECT_EQ(wrong("exams"), "exact");
  disk_.inject(nullptr);
  EXPECT_EQ(lambda_.snapshotter.run("exams")->front().outcome, SnapshotOutcome::written);
  EXPECT_EQ(wrong("exams"), "exact");
}

// ---- snapshots while records come and questions are asked ------------------------------------------------------------

// Like a Tables::pin that takes the files after the ends: the seam that pins are there to avoid.
std::optional<std::string> ask_with_seam(Lambda& lambda, FakeSource& source, const TopicDescription& topic) {
  const PinnedTable pinned = lambda.tables.pin_rows(topic).value();
  Manifest later = *pinned.manifest;
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
  while (later.version == pinned.manifest->version && std::chrono::steady_clock::now() < until) {
    later = lambda.manifests.load(topic.id).value();
  }
  std::vector<TableFile> files;
  for (const ManifestFile& file : later.files) files.push_back({.file = &file, .begin = file.begin});
  return wrong_with(files, pinned, source, lambda.columns, lambda.manifests);
}

std::optional<std::string> ask(Lambda& lambda, FakeSource& source, const TopicDescription& topic) {
  return wrong_with(lambda.tables.pin_rows(topic).value(), source, lambda.columns, lambda.manifests);
}

// How many answers of concurrent readers were wrong, while records came and snapshots were made: of more than 20.
template <typename Ask>
int wrong_answers(Ask ask_once) {
  std::string directory = "/tmp/tripos_tables_test_XXXXXX";
  CHECK(::mkdtemp(directory.data()) != nullptr);
  io::PosixFileSystem disk;
  FakeSource source;
  source.create("exams", 2);
  const TopicDescription topic = source.topic("exams");
  Lambda lambda(disk, source, directory);
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::atomic<int> asked = 0;
  std::atomic<int> acknowledged = 0;  // records of partition 0
  std::thread producer([&] {
    for (int i = 0; i < 4000 || asked <= 20; ++i) {
      source.append("exams", i % 2, {row(i), i % 7 == 0 ? "bad" : row(i)});
      if (i % 2 == 0) acknowledged += 2;
      if (i % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
    done = true;
  });
  std::thread batch([&] {
    while (!done) CHECK(lambda.snapshotter.run("exams").has_value());
  });
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        const int before = acknowledged;
        if (ask_once(lambda, source, topic)) ++wrong;
        // What was acknowledged before the question is in the answer.
        if (lambda.tables.pin_rows(topic)->ranges[0].end.offset < Offset(before)) ++wrong;
        ++asked;
      }
    });
  }
  producer.join();
  batch.join();
  for (std::thread& reader : readers) reader.join();
  (void)io::remove_tree(disk, directory);
  return wrong;
}

TEST(TablesUnderFire, NoAnswerIsWrongWhileSnapshotsAreMade) { EXPECT_EQ(wrong_answers(ask), 0); }

TEST(TablesUnderFire, TheCheckerCatchesASeam) { EXPECT_GT(wrong_answers(ask_with_seam), 0); }

}  // namespace
}  // namespace tripos::lambda
