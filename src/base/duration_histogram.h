// DurationHistogram: how long things took, counted in buckets. RecentDurations: the same since the start and of the last one to two
// minutes, which is what quantiles are asked of.
// Recording costs a few instructions and never allocates. Buckets: four to each doubling, from 1 µs to more than an hour, so that a
// quantile is at most a fifth too high. Threads: one.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "base/time.h"

namespace tripos {

class DurationHistogram {
 public:
  static constexpr std::size_t steps = 4;  // of a doubling
  static constexpr std::size_t bucket_count = 32 * steps;

  void record(MonotonicClock::duration duration) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
    ++counts_[bucket_of(ns / 1000)];
    ++count_;
    sum_ns_ += ns;
  }
  void clear() noexcept { *this = DurationHistogram(); }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] double sum_seconds() const noexcept { return static_cast<double>(sum_ns_) / 1e9; }
  [[nodiscard]] std::uint64_t bucket(std::size_t index) const noexcept { return counts_[index]; }
  // What the durations of a bucket lie below, in microseconds.
  [[nodiscard]] static constexpr std::uint64_t bucket_end_us(std::size_t index) noexcept {
    if (index < steps) return index + 1;
    const std::size_t doubling = index / steps - 1;
    return (std::uint64_t{steps} + index % steps + 1) << doubling;
  }

 private:
  static constexpr std::size_t bucket_of(std::uint64_t us) noexcept {
    if (us < steps) return us;
    const auto doubling = static_cast<std::size_t>(std::bit_width(us)) - static_cast<std::size_t>(std::bit_width(steps));
    return std::min(bucket_count - 1, (doubling + 1) * steps + ((us >> doubling) - steps));
  }

  std::array<std::uint64_t, bucket_count> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ns_ = 0;
};

class RecentDurations {
 public:
  static constexpr MonotonicClock::duration window = std::chrono::minutes(1);

  void record(MonotonicClock::duration duration, MonotonicTime now) noexcept {
    all_.record(duration);
    turn(now);
    current_.record(duration);
  }

  [[nodiscard]] const DurationHistogram& all() const noexcept { return all_; }
  // The smallest bound that at least this part of the last one to two minutes' durations lies below, in seconds; 0 if there were none.
  [[nodiscard]] double quantile_seconds(double part, MonotonicTime now) noexcept {
    turn(now);
    const std::uint64_t count = previous_.count() + current_.count();
    if (count == 0) return 0;
    const auto wanted = std::max<double>(1, part * static_cast<double>(count));
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < DurationHistogram::bucket_count; ++i) {
      below += previous_.bucket(i) + current_.bucket(i);
      if (static_cast<double>(below) >= wanted) return static_cast<double>(DurationHistogram::bucket_end_us(i)) / 1e6;
    }
    return static_cast<double>(DurationHistogram::bucket_end_us(DurationHistogram::bucket_count - 1)) / 1e6;
  }

 private:
  void turn(MonotonicTime now) noexcept {
    if (now - begin_ < window) return;
    if (now - begin_ < 2 * window) {
      previous_ = current_;
    } else {
      previous_.clear();
    }
    current_.clear();
    begin_ = now;
  }

  DurationHistogram all_;
  DurationHistogram previous_;
  DurationHistogram current_;
  MonotonicTime begin_{};
};

}  // namespace tripos
