// QuickRounds: whether the loop itself may wait for the next small round (docs/adr/0038).
//
//   state       event                                                  then
//   background  a round as long as the limit, or longer                background, none in succession
//   background  a shorter one                                          one more in succession; `before` of them: loop
//   loop        a shorter one                                          loop
//   loop        a round as long as the limit, or longer                background, none in succession
//
// Handing a round to a thread and back costs two wake-ups of a sleeping processor: on a disk that needs 0.15 ms for a sync half as much
// again, and a third of a small request's CPU (bench/RESULTS.md). A disk that is slow, or has become slow, must not hold up what else the
// loop has to do. Pure: no clock, no threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace tripos::log {

struct QuickRoundsOptions {
  MonotonicClock::duration limit = std::chrono::microseconds(500);  // 0: the loop never waits
  std::uint32_t before = 16;                                        // 0: it waits from the first round on
};

class QuickRounds {
 public:
  explicit QuickRounds(QuickRoundsOptions options) : options_(options) {}

  [[nodiscard]] bool on_loop() const noexcept {
    return options_.limit > MonotonicClock::duration::zero() && in_succession_ >= options_.before;
  }
  // A round of the journal took that long, wherever it was written.
  void took(MonotonicClock::duration duration) noexcept {
    in_succession_ = duration < options_.limit ? std::min(in_succession_ + 1, options_.before) : 0;
  }

 private:
  QuickRoundsOptions options_;
  std::uint32_t in_succession_ = 0;
};

}  // namespace tripos::log
