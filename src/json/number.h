// Numbers of JSON text (RFC 8259, 6), already found well formed by scan_number (cursor.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "json/column.h"
#include "json/type.h"

namespace tripos::json {

// An integer without fraction and exponent, if 64 bits hold it.
[[nodiscard]] bool read_long(std::string_view text, std::int64_t& value) noexcept;

// Such an integer, if it has at most `precision` digits.
[[nodiscard]] bool read_decimal(std::string_view text, int precision, Int128& value) noexcept;

// The nearest double; beyond its range infinity, or 0.
[[nodiscard]] double read_double(std::string_view text) noexcept;

// bigint, or decimal by the number of digits, or double.
[[nodiscard]] Type type_of_number(std::string_view text, bool integer);

// Digits of an integer, the sign not counted.
[[nodiscard]] inline std::size_t digit_count(std::string_view integer_text) noexcept {
  return integer_text.size() - (integer_text.front() == '-' ? 1 : 0);
}

}  // namespace tripos::json
