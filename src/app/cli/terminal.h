// What the terminal is like, and a line of progress for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace tripos::app {

[[nodiscard]] bool is_terminal(int descriptor) noexcept;
// Whether standard error takes colours: a terminal, and none of NO_COLOR, TERM=dumb, --no-color.
[[nodiscard]] bool colours_wanted(bool no_color) noexcept;

// "1.2 MB"
[[nodiscard]] std::string readable_bytes(std::uint64_t bytes);
// "42 s", "3:07 min", "1:30 h"
[[nodiscard]] std::string readable_time(double seconds);
// "9,315,053"
[[nodiscard]] std::string grouped(std::uint64_t number);

// How far a long work has come, on standard error: a bar while a person is watching, at most ten times a second, gone at the end; elsewhere
// a line each ten seconds.
class ProgressLine {
 public:
  ProgressLine(std::string label, bool quiet);
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // total_bytes 0: unknown.
  void show(std::uint64_t bytes, std::uint64_t total_bytes, std::optional<std::uint64_t> records);
  // Something else is to be printed.
  void clear();

 private:
  bool quiet_;
  bool drawn_ = false;
  std::string label_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_ = started_;
};

}  // namespace tripos::app
