// Error, Result: expected failures are values.
// An Error says what went wrong, where, and what to do; its code exists only where a caller reacts to it.
// Bugs are not Errors: they end the process through CHECK (base/check.h).
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace tripos {

enum class ErrorCode {
  invalid_argument,  // the caller's input is wrong; asking again changes nothing
  not_found,
  already_exists,
  conflict,      // somebody else was faster; read again and decide anew
  corrupt,       // stored bytes are not what was written
  malformed,     // received bytes break their format
  out_of_range,  // an offset outside of what is stored
  too_large,     // beyond a stated limit
  no_space,      // the disk is full, or too many files are open; retriable
  io,            // the operating system failed
  permission,    // the operating system or the operator forbids it
  unsupported,   // well formed, but not built
  unavailable,   // not now; try again
  timed_out,
  cancelled,
  query,  // a statement that the engine refuses
};

[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

struct Error {
  ErrorCode code;
  std::string message;

  // The same error, said from further outside: "opening log: no such file".
  [[nodiscard]] Error within(std::string_view context) && {
    message.insert(0, ": ").insert(0, context);
    return std::move(*this);
  }
};

template <typename T = void>
using Result = tl::expected<T, Error>;

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> text, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(text, std::forward<Args>(args)...)});
}

// The failure of `errno_value` in `operation` on `subject`, its code mapped (ENOSPC: no_space, ENOENT: not_found …).
[[nodiscard]] Error os_error(int errno_value, std::string_view operation, std::string_view subject);

}  // namespace tripos

// Hands an error on to the caller, or goes on.
#define TRIPOS_TRY(expression)                                       \
  do {                                                               \
    if (auto tripos_try_result = (expression); !tripos_try_result) { \
      return tl::unexpected(std::move(tripos_try_result).error());   \
    }                                                                \
  } while (false)

#define TRIPOS_CONCAT_INNER(a, b) a##b
#define TRIPOS_CONCAT(a, b) TRIPOS_CONCAT_INNER(a, b)

// TRIPOS_ASSIGN(auto value, expression): the value, or hands the error on.
#define TRIPOS_ASSIGN(declaration, expression)                                         \
  auto TRIPOS_CONCAT(tripos_assign_, __LINE__) = (expression);                         \
  if (!TRIPOS_CONCAT(tripos_assign_, __LINE__)) {                                      \
    return tl::unexpected(std::move(TRIPOS_CONCAT(tripos_assign_, __LINE__)).error()); \
  }                                                                                    \
  declaration = std::move(*TRIPOS_CONCAT(tripos_assign_, __LINE__))
