// A crash before every change of the disk in a scripted run, in every way that Survival knows; what is left is recovered and checked:
// nothing acknowledged is lost, no record has changed, offsets are not used twice, what was seen stays.
// The seeded mutations break one rule each (rules, 1); the same checks must catch every one of them, or they check nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "io/sim/crash_explorer.h"
#include "io/sim/sim_file_system.h"
#include "io/sim/sim_loop.h"
#include "log/journal_format.h"
#include "log/journal_replay.h"
#include "log/log_fixture.h"
#include "log/wrapped_file_system.h"

namespace tripos::log {
namespace {

enum class Mutation {
  none,
  skip_data_sync,         // a log file's sync does nothing
  skip_directory_sync,    // names are never synced
  skip_closed_sync,       // a roll syncs only the file that it opens
  early_acknowledgement,  // the round is taken for finished before it has synced
  skip_recovery_sync,     // what recovery keeps is shown unsynced
  checkpoint_too_early,   // the checkpoint is replaced before what it describes is synced
  trim_too_early,         // segments below a new start are removed before the start is durable
  skip_journal_sync,      // the commit journal's sync does nothing
  skip_journal_replay,    // it is removed unread
};

constexpr std::array mutations = {Mutation::skip_data_sync,        Mutation::skip_directory_sync, Mutation::skip_closed_sync,
                                  Mutation::early_acknowledgement, Mutation::skip_recovery_sync,  Mutation::checkpoint_too_early,
                                  Mutation::trim_too_early,        Mutation::skip_journal_sync,   Mutation::skip_journal_replay};

// A file system that breaks a rule.
class FaultyFileSystem final : public WrappedFileSystem {
 public:
  FaultyFileSystem(io::SimFileSystem& files, Mutation mutation) : WrappedFileSystem(files), mutation_(mutation) {}

  void set_recovering(bool recovering) { recovering_ = recovering; }

  Result<std::shared_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override {
    if (mode == io::OpenMode::replace && path.ends_with(".log")) newest_[io::parent_of(path)] = path;
    return WrappedFileSystem::open(path, mode);
  }
  Result<> rename(const std::string& from, const std::string& to) override {
    if (mutation_ != Mutation::trim_too_early || !to.ends_with("/checkpoint")) return files_.rename(from, to);
    // The new checkpoint gets its name only when the next one comes: what it no longer needs is removed meanwhile.
    const std::string late = to + ".late";
    TRIPOS_ASSIGN(const bool any, files_.exists(late));
    if (any) TRIPOS_TRY(files_.rename(late, to));
    return files_.rename(from, late);
  }
  Result<> sync_directory(const std::string& directory) override {
    if (mutation_ == Mutation::skip_directory_sync || (recovering_ && mutation_ == Mutation::skip_recovery_sync)) return {};
    return files_.sync_directory(directory);
  }

 private:
  Result<> sync_file(io::File& file) override {
    if (mutation_ == Mutation::checkpoint_too_early && !recovering_ && file.path().ends_with(".log")) TRIPOS_TRY(checkpoint_early(file));
    return skips_sync(file.path()) ? Result<>() : file.sync_data();
  }

  bool skips_sync(const std::string& path) {
    if (recovering_) return mutation_ == Mutation::skip_recovery_sync;
    if (path == journal_path("data")) return mutation_ == Mutation::skip_journal_sync;
    if (!path.ends_with(".log")) return false;
    if (mutation_ == Mutation::skip_data_sync) return true;
    const auto newest = newest_.find(io::parent_of(path));
    return mutation_ == Mutation::skip_closed_sync && newest != newest_.end() && newest->second != path;
  }

  // Writes the checkpoint that would be right after the sync of this file.
  Result<> checkpoint_early(const io::File& file) {
    const std::string directory = io::parent_of(file.path());
    Checkpoint checkpoint;
    checkpoint.segment = *segment_base_offset(file.path().substr(directory.size() + 1));
    TRIPOS_ASSIGN(checkpoint.position, file.size());
    checkpoint.end = checkpoint.segment;
    HeaderReader reader(file, 0, checkpoint.position);
    while (true) {
      TRIPOS_ASSIGN(const BatchHeader* const batch, reader.next());
      if (batch == nullptr) break;
      checkpoint.end = batch->next_offset();
    }
    TRIPOS_ASSIGN(const auto old, read_checkpoint(files_, directory));
    if (old) checkpoint.start = old->start;
    return write_checkpoint(files_, directory, checkpoint);
  }

  Mutation mutation_;
  bool recovering_ = false;
  std::map<std::string, std::string> newest_;
};

// Says that a work is done before it is.
class HastyBackground final : public io::Background {
 public:
  HastyBackground(io::SimLoop& loop, Mutation mutation) : loop_(loop), mutation_(mutation) {}
  void run(io::Task work, io::Task done) override {
    if (mutation_ == Mutation::early_acknowledgement) {
      loop_.post(std::move(done));
      loop_.run(std::move(work), [] {});
    } else {
      loop_.run(std::move(work), std::move(done));
    }
  }

 private:
  io::SimLoop& loop_;
  Mutation mutation_;
};

constexpr int partition_count = 2;

// What the world knows of a partition.
struct History {
  std::map<Offset, std::string> attempted;  // latest value appended at an offset
  std::map<Offset, std::string> acknowledged;
  Offset seen{0};   // the highest durable end shown
  Offset start{0};  // the highest start whose advance was answered
  Offset start_asked{0};
};
using Histories = std::array<History, partition_count>;

// Grows with what the world knows.
std::uint64_t knowledge_of(const Histories& histories) {
  std::uint64_t knowledge = 0;
  for (const History& each : histories) {
    knowledge += each.attempted.size() + each.acknowledged.size() +
                 static_cast<std::uint64_t>(each.seen.value() + each.start.value() + each.start_asked.value());
  }
  return knowledge;
}

// A running server's logs on some disk, with what the world learns from them.
class World {
 public:
  World(io::SimFileSystem& files, Histories& histories, Mutation mutation, std::uint64_t seed)
      : histories_(histories), mutation_(mutation), seed_(seed), files_(files, mutation) {}

  // Starts (or starts again after a kill). The error is a refusal of a partition.
  Result<> start() {
    stop();
    loop_ = std::make_unique<io::SimLoop>(++seed_);
    background_ = std::make_unique<HastyBackground>(*loop_, mutation_);
    // Each second life writes its rounds to a journal, which is soon full.
    CommitOptions commit_options;
    if (seed_ % 2 == 0) commit_options.journal = {.half_bytes = 4 * journal_block, .round_bytes_max = 8000, .rounds_before = 2};
    commit_ =
        std::make_unique<GroupCommit>(*loop_, *background_, files_, "data", CommitHooks{[](const Error&) {}, nullptr}, commit_options);
    TRIPOS_TRY(finish_journal());
    LogOptions options;
    options.segment_bytes = 1200;
    options.index_interval_bytes = 200;
    options.checkpoint_bytes = 900;
    for (int p = 0; p < partition_count; ++p) {
      files_.set_recovering(true);
      auto opened = PartitionLog::open(files_, *commit_, "data/topics/t/" + std::to_string(p), options);
      files_.set_recovering(false);
      if (!opened) return tl::unexpected(opened.error());
      logs_[static_cast<std::size_t>(p)] = std::move(opened->log);
      see(p);
    }
    return {};
  }
  // What a start does before it opens logs.
  Result<> finish_journal() {
    if (mutation_ != Mutation::skip_journal_replay) TRIPOS_TRY(replay_journal(files_, "data"));
    if (mutation_ != Mutation::skip_recovery_sync) TRIPOS_TRY(files_.sync_all("data"));
    return remove_journal(files_, "data");
  }
  void stop() {
    for (auto& log : logs_) log.reset();
    commit_.reset();
    background_.reset();
    loop_.reset();
  }

  PartitionLog& log(int p) { return *logs_[static_cast<std::size_t>(p)]; }
  History& history(int p) { return histories_[static_cast<std::size_t>(p)]; }
  io::SimLoop& loop() { return *loop_; }

  void see(int p) { history(p).seen = std::max(history(p).seen, log(p).durable_end().offset); }

  void append(int p, const std::vector<std::string>& values, Urgency urgency) {
    const Offset next = log(p).next_offset();
    std::map<Offset, std::string> records;
    for (std::size_t i = 0; i < values.size(); ++i) records[next + static_cast<std::int64_t>(i)] = values[i];
    for (const auto& [offset, value] : records) history(p).attempted[offset] = value;  // also if it fails on its way
    const auto appended = log(p).append(make_batch(values), {.urgency = urgency});
    if (!appended) return;
    log(p).when_durable(appended->end, [this, p, records](DurableEnd end) {
      history(p).acknowledged.insert(records.begin(), records.end());
      history(p).seen = std::max(history(p).seen, end.offset);
    });
  }

  void advance_start(int p) {
    const Offset to = log(p).start_offset() + (log(p).durable_end().offset - log(p).start_offset()) / 2;
    history(p).start_asked = std::max(history(p).start_asked, to);
    log(p).advance_start(to, Trim::retention, [this, p, to](const Result<>& result) {
      if (result) history(p).start = std::max(history(p).start, to);
    });
  }

  void close() {
    close_all(*commit_, {logs_[0].get(), logs_[1].get()}, [] {});
    loop_->run_all();
  }

  // What is wrong with partition `p`, held against its history; empty: nothing.
  std::string check(int p) {
    const History& known = history(p);
    PartitionLog& log = this->log(p);
    const Offset end = log.durable_end().offset;
    if (end < known.seen) return fmt::format("the durable end went back from {} to {}", known.seen, end);
    if (log.start_offset() < known.start) return fmt::format("the start went back from {} to {}", known.start, log.start_offset());
    if (log.start_offset() > known.start_asked) return fmt::format("the start is {}, nobody asked for it", log.start_offset());
    const auto read = log.read(log.start_offset(), log.durable_end(), UINT64_MAX);
    if (!read) return read.error().message;
    const auto records = read_records(read->slices);
    if (!records) return records.error().message;
    for (const auto& [offset, value] : known.acknowledged) {
      if (offset < log.start_offset()) continue;
      const auto record = records->find(offset);
      if (record == records->end()) return fmt::format("the acknowledged record at offset {} is lost", offset);
      if (record->second != value) return fmt::format("the acknowledged record at offset {} has changed", offset);
    }
    for (const auto& [offset, value] : *records) {
      const auto attempted = known.attempted.find(offset);
      if (attempted == known.attempted.end() || attempted->second != value)
        return fmt::format("nobody appended the record at offset {}", offset);
    }
    const auto first = records->lower_bound(log.start_offset());
    const auto count = static_cast<std::int64_t>(std::distance(first, records->end()));
    if (count != end - log.start_offset()) return fmt::format("{} records in [{}, {})", count, log.start_offset(), end);
    return "";
  }

 private:
  Histories& histories_;
  Mutation mutation_;
  std::uint64_t seed_;
  FaultyFileSystem files_;
  std::unique_ptr<io::SimLoop> loop_;
  std::unique_ptr<HastyBackground> background_;
  std::unique_ptr<GroupCommit> commit_;
  std::array<std::unique_ptr<PartitionLog>, partition_count> logs_;
};

// The script: appends of all sizes, time that passes, starts that advance, kills and clean stops; as long as `well()`.
// An error: a log was refused, or showed something wrong after a kill.
std::string run_script(World& world, const std::function<bool()>& well, std::uint64_t seed, int steps) {
  std::mt19937_64 random(seed);
  if (auto started = world.start(); !started) return started.error().message;
  for (int step = 0; step < steps && well(); ++step) {
    const int p = static_cast<int>(random() % partition_count);
    const auto choice = random() % 100;
    if (choice < 45) {
      std::vector<std::string> values;
      for (std::uint64_t i = 0; i <= random() % 3; ++i) values.push_back(std::to_string(random()) + std::string(random() % 200, 'v'));
      world.append(p, values, random() % 4 == 0 ? Urgency::soon : Urgency::now);
    } else if (choice < 85) {
      for (std::uint64_t i = 0; i < random() % 6; ++i) world.loop().step();
    } else if (choice < 90) {
      world.loop().advance(std::chrono::milliseconds(10));
    } else if (choice < 93) {
      world.advance_start(p);
    } else {
      if (choice < 95) world.close();
      if (auto started = world.start(); !started) return "after a kill: " + started.error().message;
      for (int q = 0; q < partition_count; ++q) {
        if (const std::string wrong = world.check(q); !wrong.empty()) return "after a kill: " + wrong;
      }
    }
  }
  if (well()) world.close();
  return "";
}

struct Outcome {
  std::string wrong;  // the first violation
  std::uint64_t operations = 0;
  std::uint64_t points = 0;
};

// Recovers what is left, checks it, goes on a little, cuts again with everything unsynced lost, checks again.
std::string check_after(std::unique_ptr<io::SimFileSystem> disk, Histories histories, Mutation mutation, const io::CrashPoint& point) {
  for (int life = 0; life < 2; ++life) {
    World world(*disk, histories, mutation, point.seed);
    if (auto started = world.start(); !started) return "refused: " + started.error().message;
    for (int p = 0; p < partition_count; ++p) {
      const std::string wrong = world.check(p);
      if (!wrong.empty()) return wrong;
      world.append(p, {"life " + std::to_string(life), "after"}, Urgency::now);
    }
    world.loop().run();
    for (int p = 0; p < partition_count; ++p) {
      const std::string wrong = world.check(p);
      if (!wrong.empty()) return wrong;
    }
    world.append(0, {"unsynced"}, Urgency::now);
    auto next = disk->after_power_cut(life == 0 ? io::Survival::nothing : point.survival, point.seed + 1);
    world.stop();
    disk = std::move(next);
  }
  return "";
}

// Crashes before operation 0, 1, 2 … of the script of this seed.
Outcome explore(std::uint64_t seed, Mutation mutation, int steps, std::uint64_t stride) {
  io::SimFileSystem disk(seed);
  make_data_directory(disk);
  Histories histories;
  io::CrashExplorer explorer(
      {.seed = seed, .stride = stride, .knowledge = [&histories] { return knowledge_of(histories); }},
      [&](auto left, const io::CrashPoint& point) { return check_after(std::move(left), histories, mutation, point); });
  explorer.watch(disk);
  Outcome outcome;
  {
    World world(disk, histories, mutation, seed);
    outcome.wrong = run_script(
        world, [&explorer] { return explorer.wrong().empty(); }, seed, steps);
  }
  explorer.look(disk);
  if (!explorer.wrong().empty()) outcome.wrong = fmt::format("{} (script {}, {})", explorer.wrong(), seed, explorer.wrong_point()->text());
  outcome.operations = explorer.operations();
  outcome.points = explorer.points();
  return outcome;
}

#ifdef TRIPOS_SANITIZED
constexpr std::uint64_t scripts = 2;
#else
constexpr std::uint64_t scripts = 6;
#endif

TEST(CrashTest, NothingAcknowledgedIsLostWhereverThePowerIsCut) {
  Outcome total;
  for (std::uint64_t seed = 1; seed <= scripts; ++seed) {
    const Outcome outcome = explore(seed, Mutation::none, 90, 1);
    ASSERT_EQ(outcome.wrong, "");
    total.operations += outcome.operations;
    total.points += outcome.points;
  }
  EXPECT_GT(total.operations, 100 * scripts);
  RecordProperty("operations", std::to_string(total.operations));
  RecordProperty("points", std::to_string(total.points));
}

// Recovery itself is cut before each of its operations.
TEST(CrashTest, RecoveryMayBeCutToo) {
  for (std::uint64_t seed = 1; seed <= scripts; ++seed) {
    io::SimFileSystem disk(seed);
    make_data_directory(disk);
    Histories histories;
    const auto knowledge = [&histories] { return knowledge_of(histories); };
    const auto cut_again = [&](auto left, const io::CrashPoint& point) -> std::string {
      Histories copy = histories;
      io::CrashExplorer again({.seed = point.seed}, [&](auto left_again, const io::CrashPoint& second) {
        return check_after(std::move(left_again), histories, Mutation::none, second);
      });
      again.watch(*left);
      World world(*left, copy, Mutation::none, point.seed);
      if (auto started = world.start(); !started) return "refused: " + started.error().message;
      return again.wrong();
    };
    io::CrashExplorer explorer(
        {.seed = seed, .survivals = {io::Survival::killed, io::Survival::selection}, .stride = 11, .knowledge = knowledge}, cut_again);
    explorer.watch(disk);
    World world(disk, histories, Mutation::none, seed);
    ASSERT_EQ(run_script(
                  world, [&explorer] { return explorer.wrong().empty(); }, seed, 90),
              "");
    ASSERT_EQ(explorer.wrong(), "") << "script " << seed << ", " << explorer.wrong_point()->text();
    EXPECT_GT(explorer.points(), 10U);
  }
}

TEST(CrashTest, EverySeededMutationIsCaught) {
  for (const Mutation mutation : mutations) {
    std::string caught;
    for (std::uint64_t seed = 1; seed <= 20 && caught.empty(); ++seed) caught = explore(seed, mutation, 90, 3).wrong;
    EXPECT_NE(caught, "") << "mutation " << static_cast<int>(mutation) << " survived: the checks are blind to it";
  }
}

}  // namespace
}  // namespace tripos::log
