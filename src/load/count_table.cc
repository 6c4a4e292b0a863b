#include "load/count_table.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace tripos::load {

std::uint32_t added(std::uint32_t a, std::uint64_t b) noexcept {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(a + b, std::numeric_limits<std::uint32_t>::max()));
}

// Where the hash stands, or the free slot where it belongs. The hash is uniform: its low bits are as good as any.
std::size_t CountTable::slot_of(const ContentHash& hash) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = static_cast<std::size_t>(hash.low) & mask;
  while (slots_[slot].count != 0 && slots_[slot].hash != hash) slot = (slot + 1) & mask;
  return slot;
}

void CountTable::grow() {
  std::vector<Count> old(std::max(slot_count_min, slots_.size() * 2));
  old.swap(slots_);
  for (const Count& entry : old) {
    if (entry.count != 0) slots_[slot_of(entry.hash)] = entry;
  }
}

void CountTable::add(const ContentHash& hash, std::uint32_t count) {
  if (count == 0) return;
  if ((size_ + 1) * 4 > slots_.size() * 3) grow();
  Count& entry = slots_[slot_of(hash)];
  if (entry.count == 0) {
    entry.hash = hash;
    ++size_;
  }
  entry.count = added(entry.count, count);
}

std::uint32_t CountTable::count(const ContentHash& hash) const noexcept { return slots_.empty() ? 0 : slots_[slot_of(hash)].count; }

void CountTable::clear() {
  slots_ = {};
  size_ = 0;
}

std::vector<Count> CountTable::take_sorted() {
  // In place: no second table while memory is short.
  std::erase_if(slots_, [](const Count& entry) { return entry.count == 0; });
  std::sort(slots_.begin(), slots_.end(), [](const Count& a, const Count& b) { return a.hash < b.hash; });
  size_ = 0;
  return std::exchange(slots_, {});
}

}  // namespace tripos::load
