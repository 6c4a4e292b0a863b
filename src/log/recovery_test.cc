// What open() cuts, keeps, refuses.
#include <array>

#include "log/log_fixture.h"

namespace tripos::log {
namespace {

class RecoveryTest : public LogFixture {
 protected:
  void write_raw(const std::string& path, std::uint64_t position, Bytes bytes) {
    ASSERT_TRUE((*files_->open(path, io::OpenMode::create))->write_at(position, std::array{bytes}));
  }
  // All files with their contents.
  std::map<std::string, Buffer> snapshot() {
    std::map<std::string, Buffer> contents;
    for (const auto& name : file_names()) contents[name] = *io::read_file(*files_, test_directory + "/" + name, 1u << 30);
    return contents;
  }
};

TEST_F(RecoveryTest, AMissingDirectoryIsAnEmptyLogAndStaysMissing) {
  EXPECT_EQ(log().next_offset(), Offset(0));
  EXPECT_EQ(values(), Values{});
  EXPECT_FALSE(*files_->exists(test_directory));
}

TEST_F(RecoveryTest, KeepsWhatAKilledProcessLeftAndSyncsItFirst) {
  append({"a"});
  sync();
  append({"b"});
  kill();
  EXPECT_EQ(values(), (Values{"a", "b"}));
  EXPECT_FALSE(report_.clean);
  cut_power(io::Survival::nothing);
  EXPECT_EQ(values(), (Values{"a", "b"})) << "b was seen after the first recovery";
}

TEST_F(RecoveryTest, CutsATornTailAtEveryByte) {
  append({"first"});
  sync();
  const std::uint64_t good = size_of(file());
  const Buffer torn = [&] {
    Buffer batch = make_batch({"torn away"});
    set_base_offset(batch.data(), Offset(1));
    return batch;
  }();
  kill();
  for (std::size_t size = 0; size < torn.size(); ++size) {
    write_raw(file(), good, torn.substr(0, size));
    EXPECT_EQ(values(), (Values{"first"})) << size;
    EXPECT_EQ(report_.cut_bytes, size);
    EXPECT_EQ(size_of(file()), good);
    kill();
  }
  for (std::size_t at = 0; at < torn.size(); ++at) {                             // and with one byte changed
    if (at >= batch_layout::leader_epoch && at < batch_layout::magic) continue;  // not covered by the checksum
    if (at < batch_layout::length) continue;                                     // a higher base offset is a gap
    Buffer bad = torn;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    write_raw(file(), good, bad);
    EXPECT_EQ(values(), (Values{"first"})) << at;
    kill();
  }
  EXPECT_EQ(append({"second"}), Offset(1));
}

TEST_F(RecoveryTest, CutsABatchWhoseOffsetsGoBack) {
  append({"a", "b"});
  sync();
  kill();
  write_raw(file(), size_of(file()), make_batch({"again"}));  // offset 0
  EXPECT_EQ(values(), (Values{"a", "b"}));
  EXPECT_GT(report_.cut_bytes, 0u);
}

TEST_F(RecoveryTest, DamageBelowTheCheckpointsPositionIsNotCut) {
  append({"a"});
  append({"b"});
  close();
  const std::uint64_t size = size_of(file());
  files_->damage(file(), size - 1, 1);
  EXPECT_EQ(log().next_offset(), Offset(2)) << "believed without a scan";
  EXPECT_EQ(log().for_each_batch(Offset(0), log().durable_end(), [](const RecordBatchView&) { return Result<>(); }).error().code,
            ErrorCode::corrupt);
  kill();
  options_.verify_all = true;
  const auto before = snapshot();
  const auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
  EXPECT_NE(opened.error().message.find(file()), std::string::npos) << opened.error().message;
  EXPECT_NE(opened.error().message.find(std::to_string(size / 2)), std::string::npos) << opened.error().message;
  EXPECT_EQ(snapshot(), before);
}

TEST_F(RecoveryTest, AFileShorterThanTheCheckpointIsDamage) {
  append({"a"});
  close();
  ASSERT_TRUE((*files_->open(file(), io::OpenMode::write))->truncate(size_of(file()) - 1));
  const auto before = snapshot();
  EXPECT_EQ(open().error().code, ErrorCode::corrupt);
  EXPECT_EQ(snapshot(), before);
  ASSERT_TRUE(files_->remove(file()));
  EXPECT_EQ(open().error().code, ErrorCode::corrupt);
}

TEST_F(RecoveryTest, ABadBatchLongBeforeAGoodOneIsDamage) {
  for (int i = 0; i < 12; ++i) {
    append({std::string(1u << 20, 'v')});
    sync();
  }
  kill();
  const std::uint64_t size = size_of(file());
  // 7 MiB from the end: no crash leaves that.
  files_->damage(file(), size - (7u << 20), 1);
  const auto before = snapshot();
  const auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
  EXPECT_NE(opened.error().message.find(file()), std::string::npos) << opened.error().message;
  EXPECT_EQ(snapshot(), before);
  files_->damage(file(), size - (7u << 20), 1);  // mended
  EXPECT_EQ(values().size(), 12u);
  kill();
  // In the last 4 MiB it may be a torn write.
  files_->damage(file(), size - (3u << 20), 1);
  EXPECT_EQ(values().size(), 9u);
}

TEST_F(RecoveryTest, ADamagedCheckpointOnlyCostsAScan) {
  options_.segment_bytes = 300;
  for (int i = 0; i < 10; ++i) append({std::string(100, 'v')});
  close();
  files_->damage(checkpoint_path(test_directory), 30, 1);
  EXPECT_EQ(values().size(), 10u);
  EXPECT_FALSE(report_.clean);
  EXPECT_NE(report_.damaged_checkpoint, "");
}

TEST_F(RecoveryTest, ANeverSyncedRollIsCutWhereTheFirstTailIsLost) {
  options_.segment_bytes = 400;
  append({std::string(100, 'a')});
  sync();
  append({std::string(100, 'b')});  // lost below
  append({std::string(200, 'c')});  // in the next segment
  kill();
  ASSERT_TRUE((*files_->open(file(), io::OpenMode::write))->truncate(make_batch({std::string(100, 'a')}).size() + 10));
  EXPECT_EQ(values(), (Values{std::string(100, 'a')}));
  EXPECT_EQ(file_names(), (Values{"00000000000000000000.index", "00000000000000000000.log", "00000000000000000000.timeindex"}));
  EXPECT_EQ(append({"next"}), Offset(1));
}

TEST_F(RecoveryTest, AnOffsetIsNeverGivenOutTwice) {
  append({"a", "b"});
  sync();
  kill();
  options_.next_offset_floor = Offset(10);
  EXPECT_EQ(log().next_offset(), Offset(10));
  EXPECT_EQ(report_.raised_from, Offset(2));
  EXPECT_EQ(append({"c"}), Offset(10));
  sync();
  EXPECT_EQ(values(), (Values{"a", "b", "c"}));
  options_.next_offset_floor = Offset(0);
  for (const auto survival : {io::Survival::nothing, io::Survival::everything}) {
    cut_power(survival);
    EXPECT_EQ(values(), (Values{"a", "b", "c"})) << "the gap is no lost tail";
    EXPECT_FALSE(report_.raised_from);
  }
}

TEST_F(RecoveryTest, TheFloorHoldsForALostLogToo) {
  options_.next_offset_floor = Offset(10);
  EXPECT_EQ(append({"c"}), Offset(10));
  EXPECT_EQ(report_.raised_from, Offset(0));
  sync();
  cut_power(io::Survival::nothing);
  EXPECT_EQ(values(Offset(10)), (Values{"c"}));
  EXPECT_EQ(log().start_offset(), Offset(10));
}

TEST_F(RecoveryTest, IndexesAreWholeAfterACrash) {
  options_.index_interval_bytes = 300;
  options_.checkpoint_bytes = 5000;
  for (int i = 0; i < 200; ++i) {
    append({std::string(100, 'v')}, {1000 + i});
    if (i % 20 == 0) sync();
  }
  sync();
  cut_power(io::Survival::nothing);
  EXPECT_EQ(values().size(), 200u);
  EXPECT_LT(report_.scanned_bytes, size_of(file())) << "only above the checkpoint";
  EXPECT_EQ((*log().find_by_timestamp(1150, log().durable_end()))->offset, Offset(150));
  const std::uint64_t entries = size_of(offset_index_path(test_directory, Offset(0))) / OffsetEntry::size;
  EXPECT_GT(entries, 60u);
}

TEST_F(RecoveryTest, ACheckpointReadsBackAndNothingElseDoes) {
  const Checkpoint checkpoint{.start = Offset(3),
                              .deleted_below = Offset(2),
                              .compacted_below = Offset(90),
                              .segment = Offset(100),
                              .position = 4711,
                              .end = Offset(200),
                              .max_timestamp_ms = -1,
                              .max_timestamp_offset = Offset(150),
                              .offset_entries = 7,
                              .time_entries = 8};
  const Buffer text = encode_checkpoint(checkpoint);
  EXPECT_EQ(*decode_checkpoint(text), checkpoint);
  for (std::size_t i = 0; i < text.size(); ++i) {
    EXPECT_FALSE(decode_checkpoint(text.substr(0, i))) << i;
    Buffer bad = text;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(decode_checkpoint(bad)) << i;
  }
}

// A byte anywhere in any file: the log opens without it, or is refused; it never shows a wrong record.
TEST_F(RecoveryTest, NoDamagedByteShowsAWrongRecord) {
  options_.segment_bytes = 600;
  options_.index_interval_bytes = 100;
  Values written;
  for (int i = 0; i < 12; ++i) {
    written.push_back("value " + std::to_string(i + 10) + std::string(80, 'v'));
    append({written.back()}, {1000 + i});
  }
  close();
  for (const auto& name : file_names()) {
    const std::string path = test_directory + "/" + name;
    const std::uint64_t size = size_of(path);
    const std::uint64_t batch_size = make_batch({written[0]}).size();
    for (std::uint64_t at = 0; at < size; at += 3) {
      // Base offset and leader epoch lie outside of the checksum, in Kafka's format.
      if (name.ends_with(".log") && at % batch_size < batch_layout::magic) continue;
      const auto pristine = files_->after_power_cut(io::Survival::everything, 1);
      std::swap(*files_, *pristine);
      files_->damage(path, at, 4);
      if (open()) {
        const auto read = log_->read(log_->start_offset(), log_->durable_end(), UINT64_MAX);
        const auto records = read ? read_records(read->slices) : tl::unexpected(read.error());
        if (records) {
          for (const auto& [offset, value] : *records) {
            ASSERT_LT(static_cast<std::size_t>(offset.value()), written.size()) << path << " " << at;
            EXPECT_EQ(value, written[static_cast<std::size_t>(offset.value())]) << path << " " << at;
          }
          EXPECT_EQ(records->size(), written.size()) << path << " " << at;
        }
        const auto found = log_->find_by_timestamp(1007, log_->durable_end());
        if (found && *found && records) {
          EXPECT_EQ((*found)->offset, Offset(7)) << path << " " << at;
        }
      }
      kill();
      std::swap(*files_, *pristine);
    }
  }
}

}  // namespace
}  // namespace tripos::log
