// CountTable: how often each content was seen, in memory: open addressing, a count of 0 is a free slot.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "load/identity.h"

namespace tripos::load {

struct Count {
  ContentHash hash;
  std::uint32_t count = 0;
};

class CountTable {
 public:
  // Counts stop at 2^32 - 1.
  void add(const ContentHash& hash, std::uint32_t count);
  [[nodiscard]] std::uint32_t count(const ContentHash& hash) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  void clear();
  // All of it, sorted by hash; the table is empty afterwards, its memory given back or reused.
  [[nodiscard]] std::vector<Count> take_sorted();

 private:
  static constexpr std::size_t slot_count_min = 1024;

  [[nodiscard]] std::size_t slot_of(const ContentHash& hash) const noexcept;
  void grow();

  std::vector<Count> slots_;  // none, or a power of two of them
  std::size_t size_ = 0;
};

[[nodiscard]] std::uint32_t added(std::uint32_t a, std::uint64_t b) noexcept;

}  // namespace tripos::load
