// What the handlers of routes share.
#pragma once

#include <functional>
#include <string>

#include "query/runner_threads.h"
#include "serve/http_server.h"

namespace tripos::serve {

// Of the request's query; "" if it is not there.
[[nodiscard]] inline std::string parameter(const HttpRequest& request, const char* name) {
  const auto found = request.parameters.find(name);
  return found == request.parameters.end() ? std::string() : found->second;
}

// Runs `work` on a runner thread, or says that there are too many.
inline void run_on(query::RunnerThreads& runners, const HttpResponder& responder, std::function<void()> work) {
  if (!runners.submit(std::move(work))) {
    send_error(*responder, {ErrorCode::unavailable, "too many requests wait already, or the server stops: try again later"});
  }
}

}  // namespace tripos::serve
