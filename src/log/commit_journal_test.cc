// The commit journal: its bytes, what goes to it and what does not, and what a start makes of it. Crashes at every operation:
// crash_test.cc.
#include "log/commit_journal.h"

#include <gtest/gtest.h>

#include <set>

#include "log/journal_format.h"
#include "log/journal_replay.h"
#include "log/log_fixture.h"

namespace tripos::log {
namespace {

constexpr std::uint64_t half = 4 * journal_block;

Buffer make_record(const Uuid& run, std::uint64_t number, std::uint64_t drained_below) {
  JournalRecordBuilder record(run, number, drained_below);
  record.add("topics/t/0/00000000000000000000.log", 100, 5);
  record.bytes() += "hello";
  record.add("meta/00000000000000000007.log", 0, 2);
  record.bytes() += "ab";
  return Buffer(record.finish());
}

TEST(JournalFormatTest, ARecordIsReadAsItWasWritten) {
  const Uuid run = Uuid::random();
  const Buffer bytes = make_record(run, 7, 3);
  const Buffer more = bytes + "whatever stands behind it";
  const auto record = decode_journal_record(more, run);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->number, 7U);
  EXPECT_EQ(record->drained_below, 3U);
  EXPECT_EQ(record->size, journal_block);
  ASSERT_EQ(record->entries.size(), 2U);
  EXPECT_EQ(record->entries[0].name, "topics/t/0/00000000000000000000.log");
  EXPECT_EQ(record->entries[0].position, 100U);
  EXPECT_EQ(record->entries[0].bytes, "hello");
  EXPECT_EQ(record->entries[1].bytes, "ab");
  EXPECT_EQ(journal_record_size(journal_entry_size(record->entries[0].name, 5) + journal_entry_size(record->entries[1].name, 2)),
            journal_block);
  EXPECT_FALSE(decode_journal_record(bytes, Uuid::random())) << "of another run";
}

TEST(JournalFormatTest, NoByteOfARecordOrOfTheHeadMayChangeOrBeMissing) {
  const Uuid run = Uuid::random();
  const Buffer bytes = make_record(run, 7, 3);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Buffer changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    EXPECT_FALSE(decode_journal_record(changed, run)) << at;
    EXPECT_FALSE(decode_journal_record(Bytes(bytes).substr(0, at), run)) << at;
  }
  const Buffer head = encode_journal_head({.run = run, .half_bytes = half});
  EXPECT_EQ(head.size(), journal_block);
  const auto read = decode_journal_head(head);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->run, run);
  EXPECT_EQ(read->half_bytes, half);
  for (std::size_t at = 0; at < 44; ++at) {
    Buffer changed = head;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    EXPECT_FALSE(decode_journal_head(changed)) << at;
    EXPECT_FALSE(decode_journal_head(Bytes(head).substr(0, at))) << at;
  }
}

class CommitJournalTest : public LogFixture {
 protected:
  CommitJournalTest() {
    commit_options_.journal = {.half_bytes = half, .round_bytes_max = 8000, .rounds_before = 1};
    kill();
    files_->observe([this](io::Operation operation, const std::string& path) {
      if (operation == io::Operation::sync_data) synced_.insert(path);
    });
  }
  // A log whose rounds go to the journal.
  void begin() {
    append({"first"});  // its directory is new
    sync();
    append({"second"});  // and the journal is made
    sync();
    ASSERT_TRUE(*files_->exists(journal_path(test_data)));
    synced_.clear();
  }
  void fail_journal(io::Operation failing, ErrorCode code) {
    files_->inject([failing, code](io::Operation operation, const std::string& path) -> std::optional<ErrorCode> {
      if (operation == failing && path == journal_path(test_data)) return code;
      return std::nullopt;
    });
  }
  // How many of the next rounds, one record each, the loop waits for.
  std::uint64_t loop_rounds_of(int rounds) {
    const std::uint64_t before = commit_->counters().loop_rounds;
    for (int i = 0; i < rounds; ++i) {
      append({"more"});
      sync();
    }
    return commit_->counters().loop_rounds - before;
  }
  Result<> recover() {
    TRIPOS_TRY(replay_journal(*files_, test_data));
    TRIPOS_TRY(files_->sync_all(test_data));
    return remove_journal(*files_, test_data);
  }

  std::set<std::string> synced_;
};

TEST_F(CommitJournalTest, ASmallRoundSyncsTheJournalAlone) {
  begin();
  append({"third"});
  sync();
  EXPECT_EQ(synced_, std::set<std::string>{journal_path(test_data)});
  EXPECT_EQ(log().durable_end().offset, Offset(3));
  EXPECT_EQ(commit_->counters().journal_rounds, 1U);
  cut_power(io::Survival::nothing);
  ASSERT_TRUE(recover());
  EXPECT_EQ(values(), (Values{"first", "second", "third"}));
  EXPECT_FALSE(*files_->exists(journal_path(test_data)));
}

TEST_F(CommitJournalTest, ALargeRoundAndANewSegmentSyncTheirFiles) {
  begin();
  append({std::string(9000, 'x')});
  sync();
  EXPECT_EQ(synced_, std::set<std::string>{file()});
  options_.segment_bytes = 10000;
  log().set_options(options_);
  synced_.clear();
  append({std::string(900, 'y')});
  sync();
  EXPECT_TRUE(synced_.contains(file()) && synced_.contains(file(Offset(3))));
  EXPECT_EQ(commit_->counters().journal_rounds, 0U);
}

TEST_F(CommitJournalTest, HalvesAreUsedAgainOnceTheirLogsAreSynced) {
  begin();
  Values expected = {"first", "second"};
  for (int i = 0; i < 50; ++i) {
    expected.push_back(std::to_string(i));
    append({expected.back()});
    sync();
    auto left = files_->after_power_cut(io::Survival::nothing, 1);
    ASSERT_TRUE(replay_journal(*left, test_data)) << i;
  }
  EXPECT_GT(commit_->counters().journal_rounds, 40U) << "halves are drained in time";
  EXPECT_TRUE(synced_.contains(file()));
  EXPECT_EQ(size_of(journal_path(test_data)), journal_block + 2 * half);
  cut_power(io::Survival::nothing);
  ASSERT_TRUE(recover());
  EXPECT_EQ(values(), expected);
}

TEST_F(CommitJournalTest, AHalfThatDrainsIsNotUsed) {
  CommitJournal journal(*files_, test_data, {.half_bytes = half, .round_bytes_max = 8000, .rounds_before = 1}, 8);
  ASSERT_TRUE(files_->make_directories(test_directory));
  const auto segment = *files_->open(file(), io::OpenMode::create);
  ASSERT_TRUE(segment->write_at(0, std::array{Bytes("bytes of a log")}));
  const std::vector<UnsyncedTail> tails = {{.file = segment, .begin = 0, .end = 5}};
  ASSERT_FALSE(journal.place(tails)) << "there is none yet";
  const auto make = journal.next_chore();
  ASSERT_TRUE(make);
  make->done(make->work());
  const auto write_round = [&] {
    const auto place = journal.place(tails);
    if (!place) return false;
    EXPECT_TRUE(CommitJournal::write(*place, tails, test_data));
    journal.written(*place, tails);
    return true;
  };
  const std::size_t rounds_of_half = half / journal_block - 1;
  for (std::size_t i = 0; i < rounds_of_half; ++i) EXPECT_TRUE(write_round());
  EXPECT_FALSE(journal.next_chore());
  for (std::size_t i = 0; i < rounds_of_half; ++i) EXPECT_TRUE(write_round());
  const auto drain = journal.next_chore();
  ASSERT_TRUE(drain);
  EXPECT_FALSE(write_round()) << "the first half is due to be drained";
  const Result<> drained = drain->work();
  EXPECT_FALSE(write_round()) << "nobody knows yet that it has been";
  drain->done(drained);
  EXPECT_TRUE(write_round());
}

TEST_F(CommitJournalTest, ACleanStopLeavesNone) {
  begin();
  append({"third"});
  sync();
  close();
  EXPECT_FALSE(*files_->exists(journal_path(test_data)));
  cut_power(io::Survival::nothing);
  EXPECT_EQ(values(), (Values{"first", "second", "third"}));
}

TEST_F(CommitJournalTest, WhatACheckpointCoversIsNotWrittenAgain) {
  begin();
  append({"third"});
  sync();
  bool written = false;
  log().checkpoint([&written](const Result<>& result) { written = result.has_value(); });
  sync();
  ASSERT_TRUE(written);
  const std::uint64_t size = size_of(file());
  kill();
  // As if compaction had put another segment there.
  const auto segment = files_->open(file(), io::OpenMode::write);
  ASSERT_TRUE((*segment)->write_at(size - 1, std::array{Bytes("!")}));
  ASSERT_TRUE(recover());
  EXPECT_EQ(io::read_file(*files_, file(), 1u << 20)->back(), '!');
}

TEST_F(CommitJournalTest, AFullDiskLeavesThingsAsTheyWere) {
  append({"first"});
  sync();
  files_->inject([](io::Operation operation, const std::string& path) -> std::optional<ErrorCode> {
    if (operation == io::Operation::reserve && path.ends_with("journal.tmp")) return ErrorCode::no_space;
    return std::nullopt;
  });
  for (int i = 0; i < 3; ++i) {
    append({"more"});
    sync();
  }
  EXPECT_FALSE(*files_->exists(journal_path(test_data)));
  EXPECT_FALSE(*files_->exists(unfinished_journal_path(test_data)));
  EXPECT_EQ(fatal_, "");
  EXPECT_EQ(log().durable_end().offset, Offset(4));
  files_->inject(nullptr);
  for (int i = 0; i < 8; ++i) {
    append({"more"});
    sync();
  }
  EXPECT_GT(commit_->counters().journal_rounds, 0U) << "it is tried again";
}

TEST_F(CommitJournalTest, TheLoopWaitsForRoundsOfAQuickDisk) {
  const QuickRoundsOptions quick = {.limit = std::chrono::milliseconds(1), .before = 3};
  commit_options_.journal.quick = quick;
  kill();
  begin();
  EXPECT_EQ(loop_rounds_of(3), 0U) << "it has to be seen first that the disk is quick";
  EXPECT_EQ(loop_rounds_of(2), 2U);
  MonotonicClock::duration sync_takes = quick.limit;
  files_->observe([&](io::Operation operation, const std::string& path) {
    if (operation == io::Operation::sync_data && path == journal_path(test_data)) loop_->take(sync_takes);
  });
  EXPECT_EQ(loop_rounds_of(5), 1U) << "the first one is waited for, and was slow";
  sync_takes = quick.limit / 2;
  EXPECT_EQ(loop_rounds_of(5), 2U) << "three quick ones, and it is trusted again";
  EXPECT_EQ(fatal_, "");
  EXPECT_EQ(log().durable_end().offset, Offset(17));
  cut_power(io::Survival::nothing);
  ASSERT_TRUE(recover());
  EXPECT_EQ(values().size(), 17U);
}

TEST_F(CommitJournalTest, ARoundThatTheLoopWaitsForIsDurableWhenItsTurnEnds) {
  commit_options_.journal.quick = {.before = 0};
  kill();
  begin();
  append({"third"});
  EXPECT_EQ(log().durable_end().offset, Offset(2)) << "a round starts after what the loop has at hand";
  ASSERT_TRUE(loop_->step());
  EXPECT_EQ(log().durable_end().offset, Offset(3));
  EXPECT_FALSE(loop_->step()) << "nothing is under way";
  commit_options_.journal.quick.limit = {};
  kill();
  begin();
  EXPECT_EQ(loop_rounds_of(3), 0U) << "no limit that is quick enough";
}

// A file system that copies what is overwritten.
TEST_F(CommitJournalTest, WithoutSpaceToOverwriteItItIsGivenUp) {
  begin();
  append({"third"});
  sync();
  fail_journal(io::Operation::write, ErrorCode::no_space);
  append({"fourth"});
  sync();
  files_->inject(nullptr);
  EXPECT_EQ(fatal_, "");
  EXPECT_EQ(log().durable_end().offset, Offset(4));
  append({"fifth"});
  sync();
  EXPECT_EQ(commit_->counters().journal_rounds, 1U);
  auto left = files_->after_power_cut(io::Survival::nothing, 1);
  close();
  EXPECT_FALSE(*files_->exists(journal_path(test_data)));
  log_.reset();
  commit_.reset();
  files_ = std::move(left);
  start();
  ASSERT_TRUE(recover());
  EXPECT_EQ(values(), (Values{"first", "second", "third", "fourth", "fifth"}));
}

TEST_F(CommitJournalTest, AFailedSyncOfItEndsEverything) {
  begin();
  fail_journal(io::Operation::sync_data, ErrorCode::io);
  append({"third"});
  sync();
  EXPECT_NE(fatal_, "");
  EXPECT_EQ(log().durable_end().offset, Offset(2));
}

TEST_F(CommitJournalTest, DamageIsNamed) {
  begin();
  for (int i = 0; i < 3; ++i) {
    append({"more"});
    sync();
  }
  kill();
  const std::string path = journal_path(test_data);
  const auto error_after = [&](std::uint64_t position) {
    auto left = files_->after_power_cut(io::Survival::everything, 1);
    left->damage(path, position, 0x01);
    const auto replayed = replay_journal(*left, test_data);
    return replayed ? std::string() : replayed.error().message;
  };
  EXPECT_NE(error_after(3).find("its head is damaged"), std::string::npos);
  EXPECT_NE(error_after(journal_block + 30).find("its record 1 is damaged"), std::string::npos);
  EXPECT_NE(error_after(2 * journal_block + 70).find("its record 2 is damaged"), std::string::npos);
  EXPECT_EQ(error_after(3 * journal_block + 30), "") << "the last one may be torn";
  const auto segment = files_->open(file(), io::OpenMode::write);
  ASSERT_TRUE((*segment)->truncate(10));
  const auto replayed = replay_journal(*files_, test_data);
  ASSERT_TRUE(replayed);
  ASSERT_EQ(replayed->damaged.size(), 1U);
  EXPECT_NE(replayed->damaged[0].find(file() + " ends at byte 10"), std::string::npos) << replayed->damaged[0];
  EXPECT_EQ(size_of(file()), 10U) << "no hole is made";
}

TEST_F(CommitJournalTest, NothingOutsideOfTheDirectoryIsWrittenTo) {
  begin();
  kill();
  ASSERT_TRUE(files_->make_directories("elsewhere"));
  const std::string name = "00000000000000000000.log";
  ASSERT_TRUE(io::replace_file(*files_, "elsewhere/" + name, "somebody's bytes"));
  const auto journal = *files_->open(journal_path(test_data), io::OpenMode::write);
  const auto head = decode_journal_head(*io::read_file(*files_, journal_path(test_data), 1u << 20));
  for (const auto* const outside :
       {"../elsewhere/", "topics/../../elsewhere/", "/elsewhere/", "topics//../../elsewhere/", "./../elsewhere/"}) {
    JournalRecordBuilder record(head->run, 1, 1);
    record.add(outside + name, 0, 3);
    record.bytes() += "bad";
    ASSERT_TRUE(journal->write_at(journal_block, std::array{record.finish()}));
    const auto replayed = replay_journal(*files_, test_data);
    ASSERT_FALSE(replayed) << outside;
    EXPECT_NE(replayed.error().message.find(outside + name + ", which is no segment"), std::string::npos) << replayed.error().message;
  }
  EXPECT_EQ(*io::read_file(*files_, "elsewhere/" + name, 100), "somebody's bytes");
}

// Without the checkpoint nobody knows what may be written; where nothing need be, nobody need know.
TEST_F(CommitJournalTest, ADamagedCheckpointMattersAfterAPowerCutOnly) {
  begin();
  log().checkpoint([](const Result<>&) {});
  sync();
  append({"third"});
  sync();
  auto left = files_->after_power_cut(io::Survival::nothing, 1);
  left->damage(checkpoint_path(test_directory), 30, 0x01);
  const auto replayed = replay_journal(*left, test_data);
  ASSERT_FALSE(replayed);
  EXPECT_NE(replayed.error().message.find(checkpoint_path(test_directory)), std::string::npos) << replayed.error().message;
  kill();
  files_->damage(checkpoint_path(test_directory), 30, 0x01);
  ASSERT_TRUE(recover());
  EXPECT_EQ(values(), (Values{"first", "second", "third"}));
}

// The segment of a topic that was deleted, or of a start that has risen.
TEST_F(CommitJournalTest, WhatIsGoneStaysGone) {
  begin();
  append({"third"});
  sync();
  kill();
  ASSERT_TRUE(io::remove_tree(*files_, test_directory));
  ASSERT_TRUE(recover());
  EXPECT_FALSE(*files_->exists(file()));
}

}  // namespace
}  // namespace tripos::log
