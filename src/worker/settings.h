// What a worker process may do, set up once: memory, priority, DuckDB's settings (rules, 5).
#pragma once

#include "query/protocol/messages.h"
#include "worker/connection.h"
#include "worker/scan/log_scan.h"

namespace tripos::worker {

// Limits of the operating system for this process.
[[nodiscard]] Result<> limit_process(const protocol::Configure& configure);

// DuckDB, open in memory, with our functions. Its settings are locked.
[[nodiscard]] Result<Database> open_engine(const protocol::Configure& configure, Scans& scans);

}  // namespace tripos::worker
