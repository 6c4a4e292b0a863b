// recompress(): the same batch under another codec (`compression.type` of a topic).
#pragma once

#include "model/compression.h"
#include "model/record_batch.h"

namespace tripos {

// Replaces `to` by the batch with its records compressed by `codec`, at `level` (0: the codec's default), and a right checksum; all else is
// as it was. too_large: its records take more than `decompressed_size_max` bytes, or the batch more than its format can say.
[[nodiscard]] Result<> recompress(const RecordBatchView& batch, Compression codec, int level, std::size_t decompressed_size_max,
                                  Buffer& to);

}  // namespace tripos
