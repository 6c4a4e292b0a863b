#include "model/record_batch.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/varint.h"

namespace tripos {
namespace {

namespace layout = batch_layout;

constexpr std::int8_t magic_v2 = 2;
constexpr std::int16_t known_attribute_bits = 0x7f;
// A record: its length, attributes, timestamp delta, offset delta, key length, value length, header count: a byte each.
constexpr std::size_t record_bytes_min = 7;

tl::unexpected<Error> malformed_record(Offset base_offset, std::size_t position, std::string_view what) {
  return fail(ErrorCode::malformed, "batch at offset {}: the record at byte {} of the records {}", base_offset, position, what);
}

// False: cut short, or a length that is none.
bool read_nullable(Bytes from, std::size_t& position, std::optional<Bytes>& bytes) noexcept {
  std::int32_t size = 0;
  if (!read_varint(from, position, size) || size < -1) return false;
  if (size == -1) {
    bytes.reset();
    return true;
  }
  if (static_cast<std::size_t>(size) > from.size() - position) return false;
  bytes = from.substr(position, static_cast<std::size_t>(size));
  position += static_cast<std::size_t>(size);
  return true;
}

// False: cut short, or without a key.
bool read_header(Bytes from, std::size_t& position, RecordHeader& header) noexcept {
  std::optional<Bytes> key;
  if (!read_nullable(from, position, key) || !key) return false;
  header.key = *key;
  return read_nullable(from, position, header.value);
}

}  // namespace

std::optional<std::size_t> RecordBatchView::size_from_prefix(Bytes prefix) noexcept {
  CHECK(prefix.size() >= layout::log_overhead);
  const auto length = load_be<std::int32_t>(prefix.data() + layout::length);
  if (length < static_cast<std::int32_t>(layout::header_size - layout::log_overhead)) return std::nullopt;
  return layout::log_overhead + static_cast<std::size_t>(length);
}

Result<RecordBatchView> RecordBatchView::parse(Bytes bytes) {
  if (bytes.size() < layout::log_overhead) {
    return fail(ErrorCode::out_of_range, "a record batch needs {} bytes to tell its size, {} are there", layout::log_overhead,
                bytes.size());
  }
  const auto size = size_from_prefix(bytes);
  if (!size) {
    return fail(ErrorCode::malformed, "record batch length {} is too small", load_be<std::int32_t>(bytes.data() + layout::length));
  }
  if (bytes.size() > layout::magic && bytes[layout::magic] != magic_v2) {
    return fail(ErrorCode::malformed, "record batch magic is {}, not 2", static_cast<int>(bytes[layout::magic]));
  }
  if (*size > bytes.size()) return fail(ErrorCode::out_of_range, "a record batch of {} bytes is cut short after {}", *size, bytes.size());

  const RecordBatchView batch(bytes.substr(0, *size));
  if (batch.base_offset().value() < 0) return fail(ErrorCode::malformed, "record batch base offset {} is negative", batch.base_offset());
  if (batch.last_offset_delta() < 0)
    return fail(ErrorCode::malformed, "record batch last offset delta {} is negative", batch.last_offset_delta());
  if (batch.base_offset().value() > std::numeric_limits<std::int64_t>::max() - batch.last_offset_delta() - 1) {
    return fail(ErrorCode::malformed, "record batch offsets end beyond 2^63-1");
  }
  if ((batch.attributes() & ~known_attribute_bits) != 0 || (batch.attributes() & 7) > static_cast<int>(Compression::zstd)) {
    return fail(ErrorCode::malformed, "record batch attributes {:#06x} are not known", static_cast<std::uint16_t>(batch.attributes()));
  }
  // Compaction removes records but never moves offsets: fewer records than offsets is legal in a log.
  if (batch.record_count() < 0 || batch.record_count() > std::int64_t{batch.last_offset_delta()} + 1) {
    return fail(ErrorCode::malformed, "record batch of {} offsets says that it has {} records", std::int64_t{batch.last_offset_delta()} + 1,
                batch.record_count());
  }
  return batch;
}

bool RecordBatchView::crc_matches() const noexcept { return crc32c(bytes_.substr(layout::attributes)) == crc(); }

void set_base_offset(char* batch, Offset offset) noexcept { store_be(batch + layout::base_offset, offset.value()); }

void set_leader_epoch(char* batch, LeaderEpoch epoch) noexcept { store_be(batch + layout::leader_epoch, epoch.value()); }

void set_log_append_time(char* batch, std::size_t size, WallTime now) noexcept {
  const auto attributes = load_be<std::int16_t>(batch + layout::attributes);
  store_be(batch + layout::attributes, static_cast<std::int16_t>(attributes | 1 << 3));
  store_be(batch + layout::max_timestamp, now.time_since_epoch().count());
  store_be(batch + layout::crc, crc32c(Bytes(batch + layout::attributes, size - layout::attributes)));
}

Result<std::vector<RecordHeader>> Record::parse_headers() const {
  std::vector<RecordHeader> parsed;
  parsed.reserve(std::min(static_cast<std::size_t>(header_count), headers.size() / 2));
  std::size_t position = 0;
  for (std::int32_t i = 0; i < header_count; ++i) {
    if (!read_header(headers, position, parsed.emplace_back()))
      return fail(ErrorCode::malformed, "record at offset {}: header {} can't be read", offset, i);
  }
  return parsed;
}

Result<> RecordReader::start(const RecordBatchView& batch) {
  records_ = batch.records();
  if (batch.compression() != Compression::none) {
    if (auto done = decompress(batch.compression(), records_, decompressed_size_max_, decompressed_); !done) {
      return tl::unexpected(std::move(done).error().within(fmt::format("batch at offset {}", batch.base_offset())));
    }
    records_ = decompressed_;
  }
  if (static_cast<std::size_t>(batch.record_count()) > records_.size() / record_bytes_min) {
    return fail(ErrorCode::malformed, "batch at offset {}: {} records can't fit into {} bytes", batch.base_offset(), batch.record_count(),
                records_.size());
  }
  position_ = 0;
  remaining_ = batch.record_count();
  previous_delta_ = -1;
  last_offset_delta_ = batch.last_offset_delta();
  base_timestamp_ms_ = batch.base_timestamp_ms();
  append_timestamp_ms_ = batch.max_timestamp_ms();
  append_time_ = batch.timestamp_type() == TimestampType::log_append_time;
  base_offset_ = batch.base_offset();
  return {};
}

Result<const Record*> RecordReader::next() {
  const std::size_t begin = position_;
  if (remaining_ == 0) {
    if (position_ != records_.size()) return malformed_record(base_offset_, begin, "stands behind the last one");
    return nullptr;
  }
  std::int32_t size = 0;
  if (!read_varint(records_, position_, size) || size < 0 || static_cast<std::size_t>(size) > records_.size() - position_) {
    return malformed_record(base_offset_, begin, "is cut short");
  }
  const Bytes body = records_.substr(0, position_ + static_cast<std::size_t>(size));
  ++position_;  // the record's attributes: none are defined
  std::int64_t timestamp_delta = 0;
  std::int32_t offset_delta = 0;
  if (size < 1 || !read_varlong(body, position_, timestamp_delta) || !read_varint(body, position_, offset_delta) ||
      !read_nullable(body, position_, record_.key) || !read_nullable(body, position_, record_.value) ||
      !read_varint(body, position_, record_.header_count) || record_.header_count < 0) {
    return malformed_record(base_offset_, begin, "is broken");
  }
  record_.headers = body.substr(position_);
  RecordHeader header;
  for (std::int32_t i = 0; i < record_.header_count; ++i) {
    if (!read_header(body, position_, header)) return malformed_record(base_offset_, begin, "has a broken header");
  }
  if (position_ != body.size()) return malformed_record(base_offset_, begin, "is longer than its fields");
  if (offset_delta <= previous_delta_ || offset_delta > last_offset_delta_)
    return malformed_record(base_offset_, begin, "has an offset out of order");
  previous_delta_ = offset_delta;
  --remaining_;
  record_.offset = base_offset_ + offset_delta;
  record_.timestamp_ms =
      append_time_
          ? append_timestamp_ms_
          : static_cast<std::int64_t>(static_cast<std::uint64_t>(base_timestamp_ms_) + static_cast<std::uint64_t>(timestamp_delta));
  return &record_;
}

void RecordBatchBuilder::add(WallTime timestamp, std::optional<Bytes> key, std::optional<Bytes> value,
                             const std::vector<RecordHeader>& headers) {
  const std::int64_t timestamp_ms = timestamp.time_since_epoch().count();
  if (record_count_ == 0) base_timestamp_ms_ = max_timestamp_ms_ = timestamp_ms;
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);

  scratch_.clear();
  scratch_.push_back(0);  // attributes
  append_varlong(scratch_, timestamp_ms - base_timestamp_ms_);
  append_varint(scratch_, record_count_);
  append_varint(scratch_, key ? static_cast<std::int32_t>(key->size()) : -1);
  if (key) scratch_.append(*key);
  const std::size_t value_bytes = value ? value->size() : 0;
  tail_.clear();
  append_varint(tail_, static_cast<std::int32_t>(headers.size()));
  for (const RecordHeader& header : headers) {
    append_nullable(tail_, header.key);
    append_nullable(tail_, header.value);
  }
  append_varint(scratch_, value ? static_cast<std::int32_t>(value_bytes) : -1);
  // The value, which is most of a record, is copied once.
  append_varint(records_, static_cast<std::int32_t>(scratch_.size() + value_bytes + tail_.size()));
  records_.append(scratch_);
  if (value) records_.append(*value);
  records_.append(tail_);
  ++record_count_;
}

Buffer RecordBatchBuilder::finish(const RecordBatchFields& fields) {
  CHECK(record_count_ > 0);
  Buffer batch(layout::header_size, '\0');
  if (fields.compression == Compression::none) {
    batch.reserve(layout::header_size + records_.size());
    batch.append(records_);
  } else {
    compress(fields.compression, records_, scratch_, fields.compression_level);
    batch.append(scratch_);
  }
  char* const at = batch.data();
  const int attributes =
      static_cast<int>(fields.compression) | static_cast<int>(fields.transactional) << 4 | static_cast<int>(fields.control) << 5;
  store_be(at + layout::base_offset, fields.base_offset.value());
  store_be(at + layout::length, static_cast<std::int32_t>(batch.size() - layout::log_overhead));
  store_be(at + layout::leader_epoch, fields.leader_epoch.value());
  store_be(at + layout::magic, magic_v2);
  store_be(at + layout::attributes, static_cast<std::int16_t>(attributes));
  store_be(at + layout::last_offset_delta, record_count_ - 1);
  store_be(at + layout::base_timestamp, base_timestamp_ms_);
  store_be(at + layout::max_timestamp, max_timestamp_ms_);
  store_be(at + layout::producer_id, fields.producer_id.value());
  store_be(at + layout::producer_epoch, fields.producer_epoch.value());
  store_be(at + layout::base_sequence, fields.base_sequence.value());
  store_be(at + layout::record_count, record_count_);
  store_be(at + layout::crc, crc32c(Bytes(batch).substr(layout::attributes)));
  records_.clear();
  record_count_ = 0;
  return batch;
}

}  // namespace tripos
