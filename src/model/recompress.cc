#include "model/recompress.h"

#include <limits>

#include "base/crc32c.h"

namespace tripos {

namespace layout = batch_layout;

Result<> recompress(const RecordBatchView& batch, Compression codec, int level, std::size_t decompressed_size_max, Buffer& to) {
  constexpr int codec_bits = 7;
  Buffer records;
  TRIPOS_TRY(decompress(batch.compression(), batch.records(), decompressed_size_max, records));
  Buffer compressed;
  if (codec != Compression::none) compress(codec, records, compressed, level);
  const Bytes stored = codec == Compression::none ? records : compressed;
  const std::size_t size = layout::header_size + stored.size();
  if (size - layout::log_overhead > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    return fail(ErrorCode::too_large, "the batch takes {} bytes as {}", size, to_string(codec));
  to.assign(batch.bytes().substr(0, layout::header_size));
  to.append(stored);
  const int attributes = (batch.attributes() & ~codec_bits) | static_cast<int>(codec);
  store_be(to.data() + layout::length, static_cast<std::int32_t>(size - layout::log_overhead));
  store_be(to.data() + layout::attributes, static_cast<std::int16_t>(attributes));
  store_be(to.data() + layout::crc, crc32c(Bytes(to).substr(layout::attributes)));
  return {};
}

}  // namespace tripos
