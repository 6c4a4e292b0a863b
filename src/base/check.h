// CHECK: an invariant of ours, on in every build. A failure is a bug and ends the process with its place and text.
#pragma once

namespace tripos {

[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace tripos

#define CHECK(condition)                                      \
  do {                                                        \
    if (!(condition)) [[unlikely]] {                          \
      ::tripos::check_failed(#condition, __FILE__, __LINE__); \
    }                                                         \
  } while (false)
