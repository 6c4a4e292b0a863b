// verify_partition(): every kind of finding, each planted once; and a good log, which has none.
#include "log/verify.h"

#include <array>

#include "log/log_fixture.h"

namespace tripos::log {
namespace {

class VerifyTest : public LogFixture {
 protected:
  // Three segments of several batches each.
  void write_log() {
    options_.segment_bytes = 2000;
    options_.index_interval_bytes = 200;
    for (int i = 0; i < 60; ++i) append({fmt::format("value {}", i), "and another"}, {1000 + i, 1000 + i});
    close();
  }
  PartitionVerdict verify() {
    auto verdict = verify_partition(*files_, test_directory, 1u << 20);
    EXPECT_TRUE(verdict) << verdict.error().message;
    return verdict ? *verdict : PartitionVerdict();
  }
  std::vector<Offset> bases() {
    std::vector<Offset> found;
    for (const std::string& name : file_names()) {
      if (const auto base = segment_base_offset(name)) found.push_back(*base);
    }
    return found;
  }
  void change_byte(const std::string& path, std::uint64_t position) {
    const auto file = *files_->open(path, io::OpenMode::write);
    std::array<char, 1> byte{};
    ASSERT_TRUE(io::read_exactly(*file, position, byte));
    byte[0] = static_cast<char>(byte[0] ^ 0x10);
    ASSERT_TRUE(file->write_at(position, std::array{Bytes(byte.data(), 1)}));
  }
  static std::vector<Finding::Kind> kinds(const PartitionVerdict& verdict) {
    std::vector<Finding::Kind> found;
    for (const Finding& finding : verdict.findings) found.push_back(finding.kind);
    return found;
  }
};

using Kind = Finding::Kind;
using Kinds = std::vector<Kind>;

TEST_F(VerifyTest, AGoodLogHasNoFindings) {
  write_log();
  ASSERT_GE(bases().size(), 3u);
  const PartitionVerdict verdict = verify();
  EXPECT_EQ(kinds(verdict), Kinds{}) << verdict.findings.front().what;
  EXPECT_EQ(verdict.records, 120u);
  EXPECT_EQ(verdict.batches, 60u);
  EXPECT_EQ(verdict.end, Offset(120));
  EXPECT_EQ(verdict.segments, bases().size());
}

TEST_F(VerifyTest, ChangesNothing) {
  write_log();
  const auto names = file_names();
  (void)verify();
  EXPECT_EQ(file_names(), names);
}

TEST_F(VerifyTest, AChangedByteAnywhereInARecordIsDamage) {
  write_log();
  for (const Offset base : bases()) {
    const std::uint64_t size = size_of(file(base));
    for (std::uint64_t at = batch_layout::magic; at < size; at += 97) {
      const std::uint64_t in_batch = at;  // whichever batch it hits: only base offset and leader epoch lie outside of the checksum
      change_byte(file(base), in_batch);
      const PartitionVerdict verdict = verify();
      const bool told = !verdict.findings.empty();
      change_byte(file(base), in_batch);
      if (told) {
        EXPECT_EQ(verdict.findings.front().kind, Kind::damage) << base.value() << " at " << at << ": " << verdict.findings.front().what;
        EXPECT_EQ(verdict.findings.front().path, file(base));
      } else {
        // The four bytes of a leader epoch: nobody's checksum covers them.
        bool is_epoch = false;
        const auto opened = *files_->open(file(base), io::OpenMode::read);
        ASSERT_TRUE(for_each_batch_of(*opened, [&](const RecordBatchView&, std::uint64_t position) -> Result<> {
          is_epoch = is_epoch || (at >= position + batch_layout::leader_epoch && at < position + batch_layout::magic);
          return {};
        }));
        EXPECT_TRUE(is_epoch) << base.value() << " at " << at;
      }
    }
  }
}

TEST_F(VerifyTest, AMissingSegmentIsDamageOrANote) {
  write_log();
  const auto found = bases();
  ASSERT_TRUE(files_->remove(file(found[1])));
  EXPECT_EQ(kinds(verify()), Kinds{Kind::note});  // offsets that nobody has: compaction leaves such, too
  ASSERT_TRUE(files_->remove(file(found.back())));
  EXPECT_EQ(kinds(verify()).back(), Kind::damage);  // the checkpoint knows of them
}

TEST_F(VerifyTest, ATornTailBehindTheCheckpointIsANote) {
  write_log();
  const std::string path = file(bases().back());
  ASSERT_TRUE((*files_->open(path, io::OpenMode::write))->write_at(size_of(path), std::array{Bytes("torn")}));
  const PartitionVerdict verdict = verify();
  ASSERT_EQ(kinds(verdict), Kinds{Kind::note});
  EXPECT_EQ(verdict.findings.front().position, size_of(path) - 4);
  // The same in the middle of the log can't come from a crash.
  const std::string first = file(bases().front());
  ASSERT_TRUE((*files_->open(first, io::OpenMode::write))->write_at(size_of(first), std::array{Bytes("torn")}));
  EXPECT_EQ(verify().findings.front().kind, Kind::damage);
}

TEST_F(VerifyTest, AWrongIndexEntryIsAWarning) {
  write_log();
  for (const std::string& path : {offset_index_path(test_directory, bases().front()), time_index_path(test_directory, bases().front())}) {
    ASSERT_GT(size_of(path), 0u) << path;
    change_byte(path, size_of(path) - 1);
    const PartitionVerdict verdict = verify();
    ASSERT_EQ(kinds(verdict), Kinds{Kind::warning});
    EXPECT_EQ(verdict.findings.front().path, path);
    change_byte(path, size_of(path) - 1);
  }
  ASSERT_TRUE((*files_->open(transaction_index_path(test_directory, bases().front()), io::OpenMode::create))
                  ->write_at(0, std::array{Bytes("0123456789012345678901234567890123")}));
  EXPECT_EQ(kinds(verify()), Kinds{Kind::warning});
}

TEST_F(VerifyTest, ADamagedCheckpointIsDamage) {
  write_log();
  change_byte(checkpoint_path(test_directory), 30);
  EXPECT_EQ(kinds(verify()), Kinds{Kind::damage});
}

TEST_F(VerifyTest, ADirectoryThatIsNotThereIsAnError) { EXPECT_FALSE(verify_partition(*files_, "data/none", 1u << 20)); }

}  // namespace
}  // namespace tripos::log
