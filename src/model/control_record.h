// TransactionMarker: the control batch that ends a transaction in one partition, as Kafka writes it (docs/format/record_batch.md).
// One record; big-endian:
//   key    version (2) = 0, type (2): 0 abort, 1 commit
//   value  version (2) = 0, coordinator epoch (4)
// Threads: none.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "model/ids.h"
#include "model/record_batch.h"

namespace tripos {

struct TransactionMarker {
  ProducerId producer_id;
  ProducerEpoch producer_epoch;
  bool committed = false;  // false: aborted
  std::int32_t coordinator_epoch = 0;
  friend bool operator==(const TransactionMarker&, const TransactionMarker&) = default;
};

// The whole batch, without its offset.
[[nodiscard]] Buffer build_marker_batch(const TransactionMarker& marker, WallTime timestamp);
// malformed: the batch is no control batch of a transaction. Nothing is changed by what follows the fields of a newer version.
[[nodiscard]] Result<TransactionMarker> read_marker_batch(const RecordBatchView& batch);

}  // namespace tripos
