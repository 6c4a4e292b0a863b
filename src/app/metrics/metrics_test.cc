#include <gtest/gtest.h>

#include <set>

#include "app/metrics/consumer_lag.h"
#include "app/metrics/exposition.h"

namespace tripos::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(MetricFamilies, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const MetricFamily& family : metric_families()) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
    EXPECT_EQ(std::string_view(family.name).ends_with("_total"), family.type == MetricType::counter) << family.name;
  }
}

TEST(Exposition, KeepsFamiliesTogether) {
  Exposition exposition;
  exposition.add(Metric::log_size, {{"topic", "a"}, {"partition", "0"}}, std::uint64_t{7});
  exposition.add(Metric::partition_count, {}, std::uint64_t{2});
  exposition.add(Metric::log_size, {{"topic", "quote\" slash\\ line\n"}, {"partition", "1"}}, std::uint64_t{8});
  const std::string text = exposition.text();
  EXPECT_NE(text.find("# TYPE kafka_log_log_size gauge\n"
                      "kafka_log_log_size{topic=\"a\",partition=\"0\"} 7\n"
                      "kafka_log_log_size{topic=\"quote\\\" slash\\\\ line\\n\",partition=\"1\"} 8\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("# TYPE kafka_server_replicamanager_partitioncount gauge\nkafka_server_replicamanager_partitioncount 2\n"),
            std::string::npos);
}

TEST(Exposition, DurationsAsSummaryAndHistogram) {
  RecentDurations durations;
  const MonotonicTime now{std::chrono::minutes(5)};
  for (int i = 0; i < 10; ++i) durations.record(milliseconds(1), now);
  durations.record(seconds(1000), now);
  Exposition exposition;
  exposition.add_durations(Metric::flush_times, Metric::flush_durations, {}, durations, now);
  const std::string text = exposition.text();
  EXPECT_NE(text.find("logflushrateandtimems_count 11\n"), std::string::npos) << text;
  EXPECT_NE(text.find("tripos_log_sync_duration_seconds_bucket{le=\"+Inf\"} 11\n"), std::string::npos) << text;
  EXPECT_NE(text.find("tripos_log_sync_duration_seconds_bucket{le=\"0.002048\"} 10\n"), std::string::npos) << text;
  EXPECT_NE(text.find("tripos_log_sync_duration_seconds_sum 1000.01\n"), std::string::npos) << text;
}

TEST(EndTimes, SaysHowLongARecordWaits) {
  EndTimes times;
  const auto at = [](int second) { return MonotonicTime(seconds(second)); };
  times.see(at(10), Offset(5));
  times.see(at(11), Offset(5));
  times.see(at(12), Offset(8));
  times.see(at(20), Offset(9));
  EXPECT_EQ(times.waiting_since(at(30), Offset(4)), seconds(20));  // there at the first look: at least so long
  EXPECT_EQ(times.waiting_since(at(30), Offset(5)), seconds(18));
  EXPECT_EQ(times.waiting_since(at(30), Offset(7)), seconds(18));
  EXPECT_EQ(times.waiting_since(at(30), Offset(8)), seconds(10));
  EXPECT_EQ(times.waiting_since(at(30), Offset(9)), seconds(0));  // not there
}

TEST(EndTimes, NeverSaysTooLongHoweverManyItSaw) {
  EndTimes times;
  for (int i = 0; i < 10'000; ++i) times.see(MonotonicTime(seconds(i)), Offset(i + 1));  // record i came at second i
  const MonotonicTime now{seconds(10'000)};
  for (int i = 0; i < 10'000; ++i) {
    const auto waiting = times.waiting_since(now, Offset(i));
    EXPECT_LE(waiting, seconds(10'000 - i));
    EXPECT_GE(waiting, seconds((10'000 - i) / 2)) << i;  // and not much too short
  }
}

}  // namespace
}  // namespace tripos::app
