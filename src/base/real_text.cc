#include "base/real_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace tripos {

namespace {

template <typename Real>
std::string text_of(Real value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  std::array<char, 40> scientific;
  char* const limit = scientific.data() + scientific.size();
  char* end = std::to_chars(scientific.data(), limit, std::abs(value), std::chars_format::scientific).ptr;
  if (scientific[1] != '.') {  // one digit: Java then takes the closest of two digits
    end = std::to_chars(scientific.data(), limit, std::abs(value), std::chars_format::scientific, 1).ptr;
  }
  const std::string_view text(scientific.data(), static_cast<std::size_t>(end - scientific.data()));
  const std::size_t e = text.find('e');
  std::string digits(1, text[0]);
  digits.append(text.substr(2, e - 2));
  if (digits.size() == 2 && digits[1] == '0') digits.pop_back();
  int exponent = 0;
  const std::size_t exponent_at = text[e + 1] == '+' ? e + 2 : e + 1;
  std::from_chars(text.data() + exponent_at, end, exponent);

  std::string result = value < 0 ? "-" : "";
  const auto fraction_or_zero = [](std::string_view fraction) { return fraction.empty() ? std::string("0") : std::string(fraction); };
  if (exponent >= -3 && exponent < 0) {
    result.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0').append(digits);
  } else if (exponent >= 0 && exponent < 7) {
    const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
    if (digits.size() < whole) digits.append(whole - digits.size(), '0');
    result.append(digits, 0, whole).append(".").append(fraction_or_zero(std::string_view(digits).substr(whole)));
  } else {
    result.append(digits, 0, 1)
        .append(".")
        .append(fraction_or_zero(std::string_view(digits).substr(1)))
        .append("E")
        .append(std::to_string(exponent));
  }
  return result;
}

}  // namespace

std::string real_text(double value) { return text_of(value); }
std::string real_text(float value) { return text_of(value); }

}  // namespace tripos
