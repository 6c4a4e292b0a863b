#include "log/compaction.h"

#include <gtest/gtest.h>

#include <map>

#include "log/compaction_fixture.h"

namespace tripos::log {
namespace {

TEST(OffsetMap, KeepsTheLastOffsetOfEachKeyAndKnowsItsBound) {
  OffsetMap map(24 * 2000, 7);
  for (std::int64_t i = 0; i < 1700; ++i) map.put("key " + std::to_string(i), Offset(i));
  EXPECT_FALSE(map.full());
  for (std::int64_t i = 0; i < 100; ++i) map.put("key " + std::to_string(i), Offset(5000 + i));
  EXPECT_EQ(map.count(), 1700U);
  for (std::int64_t i = 1700; i < 1800; ++i) map.put("key " + std::to_string(i), Offset(6000 + i));
  EXPECT_TRUE(map.full());
  EXPECT_EQ(map.find("key 7"), Offset(5007));
  EXPECT_EQ(map.find("key 100"), Offset(100));
  EXPECT_EQ(map.find("key 1799"), Offset(7799));
  EXPECT_EQ(map.find("key 1800"), std::nullopt);
  EXPECT_EQ(map.find(""), std::nullopt);
}

std::vector<PartitionLog::SegmentInfo> three_segments() {
  return {{.base_offset = Offset(0), .end_offset = Offset(10), .size_bytes = 300, .max_timestamp_ms = 1000, .active = false},
          {.base_offset = Offset(10), .end_offset = Offset(20), .size_bytes = 100, .max_timestamp_ms = 2000, .active = false},
          {.base_offset = Offset(20), .end_offset = Offset(25), .size_bytes = 100, .max_timestamp_ms = 3000, .active = true}};
}

TEST(CompactionRules, ClosedStableOldEnoughSegmentsCanBeCompacted) {
  const auto end = [](Offset compacted, Offset stable, std::int64_t lag_ms, std::int64_t now_ms) {
    const auto plan = plan_compaction(three_segments(), compacted, stable, {.lag_min_ms = lag_ms}, now_ms);
    return plan ? plan->end.value() : -1;
  };
  EXPECT_EQ(end(Offset(0), Offset(25), 0, 5000), 20) << "not the active one";
  EXPECT_EQ(end(Offset(0), Offset(19), 0, 5000), 10) << "not what an open transaction may still change";
  EXPECT_EQ(end(Offset(0), Offset(9), 0, 5000), -1);
  EXPECT_EQ(end(Offset(0), Offset(25), 3500, 5000), 10) << "not what is too young";
  EXPECT_EQ(end(Offset(0), Offset(25), 9000, 5000), -1);
  EXPECT_EQ(end(Offset(10), Offset(25), 0, 5000), 20);
  EXPECT_EQ(end(Offset(20), Offset(25), 0, 5000), -1) << "nothing new";
  EXPECT_EQ(end(Offset(15), Offset(25), 0, 5000), 20) << "memory was too small for all of it";
}

TEST(CompactionRules, ItIsTimeWhenEnoughIsDirtyOrSomethingWaitsTooLong) {
  const auto plan = *plan_compaction(three_segments(), Offset(10), Offset(25), {}, 5000);
  EXPECT_EQ(plan.dirty_ratio(), 0.25);
  EXPECT_FALSE(is_due(plan, {.dirty_ratio_min = 0.25}, -1, 5000));
  EXPECT_TRUE(is_due(plan, {.dirty_ratio_min = 0.2}, -1, 5000));
  EXPECT_FALSE(is_due(plan, {.lag_max_ms = 4000}, 1000, 5000));
  EXPECT_TRUE(is_due(plan, {.lag_max_ms = 3999}, 1000, 5000));
  EXPECT_FALSE(is_due(plan, {.lag_max_ms = 3999}, 9000, 5000));
}

class CompactionTest : public LogFixture {
 protected:
  CompactionTest() {
    options_.segment_bytes = 400;
    options_.index_interval_bytes = 100;
  }

  Offset put(const std::vector<Keyed>& records, const RecordBatchFields& fields = {}, std::int64_t time_ms = 1000) {
    return append_batch(keyed_batch(records, fields, time_ms));
  }
  Offset end_transaction(std::int64_t producer, bool committed) {
    return append_batch(
        build_marker_batch({.producer_id = ProducerId(producer), .producer_epoch = ProducerEpoch(0), .committed = committed},
                           WallTime(std::chrono::milliseconds(1000))));
  }
  Offset append_batch(const Buffer& batch) {
    const auto appended = log().append(batch, {});
    EXPECT_TRUE(appended) << appended.error().message;
    sync();
    return appended ? appended->base_offset : Offset(-1);
  }
  // Until what was put so far is in closed segments.
  void close_segment() {
    const Offset active = log().active_segment();
    while (log().active_segment() == active) put({{"filler", std::string(100, 'f')}});
    sync();
  }
  void compact(std::int64_t now_ms = 10'000, const CompactionOptions& options = {.delete_retention_ms = 1000}) {
    const auto done = run_compaction(log(), *files_, *loop_, log().checkpointed_segment(), aborted_, options, now_ms);
    EXPECT_TRUE(done) << done.error().message;
  }
  // "key=value" of all records but the filler, with offsets.
  std::map<std::int64_t, std::string> standing() {
    std::map<std::int64_t, std::string> records;
    const auto read = for_each_standing(
        log(),
        [&](const RecordBatchView&, const Standing& each) {
          if (each.key != "filler") records[each.offset.value()] = each.key + "=" + each.value.value_or("(null)");
        },
        [&](const RecordBatchView& marker) { records[marker.base_offset().value()] = "marker"; });
    EXPECT_TRUE(read) << read.error().message;
    return records;
  }
  using Standings = std::map<std::int64_t, std::string>;

  std::vector<AbortedTransaction> aborted_;
};

TEST_F(CompactionTest, TheLastRecordOfEachKeyStaysWhereItWas) {
  put({{"a", "1"}, {"b", "1"}, {"a", "2"}});
  put({{"c", "1"}});
  put({{"b", "2"}, {"d", "1"}});
  close_segment();
  const std::uint64_t before = log().size_bytes();
  compact();
  EXPECT_EQ(standing(), (Standings{{2, "a=2"}, {3, "c=1"}, {4, "b=2"}, {5, "d=1"}}));
  EXPECT_LT(log().size_bytes(), before);
  EXPECT_EQ(log().compacted_below(), log().active_segment());
  kill();
  EXPECT_EQ(standing(), (Standings{{2, "a=2"}, {3, "c=1"}, {4, "b=2"}, {5, "d=1"}}));
  EXPECT_EQ(log().compacted_below(), log().active_segment());
  // What comes later counts, too; what is clean is not read for keys again.
  put({{"a", "3"}});
  close_segment();
  compact();
  EXPECT_EQ(standing().count(2), 0U);
  EXPECT_EQ(standing().count(4), 1U);
  cut_power(io::Survival::nothing);
  EXPECT_EQ(standing().count(2), 0U);
  for (const std::string& name : file_names()) EXPECT_TRUE(name.find("cleaned") == std::string::npos && name != "swap") << name;
}

TEST_F(CompactionTest, ReadsFindTheirWayThroughTheGaps) {
  for (int i = 0; i < 30; ++i) put({{"k" + std::to_string(i % 3), std::to_string(i)}});
  const auto leased = log().read(Offset(0), log().durable_end(), UINT64_MAX);
  close_segment();
  compact();
  EXPECT_EQ(standing(), (Standings{{27, "k0=27"}, {28, "k1=28"}, {29, "k2=29"}}));
  EXPECT_EQ(read_records(leased->slices)->size(), 30U) << "slices of the old segments stay readable";
  for (std::int64_t from = 0; from < 30; ++from) {
    const auto read = log().read(Offset(from), log().durable_end(), 1);
    ASSERT_TRUE(read) << read.error().message;
    const auto records = read_records(read->slices);
    ASSERT_FALSE(records->empty());
    EXPECT_EQ(records->rbegin()->first, Offset(std::max<std::int64_t>(from, 27))) << from;
  }
  EXPECT_EQ((*log().find_by_timestamp(0, log().durable_end()))->offset, Offset(27));
  EXPECT_EQ(log().start_offset(), Offset(0));
}

TEST_F(CompactionTest, ATombstoneStaysUntilItsTimeHasPassed) {
  put({{"a", "1"}, {"b", "1"}});
  put({{"a", std::nullopt}, {"c", "1"}});
  close_segment();
  compact(10'000);
  EXPECT_EQ(standing(), (Standings{{1, "b=1"}, {2, "a=(null)"}, {3, "c=1"}}));
  compact(10'999);
  EXPECT_EQ(standing().count(2), 1U);
  put({{"b", std::nullopt}});
  close_segment();
  compact(11'000);
  EXPECT_EQ(standing().count(2), 0U) << "its horizon was set by the first run";
  EXPECT_EQ(standing().count(1), 0U);
  EXPECT_EQ(standing().count(3), 1U) << "of the same batch";
  const auto later = standing();
  EXPECT_EQ(std::count_if(later.begin(), later.end(), [](const auto& each) { return each.second == "b=(null)"; }), 1)
      << "a horizon of its own";
}

TEST_F(CompactionTest, AMarkerOutlivesTheDataOfItsTransaction) {
  put({{"a", "1"}}, transactional_fields(7));  // 0
  EXPECT_EQ(end_transaction(7, true), Offset(1));
  put({{"b", "1"}, {"a", "9"}}, transactional_fields(8));  // 2, 3: aborted
  EXPECT_EQ(end_transaction(8, false), Offset(4));
  aborted_ = {{.producer_id = ProducerId(8), .first = Offset(2), .last = Offset(4)}};
  close_segment();
  compact(10'000);
  EXPECT_EQ(standing(), (Standings{{0, "a=1"}, {1, "marker"}, {4, "marker"}})) << "what was aborted is gone, and hides nothing";
  compact(20'000);  // the second marker's data are gone: it gets its horizon
  EXPECT_EQ(standing().count(4), 1U);
  put({{"a", "2"}});
  close_segment();
  compact(30'000);  // the horizon has passed; the first marker's data go in this run
  EXPECT_EQ(standing().count(0), 0U);
  EXPECT_EQ(standing().count(1), 1U);
  EXPECT_EQ(standing().count(4), 0U);
  compact(40'000);
  EXPECT_EQ(standing().count(1), 1U);
  compact(50'000);
  EXPECT_EQ(standing().count(1), 0U);
}

TEST_F(CompactionTest, WithLittleMemorySeveralRunsGetThere) {
  for (int i = 0; i < 400; ++i) put({{"key " + std::to_string(i % 200), std::to_string(i)}});
  close_segment();
  const CompactionOptions little{.delete_retention_ms = 1000, .map_bytes = 1};
  int runs = 0;
  for (; log().compacted_below() < log().checkpointed_segment(); ++runs) {
    const Offset before = log().compacted_below();
    compact(10'000, little);
    ASSERT_GT(log().compacted_below(), before);
  }
  EXPECT_GT(runs, 3);
  const auto records = standing();
  EXPECT_EQ(records.size(), 200U);
  EXPECT_EQ(records.begin()->first, 200);
}

TEST_F(CompactionTest, RecordsWithoutKeyGoAndThoseOfOtherCodecsStayThemselves) {
  append({"without key"});
  sync();
  for (const Compression codec : {Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    RecordBatchFields fields;
    fields.compression = codec;
    put({{"a", "x"}, {std::string(to_string(codec)), std::string(50, 'v')}}, fields, 5000);
  }
  close_segment();
  compact();
  std::vector<Standing> left;
  ASSERT_TRUE(for_each_standing(
      log(),
      [&](const RecordBatchView& batch, const Standing& each) {
        if (each.key == "filler") return;
        left.push_back(each);
        EXPECT_EQ(to_string(batch.compression()), each.key == "a" ? "zstd" : each.key);
        EXPECT_EQ(batch.max_timestamp_ms(), 5000);
      },
      [](const RecordBatchView&) {}));
  ASSERT_EQ(left.size(), 5U);
  EXPECT_EQ(left[0],
            (Standing{.offset = Offset(2), .key = "gzip", .value = std::string(50, 'v'), .timestamp_ms = 5000, .header_count = 1}));
}

TEST_F(CompactionTest, ALogThatWasTrimmedMeanwhileIsLeftAsItIs) {
  for (int i = 0; i < 20; ++i) put({{"a", std::to_string(i)}});
  close_segment();
  auto segments = log().closed_segments(log().checkpointed_segment());
  ASSERT_TRUE(segments);
  Compaction compaction(*files_, test_directory, std::move(*segments), Offset(0), Offset(0), {}, {}, 10'000);
  while (*compaction.step() != Compaction::State::ready) {
  }
  log().advance_start(log().durable_end().offset, Trim::retention, [](const Result<>&) {});
  sync();
  Result<> result;
  log().replace(compaction.cleaned(), [&](const Result<>& done) { result = done; });
  sync();
  EXPECT_EQ(result.error().code, ErrorCode::conflict);
  EXPECT_EQ(log().size_bytes(), 0U);
  kill();
  EXPECT_EQ(log().next_offset(), log().start_offset());
  for (const std::string& name : file_names()) EXPECT_TRUE(name.find("cleaned") == std::string::npos) << name << " was left behind";
}

TEST_F(CompactionTest, AfterACrashADecidedSwapIsFinishedUnlessItIsDamaged) {
  for (int i = 0; i < 20; ++i) put({{"a", std::to_string(i)}});
  close_segment();
  auto segments = log().closed_segments(log().checkpointed_segment());
  ASSERT_TRUE(segments);
  Compaction compaction(*files_, test_directory, std::move(*segments), Offset(0), Offset(0), {}, {.segment_bytes = 4000}, 10'000);
  while (*compaction.step() != Compaction::State::ready) {
  }
  ASSERT_GT(compaction.cleaned().replaced.size(), 1U);
  ASSERT_TRUE(decide_swap(*files_, test_directory, compaction.cleaned()));
  kill();
  const std::string swap = swap_path(test_directory);
  const std::vector<std::string> before = file_names();
  for (std::uint64_t at = 0; at < size_of(swap); ++at) {
    files_->damage(swap, at, 1);
    const auto opened = open();
    ASSERT_FALSE(opened) << at;
    EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
    EXPECT_EQ(file_names(), before);
    files_->damage(swap, at, 1);
  }
  ASSERT_TRUE(open());
  EXPECT_EQ(standing(), (Standings{{19, "a=19"}}));
  EXPECT_FALSE(*files_->exists(swap));
  EXPECT_FALSE(*files_->exists(file(compaction.cleaned().replaced[1])));
}

class DamagedCompactionTest : public CompactionTest, public testing::WithParamInterface<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Byte, DamagedCompactionTest, testing::Values(70, /* of a base offset, which no checksum covers */ 6));

TEST_P(DamagedCompactionTest, ADamagedBatchEndsTheRunAndChangesNothing) {
  for (int i = 0; i < 20; ++i) put({{"a", std::to_string(i)}});
  close_segment();
  files_->damage(file(), GetParam(), 1);
  auto segments = log().closed_segments(log().checkpointed_segment());
  Compaction compaction(*files_, test_directory, std::move(*segments), Offset(0), Offset(0), {}, {}, 10'000);
  Result<Compaction::State> state = Compaction::State::mapping;
  while (state && *state != Compaction::State::ready) state = compaction.step();
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ErrorCode::corrupt);
  EXPECT_NE(state.error().message.find(file()), std::string::npos);
}

}  // namespace
}  // namespace tripos::log
