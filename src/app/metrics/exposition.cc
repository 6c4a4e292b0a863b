#include "app/metrics/exposition.h"

namespace tripos::app {
namespace {

constexpr std::array<std::pair<const char*, double>, 6> quantiles = {
    {{"0.50", 0.5}, {"0.75", 0.75}, {"0.95", 0.95}, {"0.98", 0.98}, {"0.99", 0.99}, {"0.999", 0.999}}};
constexpr std::size_t buckets_a_bound = 2 * DurationHistogram::steps;  // a bound for each fourfold
constexpr std::size_t last_bound = 25 * DurationHistogram::steps;      // about a minute; what is longer is in +Inf
constexpr double ms_per_second = 1000;

void append_escaped(std::string& to, std::string_view text) {
  for (const char c : text) {
    if (c == '\n') {
      to += "\\n";
    } else {
      if (c == '\\' || c == '"') to += '\\';
      to += c;
    }
  }
}

void append_label(std::string& to, bool& first, const std::pair<std::string_view, std::string_view>& label) {
  to += std::exchange(first, false) ? '{' : ',';
  to += label.first;
  to += "=\"";
  append_escaped(to, label.second);
  to += '"';
}

}  // namespace

void Exposition::add_sample(Metric metric, std::string_view suffix, Labels labels, std::pair<std::string_view, std::string_view> last_label,
                            std::string_view value) {
  const auto index = static_cast<std::size_t>(metric);
  std::string& to = samples_.at(index);
  to += metric_families()[index].name;
  to += suffix;
  bool first = true;
  for (const auto& label : labels) append_label(to, first, label);
  if (!last_label.first.empty()) append_label(to, first, last_label);
  if (!first) to += '}';
  to += ' ';
  to += value;
  to += '\n';
}

void Exposition::add_durations(Metric summary, Metric histogram, Labels labels, RecentDurations& durations, MonotonicTime now) {
  for (const auto& [name, part] : quantiles) {
    add_sample(summary, "", labels, {"quantile", name}, fmt::format("{}", durations.quantile_seconds(part, now) * ms_per_second));
  }
  const DurationHistogram& all = durations.all();
  const std::string count = fmt::format("{}", all.count());
  add_sample(summary, "_sum", labels, {}, fmt::format("{}", all.sum_seconds() * ms_per_second));
  add_sample(summary, "_count", labels, {}, count);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < last_bound; ++i) {
    below += all.bucket(i);
    if ((i + 1) % buckets_a_bound != 0) continue;
    const std::string bound = fmt::format("{}", static_cast<double>(DurationHistogram::bucket_end_us(i)) / 1e6);
    add_sample(histogram, "_bucket", labels, {"le", bound}, fmt::format("{}", below));
  }
  add_sample(histogram, "_bucket", labels, {"le", "+Inf"}, count);
  add_sample(histogram, "_sum", labels, {}, fmt::format("{}", all.sum_seconds()));
  add_sample(histogram, "_count", labels, {}, count);
}

std::string Exposition::text() const {
  std::string text;
  for (const MetricFamily& family : metric_families()) {
    const std::string& samples = samples_.at(static_cast<std::size_t>(family.metric));
    if (samples.empty()) continue;
    text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{3}", family.name, family.help, to_string(family.type), samples);
  }
  return text;
}

}  // namespace tripos::app
