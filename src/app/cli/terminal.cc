#include "app/cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

ProgressBar::ProgressBar(std::string label, std::uint64_t total_bytes)
    : visible_(is_terminal(STDERR_FILENO)), label_(std::move(label)), total_bytes_(total_bytes) {}

ProgressBar::~ProgressBar() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
}

void ProgressBar::show(std::uint64_t bytes, std::uint64_t records) {
  const auto now = std::chrono::steady_clock::now();
  if (!visible_ || now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  drawn_ = true;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  std::string bar;
  if (total_bytes_ > 0) {
    static constexpr std::size_t width = 30;
    const std::size_t filled =
        std::min(width, static_cast<std::size_t>(static_cast<double>(bytes) / static_cast<double>(total_bytes_) * width));
    bar = "[" + std::string(filled, '=') + std::string(width - filled, ' ') + "] ";
  }
  fmt::print(stderr, "\r\x1b[K{} {}{} records, {}, {}/s", label_, bar, grouped(records), readable_bytes(bytes),
             readable_bytes(static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds)));
}

}  // namespace tripos::app
