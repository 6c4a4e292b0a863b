#include "app/cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace tripos::app {

bool is_terminal(int descriptor) noexcept { return isatty(descriptor) == 1; }

bool colours_wanted(bool no_color) noexcept {
  const char* forbidden = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return !no_color && (forbidden == nullptr || *forbidden == '\0') && is_terminal(STDERR_FILENO) && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

std::string readable_bytes(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> units = {"bytes", "KB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < units.size(); ++unit) value /= 1000;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string readable_time(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02} min", whole / 60, whole % 60);
  return fmt::format("{}:{:02} h", whole / 3600, whole % 3600 / 60);
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

ProgressLine::ProgressLine(std::string label, bool quiet) : quiet_(quiet), label_(std::move(label)) {}

void ProgressLine::clear() {
  if (std::exchange(drawn_, false)) fmt::print(stderr, "\r\x1b[K");
}

void ProgressLine::show(std::uint64_t bytes, std::uint64_t total_bytes, std::optional<std::uint64_t> records) {
  const auto now = std::chrono::steady_clock::now();
  if (quiet_ || now - last_ < std::chrono::milliseconds(100)) return;
  const bool watched = is_terminal(STDERR_FILENO);
  if (!watched && now - last_ < std::chrono::seconds(10)) return;
  last_ = now;
  const double rate = static_cast<double>(bytes) / std::chrono::duration<double>(now - started_).count();
  std::string text = fmt::format("{}: ", label_);
  if (watched && total_bytes > 0) {
    static constexpr std::size_t width = 30;
    const std::size_t filled =
        std::min(width, static_cast<std::size_t>(static_cast<double>(bytes) / static_cast<double>(total_bytes) * width));
    text += "[" + std::string(filled, '=') + std::string(width - filled, ' ') + "] ";
  }
  if (records) text += fmt::format("{} records, ", grouped(*records));
  text += readable_bytes(bytes);
  if (total_bytes > 0) text += " of " + readable_bytes(total_bytes);
  text += fmt::format(", {}/s", readable_bytes(static_cast<std::uint64_t>(rate)));
  if (total_bytes > bytes && rate > 0) text += ", " + readable_time(static_cast<double>(total_bytes - bytes) / rate) + " left";
  drawn_ = watched;
  fmt::print(stderr, "{}{}{}", watched ? "\r\x1b[K" : "", text, watched ? "" : "\n");
}

}  // namespace tripos::app
