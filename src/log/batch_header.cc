#include "log/batch_header.h"

#include <algorithm>
#include <utility>

namespace tripos::log {

std::optional<BatchHeader> read_batch_header(Bytes bytes, std::uint64_t position) noexcept {
  namespace layout = batch_layout;
  if (bytes.size() < layout::header_size) return std::nullopt;
  const char* const at = bytes.data();
  const auto length = load_be<std::int32_t>(at + layout::length);
  const auto base_offset = load_be<std::int64_t>(at + layout::base_offset);
  const auto delta = load_be<std::int32_t>(at + layout::last_offset_delta);
  constexpr auto length_min = static_cast<std::int32_t>(layout::header_size - layout::log_overhead);
  if (length < length_min || at[layout::magic] != 2 || base_offset < 0 || delta < 0 || base_offset > INT64_MAX - delta - 1)
    return std::nullopt;
  BatchHeader header;
  header.base_offset = Offset(base_offset);
  header.last_offset = Offset(base_offset + delta);
  header.position = position;
  header.size = static_cast<std::uint64_t>(length) + layout::log_overhead;
  header.max_timestamp_ms = load_be<std::int64_t>(at + layout::max_timestamp);
  header.leader_epoch = LeaderEpoch(load_be<std::int32_t>(at + layout::leader_epoch));
  header.attributes = load_be<std::int16_t>(at + layout::attributes);
  header.producer_id = ProducerId(load_be<std::int64_t>(at + layout::producer_id));
  header.producer_epoch = ProducerEpoch(load_be<std::int16_t>(at + layout::producer_epoch));
  header.base_sequence = Sequence(load_be<std::int32_t>(at + layout::base_sequence));
  header.record_count = load_be<std::int32_t>(at + layout::record_count);
  return header;
}

Result<const BatchHeader*> HeaderReader::next() {
  if (position_ >= end_) return nullptr;
  const std::uint64_t left = end_ - position_;
  if (position_ < chunk_position_ ||
      position_ + std::min<std::uint64_t>(left, batch_layout::header_size) > chunk_position_ + chunk_.size()) {
    chunk_.resize(std::min<std::uint64_t>(left, std::max(chunk_bytes_, batch_layout::header_size)));
    chunk_position_ = position_;
    TRIPOS_TRY(io::read_exactly(file_, position_, chunk_));
  }
  const auto header = read_batch_header(Bytes(chunk_).substr(position_ - chunk_position_), position_);
  if (!header || header->size > left) return fail(ErrorCode::corrupt, "{}: no record batch at byte {}", file_.path(), position_);
  if (auto ordered = order_.take(position_, header->base_offset, header->next_offset()); !ordered) {
    return tl::unexpected(std::move(ordered).error().within(file_.path()));
  }
  header_ = *header;
  position_ = header_.end();
  return &header_;
}

}  // namespace tripos::log
