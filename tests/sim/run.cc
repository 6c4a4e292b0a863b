#include "run.h"

#include <memory>
#include <random>
#include <utility>

#include "aftermath.h"
#include "clients.h"
#include "history.h"
#include "io/sim/crash_explorer.h"
#include "judge.h"
#include "lost_log.h"
#include "seeded_random.h"
#include "world.h"

namespace tripos::sim {

namespace {

constexpr int steps = 170;

// The server starts on what a crash has left; perhaps it crashes again while it starts; perhaps clients come back, and the power goes
// once more, with all that was not synced.
std::string check_point(std::unique_ptr<io::SimFileSystem> left, const History& history, const io::CrashPoint& point) {
  const SeededRandom seeded(point.seed);
  std::mt19937_64 random(point.seed);
  if (random() % 32 == 0) {
    std::string wrong = check_lost_log(left->after_power_cut(io::Survival::everything, point.seed), point.seed);
    if (!wrong.empty()) return wrong + " (a log has lost what its table has)";
  }
  std::unique_ptr<io::SimFileSystem> left_again;
  const std::uint64_t cut_recovery_at = random() % 6 == 0 ? random() % 30 : UINT64_MAX;
  const auto survival_again = random() % 2 == 0 ? io::Survival::nothing : io::Survival::selection;
  std::uint64_t changes = 0;
  left->before_change([&, disk = left.get()] {
    if (changes++ == cut_recovery_at) left_again = disk->after_power_cut(survival_again, point.seed);
  });
  World world(std::move(left), point.seed);
  Judge judge(world, history);
  std::string wrong = judge.after_start();
  if (!wrong.empty()) return wrong;
  world.disk().before_change(nullptr);
  if (left_again != nullptr) {
    World again(std::move(left_again), point.seed);
    wrong = Judge(again, history).after_start();
    if (!wrong.empty()) return wrong + fmt::format(" (crashed again while it started, before its operation {})", cut_recovery_at);
  }
  const bool killed = point.survival == io::Survival::killed;
  if (random() % (killed ? 4 : 8) == 0) {
    // Whatever the start has shown must be there after a power cut, too.
    History shown = history;
    judge.teach(shown);
    World after(world.disk().after_power_cut(io::Survival::nothing, point.seed), point.seed);
    wrong = Judge(after, shown).after_start();
    if (!wrong.empty()) return wrong + " (the power went after the start)";
  }
  if (random() % 8 != 0) return {};
  History later = history;
  wrong = come_back(world, later);
  if (!wrong.empty()) return wrong + " (after clients came back)";
  World last(world.disk().after_power_cut(io::Survival::nothing, point.seed), point.seed);
  wrong = Judge(last, later).after_start();
  return wrong.empty() ? wrong : wrong + " (after clients came back, and a power cut)";
}

class Run {
 public:
  explicit Run(const RunOptions& options)
      : options_(options),
        seeded_(options.seed),
        random_(io::mix_seeds(options.seed, 1)),
        clients_(history_, io::mix_seeds(options.seed, 2)),
        explorer_({.seed = options.seed,
                   .points_max = options.points_max,
                   .only = options.only_point,
                   .knowledge = [this] { return clients_.listen(), history_.version; }},
                  [this](auto left, const io::CrashPoint& point) { return check_point(std::move(left), history_, point); }) {}

  RunResult run() {
    auto disk = std::make_unique<io::SimFileSystem>(options_.seed);
    explorer_.watch(*disk);
    start(std::move(disk));
    clients_.begin(*world_);
    for (int step = 0; step < steps && well(); ++step) {
      clients_.act();
      if (random_() % 20 == 0) look_at_pins();
      if (random_() % 40 == 0) begin_new_life(random_() % 3 == 0);
    }
    if (well()) explorer_.look(world_->disk());
    return result();
  }

 private:
  [[nodiscard]] bool well() const { return wrong_.empty() && explorer_.wrong().empty() && clients_.wrong().empty(); }

  void start(std::unique_ptr<io::SimFileSystem> disk) {
    world_ = std::make_unique<World>(std::move(disk), io::mix_seeds(options_.seed, 100 + lives_++));
    Judge judge(*world_, history_);
    wrong_ = judge.after_start();
    if (wrong_.empty()) judge.teach(history_);
  }

  void begin_new_life(bool clean) {
    if (clean && !world_->stop()) wrong_ = "open: a stop does not come to its end";
    clients_.listen();
    clients_.disconnect();  // what a server says as it is taken apart, nobody hears
    auto disk = world_->leave_disk();
    start(std::move(disk));
    if (wrong_.empty()) clients_.go_on(*world_);
  }

  void look_at_pins() {
    Judge judge(*world_, history_);
    wrong_ = judge.pins();
    judge.teach(history_);
  }

  RunResult result() {
    RunResult result;
    result.operations = explorer_.operations();
    result.points = explorer_.points();
    result.repeats = explorer_.repeats();
    result.states.assign(explorer_.states().begin(), explorer_.states().end());
    result.lives = lives_;
    for (const SentBatch& batch : history_.batches) {
      if (batch.outcome == Outcome::accepted) result.acknowledged += static_cast<std::uint64_t>(batch.count);
    }
    for (const SentTransaction& transaction : history_.transactions) {
      if (transaction.outcome == Outcome::accepted) ++result.transactions;
    }
    if (!explorer_.wrong().empty()) {
      result.wrong = explorer_.wrong();
      result.wrong_point = explorer_.wrong_point()->number;
      result.where = explorer_.wrong_point()->text();
    } else {
      result.wrong = wrong_.empty() ? clients_.wrong() : wrong_;
      result.where = "while the clients were at work";
    }
    return result;
  }

  RunOptions options_;
  SeededRandom seeded_;
  std::mt19937_64 random_;
  History history_;
  Clients clients_;
  io::CrashExplorer explorer_;
  std::unique_ptr<World> world_;
  std::string wrong_;
  std::uint64_t lives_ = 0;
};

}  // namespace

RunResult run(const RunOptions& options) { return Run(options).run(); }

}  // namespace tripos::sim
