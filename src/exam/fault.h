// Faults that the generator plants, each at a rate of its own, so that what finds faults (exam/quality.h) can be judged: one table
// (`faults()`) is the only list of them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"

namespace tripos::exam {

enum class Fault : std::uint8_t {
  none,
  wrong_marks,
  key_missing,
  unreadable_time,
  ends_before_start,
  too_long,
  touched_early,
  touched_late,
  in_the_future,
  renamed_exam,
  over_max_attempts,
  busy_person,
  altered_copy,
  not_json,
};
inline constexpr std::size_t fault_count = 14;

struct FaultInfo {
  Fault fault;
  std::string_view name;
  std::string_view meaning;
  std::string_view quality_line;  // which line of a quality report counts it
};

[[nodiscard]] std::span<const FaultInfo> faults() noexcept;
[[nodiscard]] std::string_view to_string(Fault fault) noexcept;

// The share of the attempts that have it.
using FaultRates = std::array<double, fault_count>;

// Sets what "wrong_marks=0.01" says. invalid_argument: it names no fault, or no rate.
[[nodiscard]] Result<> set_fault_rate(FaultRates& rates, std::string_view text);

}  // namespace tripos::exam
