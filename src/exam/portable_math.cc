#include "exam/portable_math.h"

#include <array>
#include <bit>
#include <cstdint>

namespace tripos::exam {
namespace {

// ln 2 in two parts; the high one has so few bits that its product with an exponent is exact.
constexpr double ln2_high = 0x1.62e42fee00000p-1;
constexpr double ln2_low = 0x1.a39ef35793c76p-33;
constexpr double inverse_ln2 = 1.4426950408889634;
constexpr double root2 = 1.4142135623730951;
constexpr double exp_max = 700;
constexpr std::uint64_t exponent_bias = 1023;
constexpr std::uint64_t mantissa_mask = (1ULL << 52) - 1;

double power_of_two(std::int64_t exponent) noexcept {
  return std::bit_cast<double>((static_cast<std::uint64_t>(exponent) + exponent_bias) << 52);
}

// 1 / n! for n = 0 … 13: enough for |x| < ln 2 / 2.
constexpr auto inverse_factorials = [] {
  std::array<double, 14> values{};
  double factorial = 1;
  for (std::size_t n = 0; n < values.size(); ++n) {
    if (n > 0) factorial *= static_cast<double>(n);
    values[n] = 1 / factorial;
  }
  return values;
}();

}  // namespace

double portable_exp(double x) noexcept {
  x = x > exp_max ? exp_max : x < -exp_max ? -exp_max : x;
  const auto power = static_cast<std::int64_t>(x * inverse_ln2 + (x < 0 ? -0.5 : 0.5));
  const auto whole = static_cast<double>(power);
  const double rest = (x - whole * ln2_high) - whole * ln2_low;
  double sum = 0;
  for (std::size_t n = inverse_factorials.size(); n-- > 0;) sum = sum * rest + inverse_factorials[n];
  return sum * power_of_two(power);
}

// log(2^e m) = e ln 2 + 2 artanh((m - 1) / (m + 1)), with m between √½ and √2.
double portable_log(double x) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<std::int64_t>(bits >> 52) - static_cast<std::int64_t>(exponent_bias);
  double mantissa = std::bit_cast<double>((bits & mantissa_mask) | (exponent_bias << 52));
  if (mantissa > root2) {
    mantissa /= 2;
    ++exponent;
  }
  const double ratio = (mantissa - 1) / (mantissa + 1);
  const double square = ratio * ratio;
  double sum = 0;
  for (int odd = 23; odd > 0; odd -= 2) sum = sum * square + 1.0 / odd;
  const auto whole = static_cast<double>(exponent);
  return whole * ln2_high + (2 * ratio * sum + whole * ln2_low);
}

double logistic(double x) noexcept { return 1 / (1 + portable_exp(-x)); }

}  // namespace tripos::exam
