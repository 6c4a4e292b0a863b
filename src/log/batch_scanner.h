// BatchScanner: the record batches of a range of log bytes, as a worker maps them (a LogSlice) or a fetch returned them.
// Ownership: a view; the bytes outlive it and the batches that it gave. Threads: none.
#pragma once

#include <optional>

#include "base/error.h"
#include "model/batch_order.h"
#include "model/record_batch.h"

namespace tripos::log {

enum class CheckCrc { no, yes };

class BatchScanner {
 public:
  // `bytes` begins and ends at batch borders; in its file, which errors speak of, it begins at `file_position`.
  BatchScanner(Bytes bytes, CheckCrc check_crc, std::uint64_t file_position = 0)
      : bytes_(bytes), check_crc_(check_crc), file_position_(file_position) {}

  // The next batch; nothing at the end. corrupt: no batch, a wrong checksum, or offsets that go back (batch_order.h), at position()
  // of the range.
  [[nodiscard]] Result<std::optional<RecordBatchView>> next() {
    if (position_ == bytes_.size()) return std::optional<RecordBatchView>();
    auto batch = RecordBatchView::parse(bytes_.substr(position_));
    const std::uint64_t place = file_position_ + position_;
    if (!batch) {
      return fail(ErrorCode::corrupt, "no record batch at byte {} of {}: {}", place, file_position_ + bytes_.size(), batch.error().message);
    }
    if (check_crc_ == CheckCrc::yes && !batch->crc_matches()) {
      return fail(ErrorCode::corrupt, "the record batch at byte {} (offset {}) has a wrong checksum", place, batch->base_offset());
    }
    TRIPOS_TRY(order_.take(place, batch->base_offset(), batch->next_offset()));
    position_ += batch->bytes().size();
    return std::optional<RecordBatchView>(*batch);
  }

  // Where the next batch starts.
  [[nodiscard]] std::size_t position() const noexcept { return position_; }

 private:
  Bytes bytes_;
  CheckCrc check_crc_;
  std::uint64_t file_position_;
  std::size_t position_ = 0;
  BatchOrder order_{Offset(0), offset_max};
};

}  // namespace tripos::log
