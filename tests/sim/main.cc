// sim: the simulation's program (./run sim; docs/simulation.md).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "run.h"

namespace tripos::sim {
namespace {

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t points = 200'000;
  std::optional<double> hours;
  std::optional<std::uint64_t> point;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
};

// What all runs together have done.
class Campaign {
 public:
  explicit Campaign(const Options& options) : options_(options), next_seed_(options.seed) {}

  int run() {
    std::vector<std::jthread> threads;
    for (unsigned job = 0; job < options_.jobs; ++job) threads.emplace_back([this] { work(); });
    threads.clear();
    report(std::cout);
    return failures_ == 0 ? 0 : 1;
  }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] bool is_over() {
    const std::lock_guard lock(mutex_);
    if (failures_ > 0) return true;
    if (options_.hours) return Clock::now() - begin_ > std::chrono::duration<double, std::ratio<3600>>(*options_.hours);
    return states_.size() >= options_.points;
  }

  void work() {
    while (!is_over()) {
      const std::uint64_t seed = next_seed_++;
      add(seed, sim::run({.seed = seed, .points_max = options_.points}));
    }
  }

  void add(std::uint64_t seed, const RunResult& result) {
    const std::lock_guard lock(mutex_);
    ++runs_;
    points_ += result.points;
    repeats_ += result.repeats;
    operations_ += result.operations;
    acknowledged_ += result.acknowledged;
    transactions_ += result.transactions;
    lives_ += result.lives;
    states_.insert(result.states.begin(), result.states.end());
    if (!result.wrong.empty()) {
      ++failures_;
      std::cout << fmt::format("WRONG {}\n  {}, seed {}\n  again: ./run sim --seed {}{}\n", result.wrong, result.where, seed, seed,
                               result.wrong_point ? fmt::format(" --point {}", *result.wrong_point) : std::string(" --points 1"))
                << std::flush;
    } else if (Clock::now() - told_ > std::chrono::seconds(10)) {
      told_ = Clock::now();
      report(std::cerr);
    }
  }

  void report(std::ostream& to) {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    to << fmt::format(
              "seeds {} to {}: {} distinct states, {} points, {} repeats left out; {} disk operations, {} starts, {} records and {} "
              "transactions acknowledged; {:.0f} s, {:.2f} ms of a core a point\n",
              options_.seed, next_seed_.load() - 1, states_.size(), points_, repeats_, operations_, lives_, acknowledged_, transactions_,
              seconds, points_ == 0 ? 0 : seconds * 1000 * options_.jobs / static_cast<double>(points_))
       << std::flush;
  }

  const Options& options_;
  std::atomic<std::uint64_t> next_seed_;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point told_ = begin_;
  std::mutex mutex_;
  std::uint64_t runs_ = 0;
  std::uint64_t points_ = 0;
  std::uint64_t repeats_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t transactions_ = 0;
  std::uint64_t lives_ = 0;
  std::uint64_t failures_ = 0;
  std::unordered_set<std::uint64_t> states_;
};

int replay(const Options& options) {
  const RunResult result = run({.seed = options.seed, .only_point = options.point});
  if (result.wrong.empty()) {
    std::cout << fmt::format("seed {}, point {}: nothing is wrong ({} points checked)\n", options.seed, *options.point, result.points);
    return 0;
  }
  std::cout << fmt::format("WRONG {}\n  {}, seed {}\n", result.wrong, result.where, options.seed);
  return 1;
}

}  // namespace
}  // namespace tripos::sim

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);  // the vocabulary of the broker's tests says what surprises it
  tripos::sim::Options options;
  CLI::App app("Crashes of the broker's core and its tables, on a simulated disk, at every change of it.");
  app.add_option("--seed", options.seed, "The first seed; each run of the workload takes the next")->capture_default_str();
  app.add_option("--points", options.points, "How many distinct states of the disk to recover from")->capture_default_str();
  app.add_option("--hours", options.hours, "Go on with new seeds for so long instead");
  app.add_option("--point", options.point, "Only this point of the seed: replays what was found");
  app.add_option("--jobs", options.jobs, "Threads, each with runs of its own")->capture_default_str()->check(CLI::Range(1U, 1024U));
  CLI11_PARSE(app, argc, argv);
  const int code = options.point ? tripos::sim::replay(options) : tripos::sim::Campaign(options).run();
  return testing::Test::HasFailure() ? 1 : code;
}
