#include "io/sim/sim_loop.h"

#include <algorithm>
#include <chrono>

namespace tripos::io {
namespace {
constexpr WallTime wall_start{std::chrono::milliseconds(1'517'141'411'000)};  // 2018-01-28
}

bool SimLoop::step() {
  const std::size_t choices = (posted_.empty() ? 0 : 1) + works_.size();
  if (choices == 0) return false;
  const std::size_t choice = random_() % choices;
  if (choice == works_.size()) {
    const Task task = std::move(posted_.front());
    posted_.pop_front();
    task();
  } else {
    Work work = std::move(works_[choice]);
    works_.erase(works_.begin() + static_cast<std::ptrdiff_t>(choice));
    work.work();
    posted_.push_back(std::move(work.done));
  }
  return true;
}

void SimLoop::run() {
  while (step()) {
  }
}

void SimLoop::advance(MonotonicClock::duration time) {
  const MonotonicTime until = now_ + time;
  run();
  while (!timers_.empty() && timers_.begin()->first.first <= until) {
    auto timer = timers_.extract(timers_.begin());
    now_ = std::max(now_, timer.key().first);
    timer.mapped()();
    run();
  }
  now_ = until;
}

void SimLoop::run_all() {
  run();
  while (!timers_.empty()) advance(timers_.begin()->first.first - now_);
}

TimerId SimLoop::post_after(MonotonicClock::duration delay, Task task) {
  const TimerId id(++timer_count_);
  timers_.emplace(TimerKey{now_ + std::max(delay, MonotonicClock::duration::zero()), id}, std::move(task));
  return id;
}

bool SimLoop::cancel(TimerId timer) {
  const auto entry = std::find_if(timers_.begin(), timers_.end(), [timer](const auto& item) { return item.first.second == timer; });
  if (entry == timers_.end()) return false;
  timers_.erase(entry);
  return true;
}

WallTime SimLoop::wall() const noexcept { return wall_start + std::chrono::duration_cast<WallClock::duration>(now_.time_since_epoch()); }

}  // namespace tripos::io
