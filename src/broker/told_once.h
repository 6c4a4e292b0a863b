// told_once(): a callback that is told exactly once, also by nobody: if all its copies are destroyed before (the log that would have told
// it goes with its topic), it is told so then. Threads: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <utility>

namespace tripos::broker {

template <typename Answer>
[[nodiscard]] std::function<void(const Answer&)> told_once(std::function<void(const Answer&)> told, Answer if_dropped) {
  struct Pending {
    Pending(std::function<void(const Answer&)> owned, Answer dropped) : told(std::move(owned)), if_dropped(std::move(dropped)) {}
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    ~Pending() {
      if (told) told(if_dropped);
    }
    std::function<void(const Answer&)> told;
    Answer if_dropped;
  };
  const auto pending = std::make_shared<Pending>(std::move(told), std::move(if_dropped));
  return [pending](const Answer& answer) {
    if (const auto once = std::exchange(pending->told, nullptr)) once(answer);
  };
}

}  // namespace tripos::broker
