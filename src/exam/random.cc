#include "exam/random.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"
#include "exam/portable_math.h"

namespace tripos::exam {
namespace {

constexpr std::uint64_t splitmix_step = 0x9e3779b97f4a7c15U;

std::uint64_t mixed(std::uint64_t word) noexcept {
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9U;
  word = (word ^ (word >> 27)) * 0x94d049bb133111ebU;
  return word ^ (word >> 31);
}

}  // namespace

std::uint64_t stream_seed(std::uint64_t seed, std::uint64_t number) noexcept { return mixed(mixed(seed + splitmix_step) ^ number); }

Random::Random(std::uint64_t seed) noexcept {
  for (std::uint64_t& word : state_) {
    seed += splitmix_step;
    word = mixed(seed);
  }
}

std::uint64_t Random::next() noexcept {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Random::below(std::uint64_t bound) noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
}

double Random::unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double Random::normal() noexcept {
  if (spare_normal_) {
    const double spare = *spare_normal_;
    spare_normal_.reset();
    return spare;
  }
  double x = 0;
  double y = 0;
  double square = 0;
  do {
    x = 2 * unit() - 1;
    y = 2 * unit() - 1;
    square = x * x + y * y;
  } while (square >= 1 || square == 0);
  const double scale = std::sqrt(-2 * portable_log(square) / square);  // sqrt is exact to the last bit everywhere
  spare_normal_ = y * scale;
  return x * scale;
}

double Random::lognormal(double log_mean, double log_deviation) noexcept { return portable_exp(normal(log_mean, log_deviation)); }

void Random::append_hex(Buffer& to, std::size_t count) {
  static constexpr char digits[] = "0123456789abcdef";
  std::uint64_t bits = 0;
  const std::size_t begin = to.size();
  to.resize(begin + count);
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 16 == 0) bits = next();
    to[begin + i] = digits[bits & 15];
    bits >>= 4;
  }
}

void Random::append_uuid(Buffer& to) {
  const std::size_t begin = to.size();
  append_hex(to, 36);
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) to[begin + dash] = '-';
  to[begin + 14] = '4';
  to[begin + 19] = "89ab"[below(4)];
}

WeightedChoice::WeightedChoice(const std::vector<double>& weights) {
  CHECK(!weights.empty());
  double sum = 0;
  cumulative_.reserve(weights.size());
  for (const double weight : weights) {
    sum += weight;
    cumulative_.push_back(sum);
  }
}

std::size_t WeightedChoice::pick(Random& random) const noexcept {
  const double at = random.unit() * cumulative_.back();
  const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, at);
  return static_cast<std::size_t>(found - cumulative_.begin());
}

double WeightedChoice::share(std::size_t index) const noexcept {
  return (cumulative_[index] - (index == 0 ? 0 : cumulative_[index - 1])) / cumulative_.back();
}

}  // namespace tripos::exam
