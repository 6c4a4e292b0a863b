#include "worker/scan/record_cursor.h"

#include <utility>

namespace tripos::worker {

// A batch may grow to this when decompressed.
constexpr std::size_t decompressed_bytes_max = std::size_t{1} << 30;

std::unique_ptr<RecordReader> RecordCursor::make_reader() { return std::make_unique<RecordReader>(decompressed_bytes_max); }

void RecordCursor::start(const LogPiece& piece) {
  piece_ = piece;
  scanner_.emplace(piece.bytes, log::CheckCrc::yes, piece.file_position);
  in_batch_ = false;
}

void RecordCursor::begin_chunk() {
  if (in_use_ > 1) {
    std::swap(readers_[0], readers_[in_use_ - 1]);
    in_use_ = 1;
  }
}

Result<const Record*> RecordCursor::next() {
  while (true) {
    if (!in_batch_) {
      Result<std::optional<RecordBatchView>> scanned = scanner_->next();
      if (!scanned) return tl::unexpected(std::move(scanned).error().within(*piece_.file_name));
      const std::optional<RecordBatchView>& batch = *scanned;
      if (!batch) {
        return nullptr;
      }
      if (batch->is_control() || batch->next_offset() <= piece_.begin || batch->base_offset() >= piece_.end) {
        continue;
      }
      // The texts of the batch before live in its reader if it was compressed.
      if (compressed_) {
        if (in_use_ == readers_.size()) {
          readers_.push_back(make_reader());
        }
        ++in_use_;
      }
      compressed_ = batch->compression() != Compression::none;
      timestamp_type_ = batch->timestamp_type();
      if (Result<> started = readers_[in_use_ - 1]->start(*batch); !started) {
        return tl::unexpected(
            std::move(started).error().within(fmt::format("{}: batch at offset {}", *piece_.file_name, batch->base_offset())));
      }
      in_batch_ = true;
    }
    auto read = readers_[in_use_ - 1]->next();
    if (!read) return tl::unexpected(std::move(read).error().within(*piece_.file_name));
    const Record* const record = *read;
    if (record == nullptr) {
      in_batch_ = false;
    } else if (record->offset >= piece_.begin && record->offset < piece_.end) {
      return record;
    }
  }
}

}  // namespace tripos::worker
