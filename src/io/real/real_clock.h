// RealClock: the operating system's clocks.
#pragma once

#include "io/clock.h"

namespace tripos::io {

class RealClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const noexcept override;
  [[nodiscard]] MonotonicTime monotonic() const noexcept override;
};

}  // namespace tripos::io
