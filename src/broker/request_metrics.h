// RequestMetrics: how many requests of each kind were answered, and how long they took from their last byte to their answer; long polls
// take what they wait.
// Plain counters, for the loop's thread only; whoever shows them (src/app/metrics) runs there, too.
#pragma once

#include <cstdint>
#include <vector>

#include "base/duration_histogram.h"
#include "broker/api/table.h"

namespace tripos::broker {

class RequestMetrics {
 public:
  // What a request is counted as: its place in api_table(); none: it is not ours.
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  // Of a whole frame, which begins with the request's key.
  [[nodiscard]] static std::size_t kind_of(Bytes frame) noexcept {
    if (frame.size() < sizeof(std::int16_t)) return none;
    const ApiRow* row = find_api(static_cast<wire::ApiKey>(load_be<std::int16_t>(frame.data())));
    return row == nullptr ? none : static_cast<std::size_t>(row - api_table().data());
  }

  void answered(std::size_t kind, MonotonicClock::duration took, MonotonicTime now) noexcept {
    if (kind != none) durations_[kind].record(took, now);
  }

  [[nodiscard]] RecentDurations& durations(std::size_t kind) noexcept { return durations_[kind]; }

 private:
  std::vector<RecentDurations> durations_{api_table().size()};
};

}  // namespace tripos::broker
