// BatchScanner: the record batches of a range of log bytes, as a worker maps them (a LogSlice) or a fetch returned them.
// Ownership: a view; the bytes outlive it and the batches that it gave. Threads: none.
#pragma once

#include <optional>

#include "base/error.h"
#include "model/record_batch.h"

namespace tripos::log {

enum class CheckCrc { no, yes };

class BatchScanner {
 public:
  // `bytes` begins and ends at batch borders.
  BatchScanner(Bytes bytes, CheckCrc check_crc) : bytes_(bytes), check_crc_(check_crc) {}

  // The next batch; nothing at the end. corrupt: no batch, a wrong checksum, or offsets that go back (no checksum covers a batch's
  // base offset), at position() of the range.
  [[nodiscard]] Result<std::optional<RecordBatchView>> next() {
    if (position_ == bytes_.size()) return std::optional<RecordBatchView>();
    auto batch = RecordBatchView::parse(bytes_.substr(position_));
    if (!batch) return fail(ErrorCode::corrupt, "no record batch at byte {} of {}: {}", position_, bytes_.size(), batch.error().message);
    if (check_crc_ == CheckCrc::yes && !batch->crc_matches()) {
      return fail(ErrorCode::corrupt, "the record batch at byte {} (offset {}) has a wrong checksum", position_, batch->base_offset());
    }
    if (position_ > 0 && batch->base_offset() < next_offset_) {
      return fail(ErrorCode::corrupt, "the record batch at byte {} begins at offset {}, below {}, where the one before it ends", position_,
                  batch->base_offset(), next_offset_);
    }
    next_offset_ = batch->next_offset();
    position_ += batch->bytes().size();
    return std::optional<RecordBatchView>(*batch);
  }

  // Where the next batch starts.
  [[nodiscard]] std::size_t position() const noexcept { return position_; }

 private:
  Bytes bytes_;
  CheckCrc check_crc_;
  std::size_t position_ = 0;
  Offset next_offset_{};
};

}  // namespace tripos::log
