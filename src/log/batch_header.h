// BatchHeader: what the log must know of a record batch without reading its records.
// HeaderReader: walks the headers of a file.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "io/file_system.h"
#include "model/batch_order.h"
#include "model/record_batch.h"

namespace tripos::log {

// What a batch may decompress to when its records are looked at. The broker's limit for what it accepts is lower.
inline constexpr std::size_t decompressed_bytes_max = 256u << 20;

struct BatchHeader {
  Offset base_offset;
  Offset last_offset;
  std::uint64_t position = 0;  // in its file
  std::uint64_t size = 0;      // bytes of the whole batch
  std::int64_t max_timestamp_ms = -1;
  LeaderEpoch leader_epoch;
  std::int16_t attributes = 0;
  ProducerId producer_id = no_producer_id;
  ProducerEpoch producer_epoch = no_producer_epoch;
  Sequence base_sequence = no_sequence;
  std::int32_t record_count = 0;

  [[nodiscard]] bool is_transactional() const noexcept { return (attributes >> 4 & 1) != 0; }
  [[nodiscard]] bool is_control() const noexcept { return (attributes >> 5 & 1) != 0; }
  [[nodiscard]] Offset next_offset() const noexcept { return last_offset + 1; }
  [[nodiscard]] std::uint64_t end() const noexcept { return position + size; }
};

// From the first 61 bytes of a batch; nothing if they can't begin one. `bytes` may be longer or shorter than the batch.
[[nodiscard]] std::optional<BatchHeader> read_batch_header(Bytes bytes, std::uint64_t position) noexcept;

// The headers of [begin, end) of a file, both at batch borders. Reads ahead `chunk_bytes`, which suits small batches.
class HeaderReader {
 public:
  HeaderReader(const io::File& file, std::uint64_t begin, std::uint64_t end, std::size_t chunk_bytes = 4096)
      : file_(file), position_(begin), end_(end), chunk_bytes_(chunk_bytes) {}

  // The next header; nullptr at the end. corrupt, with file and position named: what stands there is no batch, or its
  // offsets go back.
  [[nodiscard]] Result<const BatchHeader*> next();

 private:
  const io::File& file_;
  std::uint64_t position_;
  std::uint64_t end_;
  std::size_t chunk_bytes_;
  std::uint64_t chunk_position_ = 0;
  Buffer chunk_;
  BatchHeader header_;
  BatchOrder order_{Offset(0), offset_max};
};

}  // namespace tripos::log
