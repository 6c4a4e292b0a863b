// What the terminal is like, and a progress bar for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tripos::app {

[[nodiscard]] bool is_terminal(int descriptor) noexcept;
// Whether standard error takes colours: a terminal, and none of NO_COLOR, TERM=dumb, --no-color.
[[nodiscard]] bool colours_wanted(bool no_color) noexcept;

// "1.2 MB"
[[nodiscard]] std::string readable_bytes(std::uint64_t bytes);
// "9,315,053"
[[nodiscard]] std::string grouped(std::uint64_t number);

// A bar on standard error, drawn while a person is watching, at most ten times a second, and gone at the end.
class ProgressBar {
 public:
  // total 0: unknown.
  ProgressBar(std::string label, std::uint64_t total_bytes);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  void show(std::uint64_t bytes, std::uint64_t records);

 private:
  bool visible_;
  bool drawn_ = false;
  std::string label_;
  std::uint64_t total_bytes_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_ = started_;
};

}  // namespace tripos::app
