// exp and log of their own, from additions, multiplications and divisions only, which IEEE 754 defines to the last bit: what is generated
// from a seed is the same on every machine, whatever its C library. (This folder is compiled without contraction to fused operations.)
// Within a few units in the last place of the true value.
#pragma once

namespace tripos::exam {

// Of a finite x; beyond ±700 it is that of ±700.
[[nodiscard]] double portable_exp(double x) noexcept;

// The natural logarithm of a normal x > 0.
[[nodiscard]] double portable_log(double x) noexcept;

// 1 / (1 + exp(-x))
[[nodiscard]] double logistic(double x) noexcept;

}  // namespace tripos::exam
