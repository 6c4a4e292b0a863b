#include "exam/random.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace tripos::exam {

Random::Random(std::uint64_t seed) noexcept {
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    word = mixed ^ (mixed >> 31);
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
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += unit();
  return sum;
}

void Random::append_hex(Buffer& to, std::size_t count) {
  static constexpr char digits[] = "0123456789abcdef";
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 16 == 0) bits = next();
    to.push_back(digits[bits & 15]);
    bits >>= 4;
  }
}

void Random::append_uuid(Buffer& to) {
  append_hex(to, 8);
  to.push_back('-');
  append_hex(to, 4);
  to.append("-4");
  append_hex(to, 3);
  to.push_back('-');
  to.push_back("89ab"[below(4)]);
  append_hex(to, 3);
  to.push_back('-');
  append_hex(to, 12);
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

}  // namespace tripos::exam
