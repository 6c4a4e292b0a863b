// RecordBatchView, RecordReader, RecordBatchBuilder: Kafka's record batch, magic 2 (docs/format/record_batch.md), big-endian.
//
//   position  size  field
//          0     8  base offset
//          8     4  batch length: bytes after this field
//         12     4  partition leader epoch
//         16     1  magic (2)
//         17     4  CRC-32C of everything from 21
//         21     2  attributes: bits 0-2 codec, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon
//         23     4  last offset delta
//         27     8  base timestamp, ms (the delete horizon where bit 6 is set)
//         35     8  largest timestamp, ms
//         43     8  producer id          51     2  producer epoch      53     4  base sequence
//         57     4  record count         61        records, compressed as a whole
//
// What the broker writes (base offset, leader epoch) lies outside of the CRC, so that a batch goes to disk and to consumers with
// the producer's own checksum.
// Ownership: views; the bytes outlive them. Threads: none.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "model/compression.h"
#include "model/ids.h"

namespace tripos {

enum class TimestampType : std::uint8_t { create_time = 0, log_append_time = 1 };

namespace batch_layout {
inline constexpr std::size_t base_offset = 0;
inline constexpr std::size_t length = 8;
inline constexpr std::size_t leader_epoch = 12;
inline constexpr std::size_t magic = 16;
inline constexpr std::size_t crc = 17;
inline constexpr std::size_t attributes = 21;
inline constexpr std::size_t last_offset_delta = 23;
inline constexpr std::size_t base_timestamp = 27;
inline constexpr std::size_t max_timestamp = 35;
inline constexpr std::size_t producer_id = 43;
inline constexpr std::size_t producer_epoch = 51;
inline constexpr std::size_t base_sequence = 53;
inline constexpr std::size_t record_count = 57;
inline constexpr std::size_t header_size = 61;
inline constexpr std::size_t log_overhead = 12;  // base offset and length: what precedes the counted bytes
}  // namespace batch_layout

class RecordBatchView {
 public:
  // The batch at the start of `bytes`, which may go on behind it.
  // Checks sizes, magic and the fields' ranges against each other, not the CRC and not the records.
  // malformed: it can't be a batch. out_of_range: the bytes end before it does.
  [[nodiscard]] static Result<RecordBatchView> parse(Bytes bytes);

  // The size of the batch whose first `log_overhead` bytes are given; nothing if no batch has that length field.
  [[nodiscard]] static std::optional<std::size_t> size_from_prefix(Bytes prefix) noexcept;

  [[nodiscard]] Bytes bytes() const noexcept { return bytes_; }
  [[nodiscard]] Offset base_offset() const noexcept { return Offset(load<std::int64_t>(batch_layout::base_offset)); }
  [[nodiscard]] std::int32_t last_offset_delta() const noexcept { return load<std::int32_t>(batch_layout::last_offset_delta); }
  [[nodiscard]] Offset last_offset() const noexcept { return base_offset() + last_offset_delta(); }
  [[nodiscard]] Offset next_offset() const noexcept { return last_offset() + 1; }
  [[nodiscard]] LeaderEpoch leader_epoch() const noexcept { return LeaderEpoch(load<std::int32_t>(batch_layout::leader_epoch)); }
  [[nodiscard]] std::uint32_t crc() const noexcept { return load<std::uint32_t>(batch_layout::crc); }
  [[nodiscard]] std::int16_t attributes() const noexcept { return load<std::int16_t>(batch_layout::attributes); }
  [[nodiscard]] Compression compression() const noexcept { return static_cast<Compression>(attributes() & 7); }
  [[nodiscard]] TimestampType timestamp_type() const noexcept { return static_cast<TimestampType>(attributes() >> 3 & 1); }
  [[nodiscard]] bool is_transactional() const noexcept { return (attributes() >> 4 & 1) != 0; }
  [[nodiscard]] bool is_control() const noexcept { return (attributes() >> 5 & 1) != 0; }
  [[nodiscard]] std::int64_t base_timestamp_ms() const noexcept { return load<std::int64_t>(batch_layout::base_timestamp); }
  [[nodiscard]] std::int64_t max_timestamp_ms() const noexcept { return load<std::int64_t>(batch_layout::max_timestamp); }
  [[nodiscard]] ProducerId producer_id() const noexcept { return ProducerId(load<std::int64_t>(batch_layout::producer_id)); }
  [[nodiscard]] ProducerEpoch producer_epoch() const noexcept { return ProducerEpoch(load<std::int16_t>(batch_layout::producer_epoch)); }
  [[nodiscard]] Sequence base_sequence() const noexcept { return Sequence(load<std::int32_t>(batch_layout::base_sequence)); }
  [[nodiscard]] std::int32_t record_count() const noexcept { return load<std::int32_t>(batch_layout::record_count); }
  [[nodiscard]] Bytes records() const noexcept { return bytes_.substr(batch_layout::header_size); }

  [[nodiscard]] bool crc_matches() const noexcept;

 private:
  explicit RecordBatchView(Bytes bytes) noexcept : bytes_(bytes) {}
  template <typename T>
  [[nodiscard]] T load(std::size_t at) const noexcept {
    return load_be<T>(bytes_.data() + at);
  }
  Bytes bytes_;
};

// What the broker writes into a batch that it appends; the CRC stays right, since these fields lie outside of it.
void set_base_offset(char* batch, Offset offset) noexcept;
void set_leader_epoch(char* batch, LeaderEpoch epoch) noexcept;
// message.timestamp.type=LogAppendTime: inside of the CRC, which is computed anew.
void set_log_append_time(char* batch, std::size_t size, WallTime now) noexcept;

struct RecordHeader {
  Bytes key;
  std::optional<Bytes> value;
};

struct Record {
  Offset offset;
  std::int64_t timestamp_ms = -1;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  std::int32_t header_count = 0;
  Bytes headers;  // as stored; parse_headers() reads them

  [[nodiscard]] Result<std::vector<RecordHeader>> parse_headers() const;
};

// Reads a batch's records in order. Usage:
//   RecordReader reader(size_max);            // keeps its decompression buffer from batch to batch
//   TRIPOS_TRY(reader.start(batch));
//   while (true) { TRIPOS_ASSIGN(const Record* record, reader.next()); if (record == nullptr) break; … }
// A record's views last until the next start().
class RecordReader {
 public:
  // `decompressed_size_max` bounds what a batch may grow to (a bomb ends as too_large).
  explicit RecordReader(std::size_t decompressed_size_max) : decompressed_size_max_(decompressed_size_max) {}

  [[nodiscard]] Result<> start(const RecordBatchView& batch);
  // The next record; nullptr after the last. malformed if records and header disagree.
  [[nodiscard]] Result<const Record*> next();

 private:
  std::size_t decompressed_size_max_;
  Buffer decompressed_;
  Bytes records_;
  std::size_t position_ = 0;
  std::int32_t remaining_ = 0;
  std::int64_t previous_delta_ = -1;
  std::int64_t last_offset_delta_ = 0;
  std::int64_t base_timestamp_ms_ = 0;
  std::int64_t append_timestamp_ms_ = -1;
  bool append_time_ = false;
  Offset base_offset_{};
  Record record_;
};

struct RecordBatchFields {
  Offset base_offset{};
  LeaderEpoch leader_epoch{};
  Compression compression = Compression::none;
  int compression_level = 0;
  ProducerId producer_id = no_producer_id;
  ProducerEpoch producer_epoch = no_producer_epoch;
  Sequence base_sequence = no_sequence;
  bool transactional = false;
  bool control = false;
};

// Builds one batch: add() records, then finish(). Reusable afterwards.
class RecordBatchBuilder {
 public:
  void add(WallTime timestamp, std::optional<Bytes> key, std::optional<Bytes> value, const std::vector<RecordHeader>& headers = {});

  [[nodiscard]] std::int32_t record_count() const noexcept { return record_count_; }
  // What an uncompressed batch of the records added so far takes.
  [[nodiscard]] std::size_t size_bytes() const noexcept { return batch_layout::header_size + records_.size(); }

  // The whole batch, CRC included. At least one record was added.
  [[nodiscard]] Buffer finish(const RecordBatchFields& fields);

 private:
  Buffer records_;
  Buffer scratch_;
  Buffer tail_;
  std::int32_t record_count_ = 0;
  std::int64_t base_timestamp_ms_ = 0;
  std::int64_t max_timestamp_ms_ = 0;
};

}  // namespace tripos
