// Arena: bytes that live until reset(), in blocks that are kept for reuse up to a limit. Addresses are stable.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace tripos::json {

class Arena {
 public:
  // `size` bytes, uninitialised.
  [[nodiscard]] char* take(std::size_t size) {
    if (size > room_) grow(size);
    char* const taken = next_;
    next_ += size;
    room_ -= size;
    return taken;
  }
  // Gives back the last `size` bytes of the latest take().
  void give_back(std::size_t size) noexcept {
    next_ -= size;
    room_ += size;
  }
  void reset() noexcept;

 private:
  static constexpr std::size_t block_size = std::size_t{1} << 18;
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };
  void grow(std::size_t size);

  std::vector<Block> blocks_;
  char* next_ = nullptr;
  std::size_t room_ = 0;
};

}  // namespace tripos::json
