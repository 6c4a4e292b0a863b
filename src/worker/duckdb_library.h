// DuckDB's library, opened when a worker needs it: the program is not linked to it, so that the server never carries it
// (cmake/duckdb.cmake). Before load_duckdb() has succeeded no function of duckdb.h may be called.
#pragma once

#include <string>

#include "base/error.h"

namespace tripos::worker {

// `path`: the library; empty: lib/libduckdb.so beside the running program. Once per process; later calls do nothing.
[[nodiscard]] Result<> load_duckdb(const std::string& path = {});

}  // namespace tripos::worker
