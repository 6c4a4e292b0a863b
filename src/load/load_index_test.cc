#include "load/load_index.h"

#include <gtest/gtest.h>

#include "io/sim/sim_file_system.h"
#include "lambda/testing/fake_source.h"

namespace tripos::load {
namespace {

constexpr const char* directory = "/data/topics/t/load";

class LoadIndexTest : public ::testing::Test {
 protected:
  LoadIndexTest() { source_.create("t", 2); }

  std::unique_ptr<LoadIndex> open(io::FileSystem& files, const LoadIndexOptions& options, Identity identity = {}) {
    auto index = LoadIndex::open(files, directory, std::move(identity), options);
    EXPECT_TRUE(index) << index.error().message;
    return index ? std::move(*index) : nullptr;
  }
  Result<bool> catch_up(LoadIndex& index) {
    const auto ranges = source_.ranges(index.wanted(source_.topic("t")));
    EXPECT_TRUE(ranges);
    return index.catch_up(*ranges, [](std::uint64_t, std::uint64_t) -> Result<> { return {}; });
  }
  static std::uint32_t count(LoadIndex& index, std::string_view value) {
    const auto found = index.count(index.hash(value));
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or(999);
  }
  // So that everything is kept in files, with a run for each few contents.
  static constexpr LoadIndexOptions kept{.kept_from_bytes = 1, .table_size = 4};

  lambda::FakeSource source_;
  io::SimFileSystem files_;
};

TEST_F(LoadIndexTest, CountsWhatStandsInThePartitions) {
  source_.append("t", 0, {"{\"a\":1}", "{\"a\": 1}", std::nullopt, "not json"});
  source_.append("t", 1, {"{ \"a\":1}", "{\"a\":2}"});
  const auto index = open(files_, {});
  ASSERT_TRUE(*catch_up(*index));
  EXPECT_EQ(count(*index, "{\"a\":1}"), 3U);
  EXPECT_EQ(count(*index, "{\"a\":2}"), 1U);
  EXPECT_EQ(count(*index, "not json"), 1U);
  EXPECT_EQ(count(*index, "{\"a\":3}"), 0U);
  EXPECT_FALSE(*files_.exists(directory)) << "a small topic needs no files";
  source_.append("t", 1, {"{\"a\":3}"});
  ASSERT_TRUE(*catch_up(*index));
  EXPECT_EQ(count(*index, "{\"a\":3}"), 1U);
  EXPECT_EQ(count(*index, "{\"a\":1}"), 3U);
}

TEST_F(LoadIndexTest, GoesOnWhereItsFilesEnd) {
  for (int i = 0; i < 40; ++i) source_.append("t", i % 2, {"{\"i\":" + std::to_string(i % 20) + "}", "{\"each\":0}"});
  {
    const auto index = open(files_, kept);
    ASSERT_TRUE(*catch_up(*index));
  }
  source_.append("t", 0, {"{\"i\":7}"});
  const auto index = open(files_, kept);
  EXPECT_EQ(index->wanted(source_.topic("t"))[0].begin, Offset(40));
  ASSERT_TRUE(*catch_up(*index));
  EXPECT_EQ(count(*index, "{\"i\":7}"), 3U);
  EXPECT_EQ(count(*index, "{\"i\":8}"), 2U);
  EXPECT_EQ(count(*index, "{\"each\":0}"), 40U);
}

TEST_F(LoadIndexTest, CountsOutliveTheLog) {
  source_.append("t", 0, {"{\"a\":1}"});
  source_.append("t", 0, {"{\"a\":2}"});
  ASSERT_TRUE(*catch_up(*open(files_, kept)));
  source_.append("t", 0, {"{\"a\":3}"});
  source_.append("t", 0, {"{\"a\":4}"});
  source_.trim("t", 0, Offset(3));
  const auto index = open(files_, kept);
  ASSERT_TRUE(*catch_up(*index));
  EXPECT_EQ(count(*index, "{\"a\":1}"), 1U);
  EXPECT_EQ(count(*index, "{\"a\":4}"), 1U);
  EXPECT_EQ(index->uncounted(), 1U) << "offset 2 was trimmed before it was counted";
  EXPECT_EQ(count(*index, "{\"a\":3}"), 0U);
  EXPECT_EQ(open(files_, kept)->uncounted(), 1U);
}

TEST_F(LoadIndexTest, WhoeverTrimsLearnsByWhatLoadsGo) {
  source_.append("t", 0, {R"({"a":1})"});
  for (const Identity& identity : {Identity(), Identity("key \"ä\"\n")}) {
    const auto index = open(files_, {}, identity);
    ASSERT_TRUE(*catch_up(*index));
    EXPECT_FALSE(*files_.exists(index->directory())) << "a small log is scanned each time";
    ASSERT_TRUE(index->keep());
    EXPECT_EQ(*LoadIndex::kept_identity(files_, index->directory()), identity);
    EXPECT_EQ(count(*open(files_, {}, identity), R"({"a":1})"), 1U);
  }
  EXPECT_EQ(*LoadIndex::kept_identity(files_, std::string(directory) + "/other"), std::nullopt);
}

TEST_F(LoadIndexTest, ALogThatHasLostItsEndIsCountedAnew) {
  source_.append("t", 0, {"{\"a\":1}", "{\"a\":2}"});
  ASSERT_TRUE(*catch_up(*open(files_, kept)));
  lambda::FakeSource shorter;
  shorter.create("t", 2);
  shorter.append("t", 0, {"{\"a\":1}"});
  const auto index = open(files_, kept);
  const auto look = [&] {
    return index->catch_up(*shorter.ranges(index->wanted(shorter.topic("t"))), [](std::uint64_t, std::uint64_t) -> Result<> { return {}; });
  };
  auto wanted = index->wanted(shorter.topic("t"));
  for (RangeRequest& request : wanted) request.partition.topic = shorter.topic("t").id;
  EXPECT_FALSE(*look());
  EXPECT_TRUE(*look());
  EXPECT_EQ(count(*index, "{\"a\":1}"), 1U);
  EXPECT_EQ(count(*index, "{\"a\":2}"), 0U);
}

TEST_F(LoadIndexTest, IdentitiesAreKeptApart) {
  source_.append("t", 0, {R"({"id":1,"a":1})", R"({"id":1,"a":2})"});
  ASSERT_TRUE(*catch_up(*open(files_, kept)));
  const auto by_id = open(files_, kept, Identity("id"));
  ASSERT_TRUE(*catch_up(*by_id));
  EXPECT_EQ(count(*by_id, R"({"id":1,"a":3})"), 2U);
  EXPECT_EQ(count(*open(files_, kept), R"({"id":1,"a":2})"), 1U);
}

TEST_F(LoadIndexTest, DamageIsNamedAndChangesNothing) {
  source_.append("t", 0, {"{\"a\":1}"});
  ASSERT_TRUE(*catch_up(*open(files_, kept)));
  files_.damage(std::string(directory) + "/content/index", 30, 1);
  const auto damaged = LoadIndex::open(files_, directory, {}, kept);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::corrupt);
  EXPECT_NE(damaged.error().message.find("/content/index"), std::string::npos) << damaged.error().message;
  EXPECT_EQ(files_.list(std::string(directory) + "/content")->size(), 2U);
}

// A power cut at every operation: what is found afterwards, caught up with the log, counts right.
TEST_F(LoadIndexTest, APowerCutAtAnyMomentLeavesRightCounts) {
  for (int i = 0; i < 60; ++i) source_.append("t", i % 2, {"{\"i\":" + std::to_string(i % 20) + "}"});
  std::uint64_t operations = 0;
  {
    io::SimFileSystem whole;
    ASSERT_TRUE(*catch_up(*open(whole, kept)));
    operations = whole.operation_count();
  }
  ASSERT_GT(operations, 30U);
  for (std::uint64_t cut = 1; cut < operations; ++cut) {
    for (const io::Survival survival : {io::Survival::nothing, io::Survival::everything, io::Survival::selection}) {
      io::SimFileSystem files(cut);
      files.cut_power_at(cut);
      {
        auto index = LoadIndex::open(files, directory, {}, kept);
        if (index) static_cast<void>(catch_up(**index));
      }
      const auto after = files.after_power_cut(survival, cut);
      const auto index = open(*after, kept);
      ASSERT_NE(index, nullptr) << cut;
      ASSERT_TRUE(catch_up(*index).value_or(false)) << cut;
      for (int i = 0; i < 20; ++i) ASSERT_EQ(count(*index, "{\"i\":" + std::to_string(i) + "}"), 3U) << cut;
    }
  }
}

}  // namespace
}  // namespace tripos::load
