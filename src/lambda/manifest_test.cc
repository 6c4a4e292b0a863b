#include "lambda/manifest.h"

#include <gtest/gtest.h>

#include <random>

#include "io/sim/sim_file_system.h"
#include "lambda/manifest_store.h"
#include "store/local_store.h"

namespace tripos::lambda {
namespace {

Manifest some_manifest(const TopicId& topic, std::uint64_t version = 3) {
  Manifest manifest;
  manifest.version = version;
  manifest.topic_id = topic;
  manifest.topic = "exams";
  manifest.created = WallTime(WallClock::duration(1'517'141'451'123));
  manifest.schema = SchemaId(2);
  manifest.schemas = {{.id = SchemaId(1), .type = "struct<a:bigint>"}, {.id = SchemaId(2), .type = "struct<`q\"\\\n`:string,a:double>"}};
  manifest.partitions = {{.partition = PartitionId(0), .end = Offset(9), .rejected_count = 1},
                         {.partition = PartitionId(1), .end = Offset(4)}};
  for (const auto& [partition, begin, end] : {std::tuple{0, 0, 5}, {0, 7, 9}, {1, 0, 4}}) {
    manifest.files.push_back({.name = parquet_name(topic, PartitionId(partition), Offset(begin), Offset(end), SchemaId(1)),
                              .partition = PartitionId(partition),
                              .begin = Offset(begin),
                              .end = Offset(end),
                              .row_count = end - begin,
                              .size_bytes = 100,
                              .crc32c = begin == 7 ? std::optional<std::uint32_t>() : 0x0000'abcdU,
                              .schema = SchemaId(1)});
  }
  return manifest;
}

TEST(Manifest, ReadsBackAsWritten) {
  const Manifest manifest = some_manifest(Uuid::random());
  const auto parsed = Manifest::parse(manifest.text(), "here");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(*parsed, manifest);
}

TEST(Manifest, AnyCutOrFlippedBitIsCorrupt) {
  const std::string text = some_manifest(Uuid::random()).text();
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(Manifest::parse(Bytes(text).substr(0, size), "").has_value()) << size;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_FALSE(Manifest::parse(damaged, "").has_value()) << i;
  }
}

TEST(Manifest, InvariantsAreChecked) {
  const TopicId topic = Uuid::random();
  const auto refused = [&topic](auto change) {
    Manifest manifest = some_manifest(topic);
    change(manifest);
    return !Manifest::parse(manifest.text(), "").has_value();
  };
  EXPECT_FALSE(refused([](Manifest&) {}));
  EXPECT_TRUE(refused([](Manifest& m) { m.version = 0; }));
  EXPECT_TRUE(refused([](Manifest& m) { m.files[1].begin = Offset(4); }));  // overlaps the first
  EXPECT_TRUE(refused([](Manifest& m) { m.files[2].end = Offset(5); }));    // beyond the partition's end
  EXPECT_TRUE(refused([](Manifest& m) { m.files[2].schema = SchemaId(7); }));
  EXPECT_TRUE(refused([](Manifest& m) { m.schema = SchemaId(7); }));
  EXPECT_TRUE(refused([](Manifest& m) { std::swap(m.files[0], m.files[1]); }));
  EXPECT_TRUE(refused([](Manifest& m) { m.files[0].name = "../../etc/passwd"; }));
}

TEST(Manifest, NamesAreNumbered) {
  EXPECT_EQ(manifest_name(7), "manifest-00000000000000000007.json");
  EXPECT_EQ(manifest_version("manifest-00000000000000000007.json"), 7U);
  EXPECT_FALSE(manifest_version("manifest-7.json"));
  EXPECT_FALSE(manifest_version("manifest-0000000000000000000x.json"));
  EXPECT_FALSE(manifest_version("manifest-99999999999999999999.json"));
}

class ManifestStoreTest : public testing::Test {
 protected:
  io::SimFileSystem disk_;
  store::LocalStore store_{disk_};
  ManifestStore manifests_{store_, "/data/topics"};
  TopicId topic_ = Uuid::random();

  void SetUp() override { ASSERT_TRUE(store_.make_directory(manifests_.table_directory(topic_)).has_value()); }
  void put(const std::string& name, Bytes contents = "x") {
    const auto file = disk_.open(manifests_.path(topic_, name), io::OpenMode::create).value();
    const Bytes parts[] = {contents};
    ASSERT_TRUE(file->write_at(0, parts).has_value());
  }
};

TEST_F(ManifestStoreTest, TheHighestCounts) {
  EXPECT_EQ(manifests_.load(topic_)->version, 0U);
  for (const std::uint64_t version : {1U, 2U, 3U}) ASSERT_TRUE(manifests_.commit(some_manifest(topic_, version), {}).has_value());
  EXPECT_EQ(manifests_.load(topic_)->version, 3U);
}

TEST_F(ManifestStoreTest, OfTwoWritersOneWins) {
  ASSERT_TRUE(manifests_.commit(some_manifest(topic_, 1), {}).has_value());
  Manifest rival = some_manifest(topic_, 1);
  rival.topic = "rival";
  EXPECT_EQ(manifests_.commit(rival, {}).error().code, ErrorCode::conflict);
  EXPECT_EQ(manifests_.load(topic_)->topic, "exams");
}

TEST_F(ManifestStoreTest, ADamagedHighestManifestIsRefusedNotSkipped) {
  for (const std::uint64_t version : {1U, 2U}) ASSERT_TRUE(manifests_.commit(some_manifest(topic_, version), {}).has_value());
  disk_.damage(manifests_.path(topic_, manifest_name(2)), 40, 1);
  EXPECT_EQ(manifests_.load(topic_).error().code, ErrorCode::corrupt);
  int damaged = 0;
  OffsetFloors floors(manifests_, [&damaged](const Error& error) { damaged += error.code == ErrorCode::corrupt ? 1 : 0; });
  EXPECT_EQ(floors.floor({.topic = topic_, .partition = PartitionId(0)}), Offset(0));
  EXPECT_EQ(floors.floor({.topic = topic_, .partition = PartitionId(1)}), Offset(0));
  EXPECT_EQ(damaged, 1);
}

TEST_F(ManifestStoreTest, FloorsAreTheManifestsEnds) {
  ASSERT_TRUE(manifests_.commit(some_manifest(topic_, 1), {}).has_value());
  OffsetFloors floors(manifests_, [](const Error& error) { FAIL() << error.message; });
  EXPECT_EQ(floors.floor({.topic = topic_, .partition = PartitionId(0)}), Offset(9));
  EXPECT_EQ(floors.floor({.topic = topic_, .partition = PartitionId(1)}), Offset(4));
  EXPECT_EQ(floors.floor({.topic = topic_, .partition = PartitionId(2)}), Offset(0));
  EXPECT_EQ(floors.floor({.topic = Uuid::random(), .partition = PartitionId(0)}), Offset(0));
}

TEST_F(ManifestStoreTest, OrphansGoAndWhatCountsStays) {
  const Manifest manifest = some_manifest(topic_, 1);
  ASSERT_TRUE(manifests_.commit(manifest, {}).has_value());
  for (const auto& file : manifest.files) put(file.name);
  put("tmp-left");
  put(parquet_name(topic_, PartitionId(0), Offset(9), Offset(12), SchemaId(1)));
  put("somebody's notes.txt");
  ASSERT_TRUE(manifests_.remove_orphans(manifest).has_value());
  const auto names = store_.list(manifests_.table_directory(topic_)).value();
  EXPECT_EQ(names.size(), manifest.files.size() + 2);  // the manifest, and what isn't ours
}

}  // namespace
}  // namespace tripos::lambda
