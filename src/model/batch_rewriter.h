// BatchRewriter: a batch with fewer records, as compaction needs it. Offsets, producer, timestamps, headers and codec stay as they were,
// and so do the batch's own first and last offset. A delete horizon (KIP-534) is the time from which the batch's tombstones, or its marker,
// need no longer be kept. It stands where the base timestamp does; attribute bit 6 says so. Threads: one at a time (it keeps buffers).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "model/record_batch.h"

namespace tripos {

[[nodiscard]] std::optional<std::int64_t> delete_horizon_ms(const RecordBatchView& batch) noexcept;

class BatchRewriter {
 public:
  // `decompressed_size_max`: as RecordReader's.
  explicit BatchRewriter(std::size_t decompressed_size_max) : reader_(decompressed_size_max) {}

  // The batch with those of its records for which `kept` is true (one for each record, at least one true). `new_horizon_ms`: what its
  // delete horizon becomes; none: it stays as it is. The result lasts until the next call.
  [[nodiscard]] Result<Bytes> rewrite(const RecordBatchView& batch, const std::vector<bool>& kept,
                                      std::optional<std::int64_t> new_horizon_ms);

 private:
  RecordReader reader_;
  Buffer records_;
  Buffer scratch_;
  Buffer compressed_;
  Buffer batch_;
};

}  // namespace tripos
