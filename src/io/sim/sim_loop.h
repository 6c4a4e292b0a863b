// SimLoop: an event loop, its background threads and its clock, in one thread and in virtual time.
// Which of the things that could happen next does happen is drawn from the seed; the same seed gives the same run.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "io/clock.h"
#include "io/executor.h"

namespace tripos::io {

class SimLoop final : public Executor, public Background, public Clock {
 public:
  explicit SimLoop(std::uint64_t seed = 0) : random_(seed) {}

  // Does one thing: a posted task, or a background work as a whole. False: nothing is left but timers.
  bool step();
  // Until nothing is left but timers.
  void run();
  // Lets time pass; what falls due happens in order, with all that follows from it.
  void advance(MonotonicClock::duration time);
  // What runs now has taken that long: only the clock moves.
  void take(MonotonicClock::duration time) noexcept { now_ += time; }
  // As run(), and then the timers too, as if time passed.
  void run_all();

  void post(Task task) override { posted_.push_back(std::move(task)); }
  [[nodiscard]] TimerId post_after(MonotonicClock::duration delay, Task task) override;
  bool cancel(TimerId timer) override;
  void run(Task work, Task done) override { works_.push_back({std::move(work), std::move(done)}); }

  [[nodiscard]] WallTime wall() const noexcept override;
  [[nodiscard]] MonotonicTime monotonic() const noexcept override { return now_; }

 private:
  struct Work {
    Task work;
    Task done;
  };
  using TimerKey = std::pair<MonotonicTime, TimerId>;

  std::mt19937_64 random_;
  MonotonicTime now_{};
  std::deque<Task> posted_;
  std::vector<Work> works_;
  std::map<TimerKey, Task> timers_;
  std::uint64_t timer_count_ = 0;
};

}  // namespace tripos::io
