// The power is cut in every operation of a scripted run of appends, compactions and trims; what is left is recovered and checked: the last
// acknowledged record of each key is there, nothing has changed, the log goes on. The seeded mutations break a rule of segment_swap.h each.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

#include "io/sim/crash_explorer.h"
#include "log/compaction_fixture.h"
#include "log/wrapped_file_system.h"

namespace tripos::log {
namespace {

enum class Mutation {
  none,
  decide_too_early,   // the decision is made before the new files have durable names
  skip_cleaned_sync,  // the new segment takes the place of the old ones before it is synced
  skip_swap_sync,     // names are changed before the decision is durable
  forget_swap_early,  // the decision is forgotten before the new names are durable
};
constexpr std::array mutations = {Mutation::decide_too_early, Mutation::skip_cleaned_sync, Mutation::skip_swap_sync,
                                  Mutation::forget_swap_early};

class FaultyFileSystem final : public WrappedFileSystem {
 public:
  FaultyFileSystem(io::SimFileSystem& files, Mutation mutation) : WrappedFileSystem(files), mutation_(mutation) {}

  Result<std::shared_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override {
    if (mode == io::OpenMode::replace && path.ends_with(".log.cleaned")) unnamed_ = true;
    return WrappedFileSystem::open(path, mode);
  }
  Result<> sync_directory(const std::string& directory) override {
    if (mutation_ == Mutation::decide_too_early && unnamed_) {
      unnamed_ = false;
      return {};
    }
    if (mutation_ == Mutation::forget_swap_early && swapping_) {
      swapping_ = false;
      return {};
    }
    if (mutation_ == Mutation::skip_swap_sync && deciding_) {
      deciding_ = false;
      return {};
    }
    return files_.sync_directory(directory);
  }
  Result<> rename(const std::string& from, const std::string& to) override {
    swapping_ = swapping_ || from.ends_with(cleaned_suffix);
    deciding_ = to.ends_with("/swap");
    return files_.rename(from, to);
  }

 private:
  Result<> sync_file(io::File& file) override {
    if (mutation_ == Mutation::skip_cleaned_sync && file.path().ends_with(".cleaned")) return {};
    if (mutation_ == Mutation::skip_swap_sync && file.path().ends_with("/swap.tmp")) return {};
    return file.sync_data();
  }

  Mutation mutation_;
  bool unnamed_ = false;
  bool swapping_ = false;
  bool deciding_ = false;
};

struct History {
  std::map<Offset, Keyed> attempted;
  std::map<std::string, Offset> last;  // of each key, acknowledged
  Offset seen{0};
  Offset start_asked{0};
};

class World {
 public:
  World(io::SimFileSystem& disk, History& history, Mutation mutation, std::uint64_t seed)
      : history_(history), seed_(seed), files_(disk, mutation) {}

  Result<> start() {
    log_.reset();
    commit_.reset();
    loop_ = std::make_unique<io::SimLoop>(++seed_);
    commit_ = std::make_unique<GroupCommit>(*loop_, *loop_, files_, test_data, CommitHooks{[](const Error&) {}, nullptr});
    LogOptions options;
    options.segment_bytes = 500;
    options.index_interval_bytes = 100;
    TRIPOS_ASSIGN(auto opened, PartitionLog::open(files_, *commit_, test_directory, options));
    log_ = std::move(opened.log);
    return {};
  }

  void put(const Keyed& record) {
    const Offset offset = log_->next_offset();
    history_.attempted[offset] = record;
    if (!log_->append(keyed_batch({record}), {})) return;
    loop_->run();
    if (log_->durable_end().offset <= offset) return;
    history_.last[record.first] = offset;
    history_.seen = log_->durable_end().offset;
  }
  void compact() {
    // Tombstones may go at once, so that what is missing is missed.
    const CompactionOptions options{.segment_bytes = 500, .index_interval_bytes = 100, .map_bytes = 1, .step_bytes = 300, .seed = 1};
    const Offset end = log_->checkpointed_segment();
    if (end <= log_->compacted_below()) return;
    (void)run_compaction(*log_, files_, *loop_, end, {}, options, 10'000);
  }
  void trim() {
    const Offset to = log_->start_offset() + (log_->durable_end().offset - log_->start_offset()) / 4;
    history_.start_asked = std::max(history_.start_asked, to);
    log_->advance_start(to, Trim::retention, [](const Result<>&) {});
    loop_->run();
  }

  std::string check() {
    if (log_->durable_end().offset < history_.seen) return "the durable end went back";
    if (log_->start_offset() > history_.start_asked) return "the start is where nobody asked for it";
    std::map<Offset, Keyed> standing;
    const auto read = for_each_standing(
        *log_,
        [&](const RecordBatchView&, const Standing& each) {
          standing[each.offset] = {each.key, each.value};
        },
        [](const RecordBatchView&) {});
    if (!read) return read.error().message;
    std::map<std::string, Offset> last;
    for (const auto& [offset, record] : standing) {
      const auto attempted = history_.attempted.find(offset);
      if (attempted == history_.attempted.end() || attempted->second != record) return fmt::format("nobody put the record at {}", offset);
      last[record.first] = offset;
    }
    for (const auto& [key, offset] : history_.last) {
      if (offset < log_->start_offset()) continue;
      const bool tombstone = !history_.attempted.at(offset).second;
      const auto found = last.find(key);
      if (found == last.end()) {
        if (!tombstone) return fmt::format("the last value of {}, acknowledged at offset {}, is lost", key, offset);
      } else if (found->second < offset) {
        return fmt::format("an old value of {} (offset {}) is back; the last was acknowledged at offset {}", key, found->second, offset);
      }
    }
    return "";
  }

 private:
  History& history_;
  std::uint64_t seed_;
  FaultyFileSystem files_;
  std::unique_ptr<io::SimLoop> loop_;
  std::unique_ptr<GroupCommit> commit_;
  std::unique_ptr<PartitionLog> log_;
};

std::string run_script(World& world, const std::function<bool()>& well, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  if (auto started = world.start(); !started) return started.error().message;
  for (int step = 0; step < 45 && well(); ++step) {
    const auto choice = random() % 20;
    if (choice < 15) {
      const bool tombstone = random() % 6 == 0;
      world.put({"key" + std::to_string(random() % 4),
                 tombstone ? std::nullopt : std::optional(std::to_string(step) + std::string(random() % 80, 'v'))});
    } else if (choice < 18) {
      world.compact();
    } else if (choice < 19) {
      world.trim();
    } else {
      if (auto started = world.start(); !started) return "after a kill: " + started.error().message;
    }
    if (std::string wrong = world.check(); !wrong.empty()) return wrong;
  }
  return "";
}

std::string check_after(io::SimFileSystem& left, const History& history, Mutation mutation, std::uint64_t seed) {
  History known = history;
  World world(left, known, mutation, seed);
  if (auto started = world.start(); !started) return "refused: " + started.error().message;
  if (std::string wrong = world.check(); !wrong.empty()) return wrong;
  for (int i = 0; i < 6; ++i) world.put({"key" + std::to_string(i % 2), "later" + std::string(90, 'l')});
  world.compact();
  if (std::string wrong = world.check(); !wrong.empty()) return "after another run: " + wrong;
  return "";
}

std::string explore(std::uint64_t seed, Mutation mutation, std::uint64_t& operations) {
  io::SimFileSystem disk(seed);
  make_data_directory(disk);
  History history;
  const auto knowledge = [&history] {
    return history.attempted.size() + static_cast<std::uint64_t>(history.seen.value() + history.start_asked.value());
  };
  io::CrashExplorer explorer({.seed = seed, .knowledge = knowledge},
                             [&](auto left, const io::CrashPoint& point) { return check_after(*left, history, mutation, point.seed); });
  explorer.watch(disk);
  World world(disk, history, mutation, seed);
  if (std::string wrong = run_script(
          world, [&explorer] { return explorer.wrong().empty(); }, seed);
      !wrong.empty())
    return wrong;
  operations += explorer.operations();
  if (explorer.wrong().empty()) return "";
  return fmt::format("{} (script {}, {})", explorer.wrong(), seed, explorer.wrong_point()->text());
}

#ifdef TRIPOS_SANITIZED
constexpr std::uint64_t scripts = 1;
#else
constexpr std::uint64_t scripts = 3;
#endif

TEST(CompactionCrash, TheLastOfEachKeyIsThereWhereverThePowerIsCut) {
  std::uint64_t operations = 0;
  for (std::uint64_t seed = 1; seed <= scripts; ++seed) ASSERT_EQ(explore(seed, Mutation::none, operations), "");
  EXPECT_GT(operations, 150 * scripts);
  RecordProperty("operations", std::to_string(operations));
}

TEST(CompactionCrash, EverySeededMutationIsCaught) {
  for (const Mutation mutation : mutations) {
    std::string caught;
    std::uint64_t operations = 0;
    for (std::uint64_t seed = 1; seed <= 20 && caught.empty(); ++seed) caught = explore(seed, mutation, operations);
    EXPECT_NE(caught, "") << "mutation " << static_cast<int>(mutation) << " survived: the checks are blind to it";
  }
}

}  // namespace
}  // namespace tripos::log
