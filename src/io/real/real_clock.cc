#include "io/real/real_clock.h"

#include <chrono>

namespace tripos::io {

WallTime RealClock::wall() const noexcept {
  return WallTime(std::chrono::duration_cast<WallClock::duration>(std::chrono::system_clock::now().time_since_epoch()));
}

MonotonicTime RealClock::monotonic() const noexcept {
  return MonotonicTime(std::chrono::duration_cast<MonotonicClock::duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

}  // namespace tripos::io
