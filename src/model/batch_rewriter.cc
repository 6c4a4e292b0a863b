#include "model/batch_rewriter.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/varint.h"

namespace tripos {
namespace {

namespace layout = batch_layout;

constexpr int horizon_bit = 1 << 6;

// Wraps as the reader's sum does.
std::int64_t difference(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

}  // namespace

std::optional<std::int64_t> delete_horizon_ms(const RecordBatchView& batch) noexcept {
  if ((batch.attributes() & horizon_bit) == 0) return std::nullopt;
  return batch.base_timestamp_ms();
}

Result<Bytes> BatchRewriter::rewrite(const RecordBatchView& batch, const std::vector<bool>& kept,
                                     std::optional<std::int64_t> new_horizon_ms) {
  const std::int64_t base_timestamp_ms = new_horizon_ms.value_or(batch.base_timestamp_ms());
  const bool append_time = batch.timestamp_type() == TimestampType::log_append_time;
  std::int64_t max_timestamp_ms = append_time ? batch.max_timestamp_ms() : std::numeric_limits<std::int64_t>::min();
  std::int32_t count = 0;
  records_.clear();
  TRIPOS_TRY(reader_.start(batch));
  for (std::size_t i = 0;; ++i) {
    TRIPOS_ASSIGN(const Record* const record, reader_.next());
    if (record == nullptr) {
      CHECK(i == kept.size() && count > 0);
      break;
    }
    if (!kept[i]) continue;
    ++count;
    max_timestamp_ms = std::max(max_timestamp_ms, record->timestamp_ms);
    scratch_.assign(1, '\0');  // attributes
    append_varlong(scratch_, difference(record->timestamp_ms, base_timestamp_ms));
    append_varint(scratch_, static_cast<std::int32_t>(record->offset - batch.base_offset()));
    append_nullable(scratch_, record->key);
    append_nullable(scratch_, record->value);
    append_varint(scratch_, record->header_count);
    scratch_.append(record->headers);
    append_varint(records_, static_cast<std::int32_t>(scratch_.size()));
    records_.append(scratch_);
  }
  Bytes stored = records_;
  if (batch.compression() != Compression::none) {
    compress(batch.compression(), records_, compressed_);
    stored = compressed_;
  }
  const std::size_t size = layout::header_size + stored.size();
  if (size - layout::log_overhead > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    return fail(ErrorCode::too_large, "the batch at offset {} takes {} bytes once it is written anew", batch.base_offset(), size);
  }
  batch_.assign(batch.bytes().substr(0, layout::header_size));
  batch_.append(stored);
  char* const at = batch_.data();
  const int attributes = batch.attributes() | (new_horizon_ms ? horizon_bit : 0);
  store_be(at + layout::length, static_cast<std::int32_t>(size - layout::log_overhead));
  store_be(at + layout::attributes, static_cast<std::int16_t>(attributes));
  store_be(at + layout::base_timestamp, base_timestamp_ms);
  store_be(at + layout::max_timestamp, max_timestamp_ms);
  store_be(at + layout::record_count, count);
  store_be(at + layout::crc, crc32c(Bytes(batch_).substr(layout::attributes)));
  return Bytes(batch_);
}

}  // namespace tripos
