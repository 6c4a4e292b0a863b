// RecordsPayload: the record batches of one partition in a response, as pieces that lie where they lie.
// Nothing is copied when a response is put together: log slices travel as slices until a session sends them.
// Ownership: a Bytes part is a view and outlives the encoding; owned parts and slices keep what they name alive.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "model/ports.h"

namespace tripos::wire {

using SharedBuffer = std::shared_ptr<const Buffer>;

class RecordsPayload {
 public:
  using Part = std::variant<Bytes, SharedBuffer, LogSlice>;

  RecordsPayload() = default;  // no records, but present
  [[nodiscard]] static RecordsPayload null();

  void add(Bytes view);
  void add(Buffer&& owned);
  void add(LogSlice slice);

  [[nodiscard]] bool is_null() const noexcept { return null_; }
  [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }
  [[nodiscard]] std::span<const Part> parts() const noexcept { return parts_; }

  // All bytes of a payload that was decoded: it has one part at most, a view into the frame.
  [[nodiscard]] Bytes decoded_bytes() const noexcept;

  friend bool operator==(const RecordsPayload& a, const RecordsPayload& b);

 private:
  std::vector<Part> parts_;
  std::size_t size_bytes_ = 0;
  bool null_ = false;
};

}  // namespace tripos::wire
