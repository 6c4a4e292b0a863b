#include "load/counts.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "io/sim/sim_file_system.h"

namespace tripos::load {
namespace {

// Hashes that collide in their halves now and then: in the table's slots, and across the borders of blocks.
ContentHash random_hash(std::mt19937_64& random) {
  const std::uint64_t high = random() % 8 == 0 ? 0x4000000000000000 : random();
  return {.high = high, .low = random() % 4 == 0 ? random() % 64 : random()};
}

TEST(CountTable, CountsAsAMapDoes) {
  std::mt19937_64 random(1);
  CountTable table;
  std::map<ContentHash, std::uint32_t> model;
  for (int i = 0; i < 20000; ++i) {
    const ContentHash hash = random_hash(random);
    const auto count = static_cast<std::uint32_t>(random() % 3);
    table.add(hash, count);
    if (count > 0) model[hash] += count;
  }
  EXPECT_EQ(table.size(), model.size());
  for (const auto& [hash, count] : model) EXPECT_EQ(table.count(hash), count);
  EXPECT_EQ(table.count(random_hash(random)), 0U);
  const auto sorted = table.take_sorted();
  ASSERT_EQ(sorted.size(), model.size());
  auto expected = model.begin();
  for (const Count& entry : sorted) {
    EXPECT_EQ(entry.hash, expected->first);
    EXPECT_EQ(entry.count, expected++->second);
  }
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.count(sorted.front().hash), 0U);
}

TEST(CountTable, StopsAtTheLargestCount) {
  CountTable table;
  table.add({1, 2}, 0xffffffffU);
  table.add({1, 2}, 5);
  EXPECT_EQ(table.count({1, 2}), 0xffffffffU);
}

TEST(CountRun, FindsEveryHashInAnyOrder) {
  for (const std::size_t size : std::initializer_list<std::size_t>{0, 1, 203, 204, 205, 5000}) {
    io::SimFileSystem files;
    ASSERT_TRUE(files.make_directories("/d"));
    std::mt19937_64 random(size);
    std::map<ContentHash, std::uint32_t> model;
    while (model.size() < size) model[random_hash(random)] = static_cast<std::uint32_t>(1 + random() % 5);
    auto writer = CountRunWriter::create(files, "/d/run", 42);
    ASSERT_TRUE(writer);
    for (const auto& [hash, count] : model) ASSERT_TRUE(writer->add({hash, count}));
    ASSERT_TRUE(writer->finish());
    auto run = CountRun::open(files, "/d/run", 42);
    ASSERT_TRUE(run) << run.error().message;
    EXPECT_EQ(run->entry_count(), size);
    for (const auto& [hash, count] : model) EXPECT_EQ(*run->count(hash), count);
    for (int i = 0; i < 1000; ++i) {
      const ContentHash hash = random_hash(random);
      const auto known = model.find(hash);
      EXPECT_EQ(*run->count(hash), known == model.end() ? 0 : known->second);
    }
    CountRun::Cursor cursor(*run);
    for (const auto& [hash, count] : model) {
      const auto next = cursor.next();
      ASSERT_TRUE(next && *next != nullptr);
      EXPECT_EQ((*next)->hash, hash);
    }
    EXPECT_EQ(*cursor.next(), nullptr);
  }
}

TEST(CountRun, DamageIsNamed) {
  io::SimFileSystem files;
  ASSERT_TRUE(files.make_directories("/d"));
  auto writer = CountRunWriter::create(files, "/d/run", 42);
  ASSERT_TRUE(writer);
  for (std::uint64_t i = 0; i < 300; ++i) ASSERT_TRUE(writer->add({{i << 50, i}, 1}));
  ASSERT_TRUE(writer->finish());
  const std::uint64_t size = *(*files.open("/d/run", io::OpenMode::read))->size();
  EXPECT_FALSE(CountRun::open(files, "/d/run", 43));
  for (std::uint64_t position = 0; position < size; position += 37) {
    files.damage("/d/run", position, 0x10);
    auto run = CountRun::open(files, "/d/run", 42);
    bool found = !run;
    if (run) {
      for (std::uint64_t i = 0; i < 300; ++i) {
        const auto count = run->count({i << 50, i});
        found = found || !count;
        if (count) {
          EXPECT_EQ(*count, 1U) << position;
        }
      }
    }
    // Of the head's block only what is used is checked.
    EXPECT_TRUE(found || (position >= 36 && position < 4096)) << position;
    files.damage("/d/run", position, 0x10);
  }
  auto file = files.open("/d/run", io::OpenMode::write);
  ASSERT_TRUE((*file)->truncate(size - 1));
  EXPECT_FALSE(CountRun::open(files, "/d/run", 42));
}

TEST(Counts, CountsBeyondMemory) {
  io::SimFileSystem files;
  Counts counts(files, "/d/counts", 42, 50);
  std::mt19937_64 random(3);
  std::map<ContentHash, std::uint32_t> model;
  std::vector<ContentHash> known;
  std::size_t runs_max = 0;
  for (int i = 0; i < 20000; ++i) {
    const ContentHash hash = !known.empty() && random() % 3 == 0 ? known[random() % known.size()] : random_hash(random);
    if (counts.full()) {
      ASSERT_TRUE(counts.spill());
    }
    counts.add(hash, 1);
    ++model[hash];
    known.push_back(hash);
    runs_max = std::max(runs_max, counts.runs().size());
    for (const std::string& path : counts.take_replaced()) ASSERT_TRUE(files.remove(path));
  }
  for (const auto& [hash, count] : model) ASSERT_EQ(*counts.count(hash), count);
  // 400 tables: seven of each class at most.
  EXPECT_LE(runs_max, 28U);
  EXPECT_EQ(files.list("/d/counts")->size(), counts.runs().size());
}

}  // namespace
}  // namespace tripos::load
