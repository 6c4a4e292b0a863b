#include "log/offset_map.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <utility>

namespace tripos::log {
namespace {

constexpr std::size_t slots_min = 1024;
constexpr std::uint64_t keys_min = 64;

XXH128_hash_t hash_of(Bytes key, std::uint64_t seed) noexcept { return XXH3_128bits_withSeed(key.data(), key.size(), seed); }

}  // namespace

OffsetMap::OffsetMap(std::uint64_t bytes_max, std::uint64_t seed)
    : seed_(seed), count_max_(std::max(keys_min, bytes_max / sizeof(Slot) * 9 / 10)), slots_(slots_min) {}

std::size_t OffsetMap::place(std::uint64_t high, std::uint64_t low) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = static_cast<std::size_t>(low) & mask;
  while (slots_[at].offset >= 0 && (slots_[at].high != high || slots_[at].low != low)) at = (at + 1) & mask;
  return at;
}

void OffsetMap::put(Bytes key, Offset offset) {
  if ((count_ + 1) * 10 > slots_.size() * 9) grow();
  const XXH128_hash_t hash = hash_of(key, seed_);
  Slot& slot = slots_[place(hash.high64, hash.low64)];
  if (slot.offset < 0) ++count_;
  slot = {.high = hash.high64, .low = hash.low64, .offset = offset.value()};
}

void OffsetMap::grow() {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
  for (const Slot& slot : old) {
    if (slot.offset >= 0) slots_[place(slot.high, slot.low)] = slot;
  }
}

std::optional<Offset> OffsetMap::find(Bytes key) const noexcept {
  const XXH128_hash_t hash = hash_of(key, seed_);
  const Slot& slot = slots_[place(hash.high64, hash.low64)];
  if (slot.offset < 0) return std::nullopt;
  return Offset(slot.offset);
}

}  // namespace tripos::log
