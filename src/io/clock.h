// Clock: the two times, behind an interface so that the simulation can turn them.
// Timers use monotonic() only; wall() stamps records (rules, 1.8).
#pragma once

#include "base/time.h"

namespace tripos::io {

// Threads: any.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall() const noexcept = 0;
  [[nodiscard]] virtual MonotonicTime monotonic() const noexcept = 0;
};

}  // namespace tripos::io
