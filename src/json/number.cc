#include "json/number.h"

#include <charconv>
#include <limits>

#include "base/check.h"
#include "json/cursor.h"

namespace tripos::json {

bool read_long(std::string_view text, std::int64_t& value) noexcept {
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
}

bool read_decimal(std::string_view text, int precision, Int128& value) noexcept {
  if (digit_count(text) > static_cast<std::size_t>(precision)) return false;
  const bool negative = text.front() == '-';
  Int128 digits = 0;  // 38 digits need 127 bits
  for (const char c : text.substr(negative ? 1 : 0)) digits = digits * 10 + (c - '0');
  value = negative ? -digits : digits;
  return true;
}

namespace {

// Of a number too large or too small for a double: is it too large? Compares the decimal exponent of its first digit that isn't 0.
bool is_huge(std::string_view text) noexcept {
  std::int64_t magnitude = 0;  // 10^magnitude: the weight of the digit before the point
  std::int64_t first = std::numeric_limits<std::int64_t>::min();
  std::size_t i = text.front() == '-' ? 1 : 0;
  const std::size_t begin = i;
  std::size_t integer_digits = 0;
  while (i + integer_digits < text.size() && is_digit(text[i + integer_digits])) ++integer_digits;
  magnitude = static_cast<std::int64_t>(integer_digits) - 1;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') continue;
    if (text[i] != '0' && first == std::numeric_limits<std::int64_t>::min()) first = magnitude;
    --magnitude;
  }
  CHECK(i > begin);
  std::int64_t exponent = 0;
  if (i < text.size()) {
    ++i;
    const bool negative = text[i] == '-';
    if (text[i] == '-' || text[i] == '+') ++i;
    for (; i < text.size() && exponent < (std::int64_t{1} << 40); ++i) exponent = exponent * 10 + (text[i] - '0');
    if (negative) exponent = -exponent;
  }
  return first != std::numeric_limits<std::int64_t>::min() && first + exponent > 0;
}

}  // namespace

double read_double(std::string_view text) noexcept {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec == std::errc()) return value;
  value = is_huge(text) ? std::numeric_limits<double>::infinity() : 0.0;
  return text.front() == '-' ? -value : value;
}

Type type_of_number(std::string_view text, bool integer) {
  if (!integer) return Type::double_float();
  std::int64_t value;
  if (read_long(text, value)) return Type::long_integer();
  const std::size_t digits = digit_count(text);
  if (digits > static_cast<std::size_t>(decimal_precision_max)) return Type::double_float();
  return Type::decimal(static_cast<int>(digits));
}

}  // namespace tripos::json
