#include "base/duration_histogram.h"

#include <gtest/gtest.h>

namespace tripos {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;

TEST(DurationHistogram, ABucketEndsAtMostAFifthAboveWhatItHolds) {
  for (std::uint64_t us = 0; us < 5'000'000; us += 1 + us / 50) {
    DurationHistogram histogram;
    histogram.record(microseconds(us));
    std::size_t index = 0;
    while (histogram.bucket(index) == 0) ++index;
    const std::uint64_t end = DurationHistogram::bucket_end_us(index);
    EXPECT_LT(us, end);
    EXPECT_LE(static_cast<double>(end), static_cast<double>(us) * 1.25 + 1) << us;
    if (index > 0) {
      EXPECT_GE(us, DurationHistogram::bucket_end_us(index - 1));
    }
  }
}

TEST(DurationHistogram, CountsAndSums) {
  DurationHistogram histogram;
  histogram.record(milliseconds(2));
  histogram.record(milliseconds(500));
  histogram.record(std::chrono::hours(100));  // beyond all buckets: in the last one
  histogram.record(milliseconds(-1));         // a clock that went back
  EXPECT_EQ(histogram.count(), 4u);
  EXPECT_NEAR(histogram.sum_seconds(), 360'000.502, 1e-6);
  EXPECT_EQ(histogram.bucket(DurationHistogram::bucket_count - 1), 1u);
  EXPECT_EQ(histogram.bucket(0), 1u);
}

TEST(RecentDurations, QuantilesForgetAndCountsDoNot) {
  RecentDurations durations;
  MonotonicTime now{minutes(10)};
  for (int i = 0; i < 99; ++i) durations.record(milliseconds(1), now);
  durations.record(milliseconds(100), now);
  EXPECT_NEAR(durations.quantile_seconds(0.5, now), 0.001, 0.00025);
  EXPECT_NEAR(durations.quantile_seconds(0.99, now), 0.001, 0.00025);
  EXPECT_NEAR(durations.quantile_seconds(0.999, now), 0.1, 0.025);
  now += minutes(1);
  durations.record(milliseconds(1), now);
  EXPECT_NEAR(durations.quantile_seconds(0.999, now), 0.1, 0.025);  // of the minute before
  now += minutes(1);
  durations.record(milliseconds(1), now);
  EXPECT_NEAR(durations.quantile_seconds(0.999, now), 0.001, 0.00025);
  now += minutes(5);
  EXPECT_EQ(durations.quantile_seconds(0.5, now), 0);
  EXPECT_EQ(durations.all().count(), 102u);
}

}  // namespace
}  // namespace tripos
