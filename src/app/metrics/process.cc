// process_*: out of /proc/self.
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "app/metrics/metrics.h"

namespace tripos::app {
namespace {

std::string contents(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The fields of /proc/self/stat behind the name, which may hold anything: the first is number 3 of proc(5).
std::vector<std::string> stat_fields() {
  const std::string text = contents("/proc/self/stat");
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream stream(text.substr(name_end + 1));
  return {std::istream_iterator<std::string>(stream), {}};
}

double number(const std::vector<std::string>& fields, std::size_t proc_number) {
  const std::size_t index = proc_number - 3;
  double value = 0;
  if (index < fields.size()) std::from_chars(fields[index].data(), fields[index].data() + fields[index].size(), value);
  return value;
}

// When the machine began, since 1970.
double boot_time() {
  std::istringstream lines(contents("/proc/stat"));
  for (std::string word; lines >> word;) {
    double seconds = 0;
    if (word == "btime" && lines >> seconds) return seconds;
  }
  return 0;
}

}  // namespace

void add_process_metrics(Exposition& to) {
  const std::vector<std::string> fields = stat_fields();
  if (fields.empty()) return;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  to.add(Metric::process_cpu, {}, (number(fields, 14) + number(fields, 15)) / ticks);
  to.add(Metric::process_threads, {}, number(fields, 20));
  to.add(Metric::process_start, {}, boot_time() + number(fields, 22) / ticks);
  to.add(Metric::process_virtual, {}, number(fields, 23));
  to.add(Metric::process_resident, {}, number(fields, 24) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  std::error_code ignored;
  const auto files = std::filesystem::directory_iterator("/proc/self/fd", ignored);
  if (!ignored) to.add(Metric::process_open_files, {}, static_cast<std::uint64_t>(std::distance(begin(files), end(files))));
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) to.add(Metric::process_open_files_max, {}, std::uint64_t{limit.rlim_cur});
}

}  // namespace tripos::app
