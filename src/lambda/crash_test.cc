// Batch ∪ live = recompute from zero, with the power cut at every operation of the batch layer (design, 7).
// The log is taken as durable: its own crashes are src/log's to test.
#include <gtest/gtest.h>

#include <random>

#include "io/sim/sim_file_system.h"
#include "lambda/snapshotter.h"
#include "lambda/testing/exactness.h"
#include "lambda/testing/fake_source.h"
#include "store/local_store.h"

namespace tripos::lambda {
namespace {

constexpr io::Survival all_survivals[] = {io::Survival::everything, io::Survival::nothing, io::Survival::beginning,
                                          io::Survival::selection};

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

// Records come and snapshots are made until the power goes (or the script ends); after the restart everything must be exact, now and
// after the next snapshot. What is wrong; nothing: all was well. `operations` gets the count of the disk's operations.
std::optional<std::string> run_script(std::uint64_t seed, std::uint64_t cut_at, io::Survival survival, Mutation mutation,
                                      std::uint64_t* operations) {
  std::mt19937_64 random(seed);
  FakeSource source;
  source.create("exams", 2);
  io::SimFileSystem disk(seed);
  CHECK(disk.make_directories("/data/topics").has_value());
  CHECK(disk.sync_all("/data").has_value());
  disk.cut_power_at(disk.operation_count() + cut_at);
  const std::uint64_t begun_at = disk.operation_count();
  std::uint64_t acknowledged_version = 0;
  {
    Lambda lambda(disk, source, mutation);
    for (int step = 0; step < 6 && !disk.power_is_cut(); ++step) {
      for (std::uint64_t i = random() % 5; i > 0; --i) {
        std::vector<std::optional<std::string>> values;
        for (std::uint64_t count = random() % 4 + 1; count > 0; --count) {
          values.push_back(random() % 10 == 0 ? std::nullopt : std::optional(value(random)));
        }
        source.append("exams", static_cast<std::int32_t>(random() % 2), values);
      }
      const auto run = lambda.snapshotter.run("exams");
      if (run) acknowledged_version = run->front().manifest.version;
      if (!run && !disk.power_is_cut()) return "a snapshot failed with the power on: " + run.error().message;
    }
  }
  if (operations != nullptr) *operations = disk.operation_count() - begun_at;

  const auto survived = disk.after_power_cut(survival, seed + cut_at);
  Lambda restarted(*survived, source, mutation);
  for (int round = 0; round < 2; ++round) {
    const auto pinned = restarted.tables.pin_rows(source.topic("exams"));
    if (!pinned) return "no pin after the restart: " + pinned.error().message;
    if (pinned->manifest->version < acknowledged_version) return "an acknowledged manifest is gone";
    if (auto wrong = wrong_with(*pinned, source, restarted.columns, restarted.manifests)) return wrong;
    const auto names = restarted.store.list(restarted.manifests.table_directory(pinned->topic.id)).value();
    std::size_t named = pinned->manifest->files.size();
    for (const std::string& name : names) named += manifest_version(name) ? 1 : 0;
    if (names.size() != named) return "orphans were left";
    source.append("exams", 0, {R"({"late":true})"});
    const auto run = restarted.snapshotter.run("exams");
    if (!run) return "no snapshot after the restart: " + run.error().message;
  }
  return std::nullopt;
}

struct Search {
  int runs = 0;
  std::vector<std::string> failures;
};

Search search(std::uint64_t seeds, Mutation mutation) {
  Search found;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    std::uint64_t operations = 0;
    if (auto wrong = run_script(seed, UINT64_MAX / 2, io::Survival::nothing, mutation, &operations)) {
      found.failures.push_back(fmt::format("seed {} at the end: {}", seed, *wrong));
    }
    for (std::uint64_t cut = 0; cut <= operations; ++cut) {
      for (const io::Survival survival : all_survivals) {
        ++found.runs;
        if (auto wrong = run_script(seed, cut, survival, mutation, nullptr)) {
          found.failures.push_back(fmt::format("seed {} cut {} survival {}: {}", seed, cut, static_cast<int>(survival), *wrong));
        }
      }
    }
  }
  return found;
}

TEST(LambdaCrash, BatchAndLiveAreExactAfterAPowerCutAnywhere) {
  const Search found = search(8, {});
  EXPECT_GT(found.runs, 1000);
  EXPECT_TRUE(found.failures.empty()) << found.failures.size() << " of " << found.runs << ", the first: " << found.failures.front();
}

TEST(LambdaCrash, ASkippedSyncOfFilesIsCaught) { EXPECT_FALSE(search(2, {.skip_file_sync = true}).failures.empty()); }

TEST(LambdaCrash, ASkippedSyncOfTheDirectoryIsCaught) { EXPECT_FALSE(search(2, {.skip_directory_sync = true}).failures.empty()); }

}  // namespace
}  // namespace tripos::lambda
