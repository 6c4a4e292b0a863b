// The HTTP side of `tripos load`: /v1/load, /v1/load/block, /v1/load/end (docs/reference/http.md). The connection is the load: it holds the
// session, and with it the claim on the topic; both go when it closes.
// Each handler runs on the loop and hands what blocks to a runner thread.
#pragma once

#include <vector>

#include "load/load_service.h"
#include "query/runner_threads.h"
#include "serve/http_server.h"

namespace tripos::serve {

// Both outlive the server and the runner threads' work. `body_bytes_max`: what the server takes of a request.
[[nodiscard]] std::vector<HttpRoute> load_routes(load::LoadService& loads, query::RunnerThreads& runners, std::size_t body_bytes_max);

}  // namespace tripos::serve
