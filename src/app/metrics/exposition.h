// Exposition: metrics in Prometheus' text format, version 0.0.4: all samples of a family together, with its HELP and TYPE before them.
// Threads: one.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "app/metrics/families.h"
#include "base/duration_histogram.h"

namespace tripos::app {

inline constexpr const char* exposition_content_type = "text/plain; version=0.0.4; charset=utf-8";

class Exposition {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  void add(Metric metric, Labels labels, std::uint64_t value) { add_sample(metric, "", labels, {}, fmt::format("{}", value)); }
  void add(Metric metric, Labels labels, std::int64_t value) { add_sample(metric, "", labels, {}, fmt::format("{}", value)); }
  void add(Metric metric, Labels labels, double value) { add_sample(metric, "", labels, {}, fmt::format("{}", value)); }
  // A summary in milliseconds, and a histogram in seconds.
  void add_durations(Metric summary, Metric histogram, Labels labels, RecentDurations& durations, MonotonicTime now);

  [[nodiscard]] std::string text() const;

 private:
  void add_sample(Metric metric, std::string_view suffix, Labels labels, std::pair<std::string_view, std::string_view> last_label,
                  std::string_view value);

  std::array<std::string, static_cast<std::size_t>(Metric::count)> samples_;
};

}  // namespace tripos::app
