// TimerQueue: calls to come, by time. The pure part of an Executor's timers; who owns it says what time it is.
// Calls of the same time run in the order in which they were added. Threads: one.
#pragma once

#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "io/executor.h"

namespace tripos::io {

class TimerQueue {
 public:
  TimerId add(MonotonicTime due, Task task) {
    ++last_;
    calls_.emplace(Key{due, last_}, std::move(task));
    due_.emplace(last_, due);
    return last_;
  }

  // False: there is no such call any more.
  bool cancel(TimerId id) {
    const auto found = due_.find(id);
    if (found == due_.end()) return false;
    calls_.erase(Key{found->second, id});
    due_.erase(found);
    return true;
  }

  // When the next call is due; none: there is no call.
  [[nodiscard]] std::optional<MonotonicTime> next_due() const noexcept {
    if (calls_.empty()) return std::nullopt;
    return calls_.begin()->first.first;
  }

  // Takes one call that is due at `now`; none: none is.
  [[nodiscard]] std::optional<Task> take_due(MonotonicTime now) {
    if (calls_.empty() || calls_.begin()->first.first > now) return std::nullopt;
    auto node = calls_.extract(calls_.begin());
    due_.erase(node.key().second);
    return std::move(node.mapped());
  }

 private:
  using Key = std::pair<MonotonicTime, TimerId>;
  std::map<Key, Task> calls_;
  std::unordered_map<TimerId, MonotonicTime> due_;
  TimerId last_ = no_timer;
};

}  // namespace tripos::io
