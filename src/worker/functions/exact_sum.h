// ExactSum: a sum of doubles that does not depend on the order of adding, so that an answer is the same whatever threads, files and
// snapshots its rows came through. The sum is an unevaluated pair high + low of 106 bits (T. J. Dekker, Numerische Mathematik 18, 1971;
// error-free addition by D. E. Knuth, TAOCP vol. 2, 4.2.2): exact as long as the terms' bits span no more than that, otherwise within
// 2^-104 of the sum of the terms' magnitudes before it is rounded to a double once, at the end.
//
// Infinities and NaN, also those of an overflow, are kept apart: they decide the value alone, as IEEE 754 adds them.
#pragma once

#include <cmath>

namespace tripos::worker {

class ExactSum {
 public:
  constexpr ExactSum() = default;
  constexpr explicit ExactSum(double value) : high_(value) {}

  void add(double term) {
    const double sum = high_ + term;
    if (!std::isfinite(sum)) {
      special_ += sum;
      return;
    }
    const double part = sum - high_;
    const double error = (high_ - (sum - part)) + (term - part) + low_;
    high_ = sum + error;
    low_ = error - (high_ - sum);
  }
  // The exact product of two doubles.
  void add_product(double left, double right) {
    const double product = left * right;
    add(product);
    if (std::isfinite(product)) {
      add(std::fma(left, right, -product));
    }
  }
  void add(const ExactSum& other) {
    special_ += other.special_;
    add(other.high_);
    add(other.low_);
  }

  [[nodiscard]] double value() const { return special_ == 0 ? high_ : special_; }

  friend ExactSum operator-(ExactSum left, const ExactSum& right) {
    left.special_ -= right.special_;
    left.add(-right.high_);
    left.add(-right.low_);
    return left;
  }
  friend ExactSum operator*(const ExactSum& left, const ExactSum& right) {
    ExactSum product;
    product.special_ = left.special_ + right.special_;
    product.add_product(left.high_, right.high_);
    product.add_product(left.high_, right.low_);
    product.add_product(left.low_, right.high_);
    return product;
  }
  friend ExactSum operator/(const ExactSum& dividend, double divisor) {
    const double quotient = dividend.high_ / divisor;
    ExactSum result(quotient);
    result.special_ = dividend.special_;
    result.add((std::fma(-quotient, divisor, dividend.high_) + dividend.low_) / divisor);
    return result;
  }

 private:
  double high_ = 0;
  double low_ = 0;      // |low| <= half a unit in the last place of high
  double special_ = 0;  // infinities and NaN that were added; 0: none
};

}  // namespace tripos::worker
