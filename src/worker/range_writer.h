// Writes a range of the log as a Parquet file: the batch layer's snapshots (rules, 3).
#pragma once

#include "worker/inbox.h"
#include "worker/statement_runner.h"

namespace tripos::worker {

// Rows sorted by offset, zstd; columns of the schema beside __tripos_partition, __tripos_offset, __tripos_timestamp, __tripos_key; the
// order's footer. The file appears under its name or not at all; it is not synced.
[[nodiscard]] Result<protocol::Wrote> write_range(Engine& engine, const protocol::WriteRange& order,
                                                  std::span<const protocol::Descriptor> descriptors);

}  // namespace tripos::worker
