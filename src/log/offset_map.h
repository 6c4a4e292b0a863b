// OffsetMap: the last offset of each key of a part of a log, for compaction: 24 bytes for a key, of whatever length.
// A key is known by its XXH3-128 under a random seed: two different ones are taken for one with a probability of about n^2 / 2^129.
// Grows by doubling, up to a bound. Threads: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "model/ids.h"

namespace tripos::log {

class OffsetMap {
 public:
  // Holds as many keys as fit into `bytes_max` nine tenths full.
  OffsetMap(std::uint64_t bytes_max, std::uint64_t seed);

  // `offset` is above all that were put before.
  void put(Bytes key, Offset offset);
  // Whether a further key is beyond the bound. put() takes it all the same.
  [[nodiscard]] bool full() const noexcept { return count_ >= count_max_; }
  [[nodiscard]] std::optional<Offset> find(Bytes key) const noexcept;
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

 private:
  struct Slot {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::int64_t offset = -1;  // -1: free
  };

  // Where the hash is, or would be put.
  [[nodiscard]] std::size_t place(std::uint64_t high, std::uint64_t low) const noexcept;
  void grow();

  std::uint64_t seed_;
  std::uint64_t count_max_;
  std::uint64_t count_ = 0;
  std::vector<Slot> slots_;  // a power of two
};

}  // namespace tripos::log
