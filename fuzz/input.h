// Input: the bytes of a fuzzer's input, taken from the front as the small values that a test is made of. When they are used up,
// everything is 0 and empty: every input is a test.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/bytes.h"

namespace tripos::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : left_(reinterpret_cast<const char*>(data), size) {}

  template <typename T>
  T take() {
    static_assert(std::is_integral_v<T>);
    T value = 0;
    const Bytes bytes = take_bytes(sizeof(T));
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
  // In [0, count).
  std::size_t below(std::size_t count) { return count == 0 ? 0 : take<std::uint16_t>() % count; }
  bool flag() { return take<std::uint8_t>() % 2 != 0; }
  // Up to 255 bytes.
  Bytes take_short() { return take_bytes(take<std::uint8_t>()); }
  Bytes take_bytes(std::size_t count) {
    const Bytes taken = left_.substr(0, count);
    left_.remove_prefix(taken.size());
    return taken;
  }
  Bytes rest() { return take_bytes(left_.size()); }
  [[nodiscard]] bool empty() const { return left_.empty(); }

 private:
  Bytes left_;
};

}  // namespace tripos::fuzz
