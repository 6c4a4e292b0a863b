// Two clocks that must not be mixed (rules, 1.8): WallTime stamps records, MonotonicTime drives timers.
#pragma once

#include <chrono>
#include <cstdint>

namespace tripos {

struct WallClock {
  using rep = std::int64_t;
  using period = std::milli;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<WallClock>;
  static constexpr bool is_steady = false;
};
struct MonotonicClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};

using WallTime = WallClock::time_point;            // since 1970, in milliseconds, as Kafka's timestamps
using MonotonicTime = MonotonicClock::time_point;  // since some start, in nanoseconds

}  // namespace tripos
