#include "json/arena.h"

#include <algorithm>

namespace tripos::json {

void Arena::grow(std::size_t size) {
  const std::size_t block = std::max(size, block_size);
  blocks_.push_back({std::make_unique_for_overwrite<char[]>(block), block});
  next_ = blocks_.back().bytes.get();
  room_ = block;
}

void Arena::reset() noexcept {
  if (blocks_.empty()) return;
  // One ordinary block is kept; what a large chunk needed goes back.
  if (blocks_.size() > 1) blocks_.erase(blocks_.begin() + 1, blocks_.end());
  if (blocks_.front().size > block_size) {
    blocks_.clear();
    next_ = nullptr;
    room_ = 0;
    return;
  }
  next_ = blocks_.front().bytes.get();
  room_ = blocks_.front().size;
}

}  // namespace tripos::json
