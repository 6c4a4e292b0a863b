// IntegerReader: reads big-endian integers of stored bytes that may be cut short or damaged.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tripos {

// Once the bytes have ended, all that follows is 0 and ok() is false.
class IntegerReader {
 public:
  explicit IntegerReader(Bytes bytes) : rest_(bytes) {}

  template <typename T>
  T next() {
    if (rest_.size() < sizeof(T)) {
      ok_ = false;
      return T{};
    }
    const T value = load_be<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  // `size` bytes as they are; none if there are fewer.
  Bytes bytes(std::size_t size) {
    if (rest_.size() < size) {
      ok_ = false;
      return {};
    }
    const Bytes taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  // A count of entries of at least `entry_size` bytes each.
  std::int32_t count(std::size_t entry_size) {
    const auto value = next<std::int32_t>();
    if (value < 0 || static_cast<std::size_t>(value) > rest_.size() / entry_size) ok_ = false;
    return ok_ ? value : 0;
  }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

 private:
  Bytes rest_;
  bool ok_ = true;
};

}  // namespace tripos
