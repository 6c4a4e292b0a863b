// BatchOrder: whether the offsets of record batches, looked at one behind the other, can be right. No checksum covers a batch's base
// offset, the only field that a broker writes and a producer has not checked: damage there would move records, or hide them. Offsets rise,
// and lie where the log knows them to lie. (A batch that damage has moved within a gap is not noticed.)
#pragma once

#include "base/error.h"
#include "model/ids.h"

namespace tripos {

class BatchOrder {
 public:
  // Of batches with offsets of [from, to).
  BatchOrder(Offset from, Offset to) noexcept : next_(from), to_(to) {}

  // The next batch has the offsets [base, end), or begins with `base` and has at least one. `position`: its byte, for the error.
  [[nodiscard]] Result<> take(std::uint64_t position, Offset base, Offset end) {
    if (base < next_) {
      return fail(ErrorCode::corrupt, "the record batch at byte {} begins at offset {}, below {}, where the one before it ends", position,
                  base, next_);
    }
    if (end > to_) {
      return fail(ErrorCode::corrupt, "the record batch at byte {} has the offsets [{}, {}), though those of its place end at {}", position,
                  base, end, to_);
    }
    next_ = end;
    return {};
  }

 private:
  Offset next_;
  Offset to_;
};

}  // namespace tripos
