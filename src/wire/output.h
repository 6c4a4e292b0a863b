// Output: what is to be sent, a chain of owned bytes and log slices, in order.
// A session writes the bytes and sends the slices from their files, so that record bytes never pass through the codec.
// Invariant: the first part is always a Buffer (a frame's length is patched into its first four bytes).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "wire/records_payload.h"

namespace tripos::wire {

class Output {
 public:
  using Part = std::variant<Buffer, SharedBuffer, LogSlice>;

  Output() { parts_.emplace_back(Buffer()); }

  void append(Bytes bytes) { tail().append(bytes); }
  void append(SharedBuffer buffer);
  void append(LogSlice slice);
  template <std::integral T>
  void append_integer(T value) {
    append_be(tail(), value);
  }

  // The buffer that bytes are appended to now; valid until the next append of something else.
  [[nodiscard]] Buffer& tail();

  [[nodiscard]] std::uint64_t size_bytes() const noexcept;
  [[nodiscard]] const std::vector<Part>& parts() const noexcept { return parts_; }
  // Hands the chain over; this is empty afterwards.
  [[nodiscard]] std::vector<Part> take_parts();

  // All bytes in one buffer; slices are read from their files. For what is small, and for tests.
  [[nodiscard]] Result<Buffer> flatten() const;

  // Writes the count of all bytes behind the first four into the first four.
  void patch_frame_size();

 private:
  std::vector<Part> parts_;
};

}  // namespace tripos::wire
