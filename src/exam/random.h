// Random: numbers that are the same on every machine for the same seed (the standard library's distributions are not).
// The generator is xoshiro256**, seeded by splitmix64 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018).
// Threads: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"

namespace tripos::exam {

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept;

  [[nodiscard]] std::uint64_t next() noexcept;
  // Below `bound`, which is above 0; every value is equally likely to within 2^-64 * bound.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept;
  [[nodiscard]] std::size_t index(std::size_t count) noexcept { return static_cast<std::size_t>(below(count)); }
  [[nodiscard]] double unit() noexcept;  // [0, 1)
  [[nodiscard]] bool chance(double probability) noexcept { return unit() < probability; }
  // Normal with mean 0 and deviation 1, by Marsaglia's polar method.
  [[nodiscard]] double normal() noexcept;
  [[nodiscard]] double normal(double mean, double deviation) noexcept { return mean + deviation * normal(); }
  // exp of a normal one.
  [[nodiscard]] double lognormal(double log_mean, double log_deviation) noexcept;

  void append_uuid(Buffer& to);                    // a version-4 UUID in its usual text form
  void append_hex(Buffer& to, std::size_t count);  // `count` hexadecimal digits

 private:
  std::array<std::uint64_t, 4> state_;
  std::optional<double> spare_normal_;
};

// The seed of the `number`-th of many streams that belong to `seed`.
[[nodiscard]] std::uint64_t stream_seed(std::uint64_t seed, std::uint64_t number) noexcept;

// Picks an index with the probability of its weight.
class WeightedChoice {
 public:
  explicit WeightedChoice(const std::vector<double>& weights);
  [[nodiscard]] std::size_t pick(Random& random) const noexcept;
  [[nodiscard]] double share(std::size_t index) const noexcept;

 private:
  std::vector<double> cumulative_;
};

}  // namespace tripos::exam
