// Appending, reading, searching and retention, without crashes.
#include <algorithm>
#include <array>

#include "log/log_fixture.h"

namespace tripos::log {
namespace {

class PartitionLogTest : public LogFixture {};

TEST_F(PartitionLogTest, GivesOffsetsAndReadsBack) {
  EXPECT_EQ(append({"a", "b"}), Offset(0));
  EXPECT_EQ(append({"c"}), Offset(2));
  sync();
  EXPECT_EQ(log().durable_end().offset, Offset(3));
  EXPECT_EQ(values(), (Values{"a", "b", "c"}));
  EXPECT_EQ(values(Offset(2)), (Values{"c"}));
}

TEST_F(PartitionLogTest, TheCallersBytesStayAndTheChecksumHolds) {
  append({"x"});
  const Buffer batch = make_batch({"a"});
  const Buffer before = batch;
  ASSERT_TRUE(log().append(batch, {.leader_epoch = LeaderEpoch(7)}));
  EXPECT_EQ(batch, before);
  sync();
  std::vector<Offset> bases;
  ASSERT_TRUE(log().for_each_batch(Offset(0), log().durable_end(), [&](const RecordBatchView& view) -> Result<> {
    bases.push_back(view.base_offset());
    EXPECT_TRUE(view.crc_matches());
    EXPECT_EQ(view.leader_epoch(), LeaderEpoch(view.base_offset() == Offset(1) ? 7 : 0));
    return {};
  }));
  EXPECT_EQ(bases, (std::vector{Offset(0), Offset(1)}));
}

TEST_F(PartitionLogTest, NobodySeesWhatIsNotDurable) {
  append({"a"});
  EXPECT_EQ(log().durable_end().offset, Offset(0));
  EXPECT_EQ(values(), Values{});
  EXPECT_EQ(log().read(Offset(1), log().durable_end(), 100).error().code, ErrorCode::out_of_range);
  EXPECT_FALSE(*log().find_by_timestamp(0, log().durable_end()));
  EXPECT_FALSE(*log().find_max_timestamp(log().durable_end()));
  sync();
  EXPECT_EQ(values(), (Values{"a"}));
}

TEST_F(PartitionLogTest, FilesHaveTheirTrueSize) {
  const Buffer batch = make_batch({"abc"});
  ASSERT_TRUE(log().append(batch, {}));
  EXPECT_EQ(size_of(file()), batch.size());
}

TEST_F(PartitionLogTest, GivenOffsetsMayLeaveGapsButNeverGoBack) {
  ASSERT_TRUE(log().append(make_batch({"a"}), {.base_offset = Offset(100)}));
  ASSERT_TRUE(log().append(make_batch({"b"}), {.base_offset = Offset(110)}));
  EXPECT_EQ(log().append(make_batch({"c"}), {.base_offset = Offset(110)}).error().code, ErrorCode::invalid_argument);
  sync();
  EXPECT_EQ(log().start_offset(), Offset(100));
  EXPECT_EQ(values(Offset(100)), (Values{"a", "b"}));
  const auto read = log().read(Offset(105), log().durable_end(), 1000);  // in the gap
  EXPECT_EQ((*read_records(read->slices)).rbegin()->first, Offset(110));
  kill();
  EXPECT_EQ(log().start_offset(), Offset(100));
  EXPECT_EQ(log().next_offset(), Offset(111));
}

TEST_F(PartitionLogTest, RefusesWhatIsNoBatch) {
  EXPECT_EQ(log().append("short", {}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(log().append("", {}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(log().append(make_batch({"a"}) + "rest", {}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(log().next_offset(), Offset(0));
}

TEST_F(PartitionLogTest, ReadsAboutSoManyBytesInWholeBatchesAndAtLeastOne) {
  const std::size_t size = make_batch({"a"}).size();
  for (int i = 0; i < 10; ++i) append({std::string(1, static_cast<char>('a' + i))});
  sync();
  const auto bytes = [&](std::int64_t from, std::uint64_t max) { return log().read(Offset(from), log().durable_end(), max)->bytes; };
  EXPECT_EQ(bytes(0, 1), size);
  EXPECT_EQ(bytes(0, 2 * size - 1), size);
  EXPECT_EQ(bytes(0, 2 * size), 2 * size);
  EXPECT_EQ(bytes(8, 100 * size), 2 * size);
  EXPECT_EQ(bytes(10, 100), 0u);
  EXPECT_EQ(log().read(Offset(0), log().durable_end(), 3 * size)->next, Offset(3));
  EXPECT_EQ(log().read(Offset(11), log().durable_end(), 1).error().code, ErrorCode::out_of_range);
}

// Every way to read must agree with the plain list, whatever stands in segments, indexes and caches.
TEST_F(PartitionLogTest, ReadsAcrossSegmentsAsThePlainListSays) {
  options_.segment_bytes = 3000;
  options_.index_interval_bytes = 200;
  std::vector<std::pair<Offset, std::int64_t>> records;  // offset, time
  std::uint64_t random = 1;
  const auto draw = [&](std::uint64_t below) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    return (random >> 33) % below;
  };
  for (int batch = 0; batch < 150; ++batch) {
    Values batch_values;
    std::vector<std::int64_t> times;
    for (std::uint64_t i = 0; i <= draw(3); ++i) {
      batch_values.emplace_back(draw(150), 'v');
      times.push_back(10000 + batch * 10 + static_cast<std::int64_t>(draw(400)));
    }
    const Offset base = append(batch_values, times);
    for (std::size_t i = 0; i < times.size(); ++i) records.emplace_back(base + static_cast<std::int64_t>(i), times[i]);
    if (draw(4) == 0) sync();
  }
  const auto check = [&](const std::string& when) {
    SCOPED_TRACE(when);
    ASSERT_GT(log().segments()->size(), 5u);
    const DurableEnd end = log().durable_end();
    ASSERT_EQ(end.offset.value(), static_cast<std::int64_t>(records.size()));
    for (std::size_t from = 0; from < records.size(); from += 7) {
      for (const std::size_t to : {from, from + 5, records.size()}) {
        if (to > records.size()) continue;
        const DurableEnd visible{Offset(static_cast<std::int64_t>(to))};
        const auto read = log().read(records[from].first, visible, 700);
        ASSERT_TRUE(read) << read.error().message;
        const auto got = read_records(read->slices);
        ASSERT_TRUE(got) << got.error().message;
        if (!got->empty()) {
          EXPECT_LE(got->begin()->first, records[from].first);
          EXPECT_LT(got->rbegin()->first, visible.offset);
          EXPECT_EQ(got->rbegin()->first - got->begin()->first + 1, static_cast<std::int64_t>(got->size())) << "no holes";
        }
        // By time, as the plain list says.
        const std::int64_t time = records[from].second + 1;
        const auto first = std::find_if(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(to),
                                        [&](const auto& r) { return r.second >= time; });
        const auto found = log().find_by_timestamp(time, visible);
        ASSERT_TRUE(found) << found.error().message;
        // A batch that reaches beyond the visible end is not seen at all.
        if (*found) {
          ASSERT_LT(first - records.begin(), static_cast<std::ptrdiff_t>(to));
          EXPECT_EQ((*found)->offset, first->first);
          EXPECT_EQ((*found)->timestamp_ms, first->second);
        } else if (to == records.size()) {
          EXPECT_EQ(first, records.end());
        }
      }
    }
    const auto latest = std::max_element(records.begin(), records.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    const auto found = log().find_max_timestamp(end);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->offset, latest->first);
    EXPECT_EQ((*found)->timestamp_ms, latest->second);
    // In steps, as a consumer does.
    Offset next{0};
    std::size_t count = 0;
    while (next < end.offset) {
      const auto read = log().read(next, end, 500);
      ASSERT_TRUE(read && read->next > next);
      count += read_records(read->slices)->size();
      next = read->next;
    }
    EXPECT_EQ(count, records.size());
  };
  sync();
  check("as written");
  close();
  check("after a clean stop");
  EXPECT_EQ(report_.clean, true);
  kill();
  for (const auto& name : file_names()) {
    if (name.ends_with("index")) {
      ASSERT_TRUE(files_->remove(test_directory + "/" + name));
    }
  }
  check("without indexes");
  kill();
  std::uint64_t seed = 0;
  for (const auto& name : file_names()) {
    if (name.ends_with("index") && size_of(test_directory + "/" + name) > 0) {
      const std::uint64_t size = size_of(test_directory + "/" + name);
      files_->damage(test_directory + "/" + name, ++seed * 7 % size, 0x10);
    }
  }
  check("with damaged indexes");
}

// A lookup in one index makes both anew; what was read of the other one before no longer counts.
TEST_F(PartitionLogTest, WrongEntriesInBothIndexesChangeNoAnswer) {
  options_.index_interval_bytes = 200;
  options_.segment_bytes = 3000;
  for (int i = 0; i < 40; ++i) append({std::string(100, 'v')}, {i < 14 ? 1000 + i : 1000});
  close();
  const std::string times = time_index_path(test_directory, Offset(0));
  const std::string offsets = offset_index_path(test_directory, Offset(0));
  const std::uint64_t entries = size_of(times) / TimeEntry::size;
  ASSERT_GT(entries, 3u);
  const auto whole = files_->after_power_cut(io::Survival::everything, 1);
  for (std::uint64_t entry = 0; entry < entries; ++entry) {
    for (const bool by_maximum : {true, false}) {
      SCOPED_TRACE(testing::Message() << "entry " << entry << (by_maximum ? ", maximum" : ", by time"));
      files_ = whole->after_power_cut(io::Survival::everything, 1);
      kill();
      files_->damage(times, (entry + 1) * TimeEntry::size - 1, 0x40);
      files_->damage(offsets, size_of(offsets) - 1, 0x04);  // what is looked for behind all others, is looked for from here
      const auto found = by_maximum ? log().find_max_timestamp(log().durable_end()) : log().find_by_timestamp(1010, log().durable_end());
      ASSERT_TRUE(found) << found.error().message;
      EXPECT_EQ((*found)->offset, Offset(by_maximum ? 13 : 10));
    }
  }
}

TEST_F(PartitionLogTest, AnIndexEntryEachSoManyBytes) {
  options_.index_interval_bytes = 500;
  for (int i = 0; i < 100; ++i) append({std::string(100, 'v')}, {1000 + i});
  close();
  const std::uint64_t entries = size_of(offset_index_path(test_directory, Offset(0))) / OffsetEntry::size;
  EXPECT_GT(entries, 20u);
  EXPECT_LT(entries, 34u);
  EXPECT_EQ(size_of(time_index_path(test_directory, Offset(0))) / TimeEntry::size, entries);
}

TEST_F(PartitionLogTest, RollsBySizeTimeAndIndex) {
  options_.segment_bytes = 1000;
  options_.roll_ms = std::chrono::milliseconds(500);
  append({std::string(800, 'a')}, {1000});
  append({"b"}, {1500});
  EXPECT_EQ(log().segments()->size(), 1u);
  append({"c"}, {1501});  // time
  EXPECT_EQ(log().segments()->size(), 2u);
  append({std::string(900, 'd')}, {1501});  // size
  EXPECT_EQ(log().segments()->size(), 3u);
  EXPECT_EQ(log().append(make_batch({std::string(1000, 'e')}), {}).error().code, ErrorCode::too_large);
  sync();
  EXPECT_EQ(values().size(), 4u);
  const auto segments = *log().segments();
  EXPECT_EQ(segments[1].base_offset, Offset(2));
  EXPECT_EQ(segments[0].end_offset, Offset(2));
  EXPECT_EQ(segments[0].max_timestamp_ms, 1500);
}

TEST_F(PartitionLogTest, AdvancingTheStartRemovesSegmentsAndIsRemembered) {
  options_.segment_bytes = 300;
  for (int i = 0; i < 20; ++i) append({std::string(80, 'v'), std::string(80, 'v')});
  sync();
  const auto segments = *log().segments();
  ASSERT_EQ(segments.size(), 20u);
  const auto leased = log().read(Offset(0), log().durable_end(), 1);
  bool done = false;
  log().advance_start(segments[2].base_offset + 1, Trim::retention, [&](const Result<>& result) { done = result.has_value(); });
  EXPECT_EQ(log().start_offset(), Offset(0)) << "a crash could still take it back";
  sync();
  EXPECT_TRUE(done);
  EXPECT_EQ(log().start_offset(), segments[2].base_offset + 1);
  EXPECT_FALSE(*files_->exists(file(segments[1].base_offset)));
  EXPECT_TRUE(*files_->exists(file(segments[2].base_offset)));
  EXPECT_EQ(log().read(Offset(0), log().durable_end(), 1).error().code, ErrorCode::out_of_range);
  EXPECT_EQ(read_records(leased->slices)->size(), 2u) << "a slice stays readable";
  cut_power(io::Survival::nothing);
  EXPECT_EQ(log().start_offset(), segments[2].base_offset + 1);
  EXPECT_EQ(log().deleted_below(), Offset(0));

  // What has aged out can still be deleted: from the table.
  done = false;
  log().advance_start(Offset(3), Trim::deletion, [&](const Result<>& result) { done = result.has_value(); });
  sync();
  EXPECT_TRUE(done);
  cut_power(io::Survival::nothing);
  EXPECT_EQ(log().deleted_below(), Offset(3));
  EXPECT_EQ(log().start_offset(), segments[2].base_offset + 1);

  log().advance_start(log().durable_end().offset, Trim::deletion, [&](const Result<>& result) { EXPECT_TRUE(result); });
  sync();
  EXPECT_EQ(log().segments()->size(), 1u);
  EXPECT_EQ(log().size_bytes(), 0u);
  cut_power(io::Survival::nothing);
  EXPECT_EQ(log().deleted_below(), Offset(40));
  EXPECT_EQ(log().next_offset(), Offset(40)) << "offsets go on";
  EXPECT_EQ(append({"next"}), Offset(40));
}

TEST_F(PartitionLogTest, NoSecondSegmentBeforeTheFirstIsDurable) {
  options_.segment_bytes = 300;
  const Buffer batch = make_batch({std::string(150, 'v')});
  ASSERT_TRUE(log().append(batch, {}));
  EXPECT_FALSE(log().accepts(batch.size()));
  EXPECT_EQ(log().append(batch, {}).error().code, ErrorCode::unavailable);
  sync();
  EXPECT_TRUE(log().accepts(batch.size()));
  ASSERT_TRUE(log().append(batch, {}));
  ASSERT_TRUE(log().append(batch, {})) << "later segments need not wait";
  sync();
  EXPECT_EQ(log().segments()->size(), 3u);
}

// --- Trouble

TEST_F(PartitionLogTest, AFullDiskChangesNothing) {
  append({"a"});
  sync();
  files_->set_capacity(300'000);
  std::vector<std::string> written = {"a"};
  while (true) {
    const std::string value(20'000, static_cast<char>('a' + written.size() % 26));
    const auto appended = log().append(make_batch({value}), {});
    if (!appended) {
      EXPECT_EQ(appended.error().code, ErrorCode::no_space);
      break;
    }
    written.push_back(value);
  }
  EXPECT_GT(written.size(), 9u) << "the last room is used, too";
  const Offset next = log().next_offset();
  EXPECT_FALSE(log().read_only());
  files_->set_capacity(10'000'000);
  EXPECT_EQ(append({"z"}), next);
  written.push_back("z");
  sync();
  EXPECT_EQ(values(), written);
  kill();
  EXPECT_EQ(values(), written);
}

TEST_F(PartitionLogTest, APartialAppendIsTakenAway) {
  append({"a"});
  files_->inject([](io::Operation operation, const std::string&) {
    return operation == io::Operation::write ? std::optional(ErrorCode::io) : std::nullopt;
  });
  EXPECT_EQ(log().append(make_batch({std::string(1000, 'x')}), {}).error().code, ErrorCode::io);
  files_->inject(nullptr);
  EXPECT_EQ(append({"b"}), Offset(1));
  sync();
  EXPECT_EQ(values(), (Values{"a", "b"}));
  kill();
  EXPECT_EQ(values(), (Values{"a", "b"}));
}

TEST_F(PartitionLogTest, ReadOnlyIfThePartialAppendStays) {
  append({"a"});
  sync();
  files_->inject([](io::Operation operation, const std::string&) {
    return operation == io::Operation::write || operation == io::Operation::truncate ? std::optional(ErrorCode::io) : std::nullopt;
  });
  EXPECT_FALSE(log().append(make_batch({std::string(1000, 'x')}), {}));
  files_->inject(nullptr);
  EXPECT_TRUE(log().read_only());
  EXPECT_EQ(log().append(make_batch({"b"}), {}).error().code, ErrorCode::io);
  EXPECT_EQ(values(), (Values{"a"}));
  kill();
  EXPECT_EQ(append({"b"}), Offset(1)) << "the next start cuts it";
}

TEST_F(PartitionLogTest, AtMostFourMebibytesAreUnsynced) {
  const Buffer batch = make_batch({std::string(1u << 20, 'v')});
  int accepted = 0;
  while (log().accepts(batch.size())) {
    ASSERT_TRUE(log().append(batch, {}));
    ++accepted;
  }
  EXPECT_EQ(accepted, 3);
  EXPECT_EQ(log().append(batch, {}).error().code, ErrorCode::unavailable);
  int called = 0;
  log().when_accepting([&] {
    ++called;
    EXPECT_TRUE(log().accepts(batch.size()));
    ASSERT_TRUE(log().append(batch, {}));
  });
  sync();
  EXPECT_EQ(called, 1);
  EXPECT_EQ(log().durable_end().offset, Offset(4));
  EXPECT_TRUE(log().accepts(100u << 20)) << "a single larger one";
}

TEST_F(PartitionLogTest, ReadErrorsAreErrors) {
  for (int i = 0; i < 100; ++i) append({std::string(500, 'v')});
  close();
  static_cast<void>(log());
  files_->inject([](io::Operation operation, const std::string&) {
    return operation == io::Operation::read ? std::optional(ErrorCode::io) : std::nullopt;
  });
  EXPECT_EQ(log().read(Offset(50), log().durable_end(), 100).error().code, ErrorCode::io);
  EXPECT_EQ(log().find_by_timestamp(1000, log().durable_end()).error().code, ErrorCode::io);
  files_->inject(nullptr);
  EXPECT_TRUE(log().read(Offset(50), log().durable_end(), 100));
}

}  // namespace
}  // namespace tripos::log
