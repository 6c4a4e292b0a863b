// Executor: the event loop. Background: threads that may block, whose completions come back to the loop.
// All state of a partition belongs to the loop, so that it needs no locks; what blocks (a sync, a scan) goes to a Background as a
// closure over values and shared files, never over a partition.
// Implementations: io/asio (executor), io/real (background), io/sim (both, deterministic, in virtual time).
#pragma once

#include <cstdint>
#include <functional>

#include "base/strong_id.h"
#include "base/time.h"

namespace tripos::io {

using Task = std::function<void()>;

using TimerId = StrongId<struct TimerIdTag, std::uint64_t>;
inline constexpr TimerId no_timer{0};

class Executor {
 public:
  virtual ~Executor() = default;

  // Runs `task` on the loop, after the tasks posted before it; never inside of this call. Threads: any.
  virtual void post(Task task) = 0;

  // Runs `task` on the loop once `delay` has passed on the monotonic clock. Never `no_timer`. Threads: the loop's only.
  [[nodiscard]] virtual TimerId post_after(MonotonicClock::duration delay, Task task) = 0;

  // True: the task has not run and will not. `no_timer` and timers that have run: false. Threads: the loop's only.
  virtual bool cancel(TimerId timer) = 0;
};

class Background {
 public:
  virtual ~Background() = default;

  // Runs `work` on some other thread, then `done` on the loop. Works may overlap and finish in any order. Threads: the loop's only.
  virtual void run(Task work, Task done) = 0;
};

}  // namespace tripos::io
