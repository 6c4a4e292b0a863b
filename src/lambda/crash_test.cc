// Batch ∪ live = recompute from zero, with the power cut at every operation of the batch layer (design, 7).
// The log is taken as durable: its own crashes are src/log's to test.
#include <gtest/gtest.h>

#include <random>

#include "io/sim/crash_explorer.h"
#include "lambda/snapshotter.h"
#include "lambda/testing/exactness.h"
#include "lambda/testing/fake_source.h"
#include "store/local_store.h"

namespace tripos::lambda {
namespace {

struct Mutation {
  bool skip_file_sync = false;
  bool skip_directory_sync = false;
};

// A LocalStore that may leave out a step of rule 3.2.
class MutatedStore final : public store::LocalStore {
 public:
  MutatedStore(io::FileSystem& files, Mutation mutation) : LocalStore(files), mutation_(mutation) {}

 protected:
  Result<> sync_file(const std::string& path) override { return mutation_.skip_file_sync ? Result<>() : LocalStore::sync_file(path); }
  Result<> sync_directory(const std::string& directory) override {
    return mutation_.skip_directory_sync ? Result<>() : LocalStore::sync_directory(directory);
  }

 private:
  Mutation mutation_;
};

struct Lambda {
  Lambda(io::FileSystem& disk, FakeSource& source, Mutation mutation)
      : store(disk, mutation),
        manifests(store, "/data/topics"),
        tables(source, manifests),
        columns(disk),
        snapshotter(tables, columns, [] { return WallTime(); }, {.parallel_bytes_min = 200, .file_bytes_max = 400}) {}

  MutatedStore store;
  ManifestStore manifests;
  Tables tables;
  PlainColumnFiles columns;
  Snapshotter snapshotter;
};

std::string value(std::mt19937_64& random) {
  switch (random() % 6) {
    case 0: return "not json";
    case 1: return fmt::format(R"({{"score":{}.5}})", random() % 100);
    case 2: return fmt::format(R"({{"tags":["{}"],"nested":{{"x":{}}}}})", random() % 10, random() % 10);
    default: return fmt::format(R"({{"score":{}}})", random() % 100);
  }
}

// After a restart on what a crash has left everything must be exact, now and after the next snapshot. What is wrong; empty: all is well.
std::string check_after(io::SimFileSystem& left, FakeSource source, std::uint64_t acknowledged_version, Mutation mutation) {
  Lambda restarted(left, source, mutation);
  for (int round = 0; round < 2; ++round) {
    const auto pinned = restarted.tables.pin_rows(source.topic("exams"));
    if (!pinned) return "no pin after the restart: " + pinned.error().message;
    if (pinned->manifest->version < acknowledged_version) return "an acknowledged manifest is gone";
    if (auto wrong = wrong_with(*pinned, source, restarted.columns, restarted.manifests)) return *wrong;
    const auto names = restarted.store.list(restarted.manifests.table_directory(pinned->topic.id)).value();
    std::size_t named = pinned->manifest->files.size();
    for (const std::string& name : names) named += manifest_version(name) ? 1 : 0;
    if (names.size() != named) return "orphans were left";
    source.append("exams", 0, {R"({"late":true})"});
    const auto run = restarted.snapshotter.run("exams");
    if (!run) return "no snapshot after the restart: " + run.error().message;
  }
  return "";
}

// Records come and snapshots are made, with a crash at every change of the disk.
std::string run_script(std::uint64_t seed, Mutation mutation, std::uint64_t& points) {
  std::mt19937_64 random(seed);
  FakeSource source;
  source.create("exams", 2);
  io::SimFileSystem disk(seed);
  CHECK(disk.make_directories("/data/topics").has_value());
  CHECK(disk.sync_all("/data").has_value());
  std::uint64_t acknowledged_version = 0;
  std::uint64_t appended = 0;
  io::CrashExplorer explorer(
      {.seed = seed, .knowledge = [&] { return appended + acknowledged_version; }},
      [&](auto left, const io::CrashPoint&) { return check_after(*left, source.copy(), acknowledged_version, mutation); });
  explorer.watch(disk);
  Lambda lambda(disk, source, mutation);
  for (int step = 0; step < 6 && explorer.wrong().empty(); ++step) {
    for (std::uint64_t i = random() % 5; i > 0; --i) {
      std::vector<std::optional<std::string>> values;
      for (std::uint64_t count = random() % 4 + 1; count > 0; --count) {
        values.push_back(random() % 10 == 0 ? std::nullopt : std::optional(value(random)));
      }
      source.append("exams", static_cast<std::int32_t>(random() % 2), values);
      ++appended;
    }
    const auto run = lambda.snapshotter.run("exams");
    if (!run) return "a snapshot failed with the power on: " + run.error().message;
    acknowledged_version = run->front().manifest.version;
  }
  explorer.look(disk);
  points += explorer.points();
  if (explorer.wrong().empty()) return "";
  return fmt::format("{} (seed {}, {})", explorer.wrong(), seed, explorer.wrong_point()->text());
}

// The first thing that is wrong with the scripts of so many seeds.
std::string first_wrong(std::uint64_t seeds, Mutation mutation, std::uint64_t& points) {
  std::string wrong;
  for (std::uint64_t seed = 0; seed < seeds && wrong.empty(); ++seed) wrong = run_script(seed, mutation, points);
  return wrong;
}

TEST(LambdaCrash, BatchAndLiveAreExactAfterAPowerCutAnywhere) {
  std::uint64_t points = 0;
  EXPECT_EQ(first_wrong(8, {}, points), "");
  EXPECT_GT(points, 1000U);
}

TEST(LambdaCrash, ASkippedSyncOfFilesIsCaught) {
  std::uint64_t points = 0;
  EXPECT_NE(first_wrong(4, {.skip_file_sync = true}, points), "");
}

TEST(LambdaCrash, ASkippedSyncOfTheDirectoryIsCaught) {
  std::uint64_t points = 0;
  EXPECT_NE(first_wrong(4, {.skip_directory_sync = true}, points), "");
}

}  // namespace
}  // namespace tripos::lambda
