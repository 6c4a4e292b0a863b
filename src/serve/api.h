// The HTTP API: /healthz, /v1/sql, /v1/batch (docs/reference/http.md).
// Each handler runs on the loop and hands what blocks to a runner thread.
#pragma once

#include <vector>

#include "lambda/snapshotter.h"
#include "query/query_service.h"
#include "query/runner_threads.h"
#include "serve/http_server.h"

namespace tripos::serve {

struct ApiSettings {
  std::chrono::milliseconds time_limit = std::chrono::milliseconds(300'000);  // of a statement
  std::uint64_t row_count_max = 0;                                            // of an answer; 0: no limit
};

// All of them outlive the server and the runner threads' work.
struct Api {
  query::QueryService& queries;
  lambda::Snapshotter& snapshots;
  query::RunnerThreads& runners;
  ApiSettings settings;
};

[[nodiscard]] std::vector<HttpRoute> api_routes(const Api& api);

}  // namespace tripos::serve
