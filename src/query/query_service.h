// QueryService: answers statements (design, 5). Pins the tables, hands them to a worker, and relays what the worker says.
// Threads: any but the event loop's; run() blocks until the answer is complete, its caller is a runner thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "lambda/tables.h"
#include "query/cancellation.h"
#include "query/protocol/messages.h"
#include "query/view_catalog.h"
#include "query/worker_pool.h"

namespace tripos::query {

struct Question {
  std::string text;  // one statement
  protocol::Output output = protocol::Output::json;
  std::vector<lambda::Awaited> wait_for;
  std::chrono::milliseconds time_limit = std::chrono::milliseconds(300'000);
  std::uint64_t row_count_max = 0;  // 0: no limit
};

// Takes an answer, piece by piece, on the caller's thread. It may block: the worker then waits, and nothing grows.
// An error ends the statement; run() returns it.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  [[nodiscard]] virtual Result<> columns(std::span<const protocol::Column> columns) = 0;
  // A piece of the rows' JSON text, cut anywhere: all together `[…],[…]`.
  [[nodiscard]] virtual Result<> rows(Buffer text) = 0;
  [[nodiscard]] virtual Result<> parquet(Buffer bytes) = 0;
};

struct Answer {
  std::uint64_t row_count = 0;
  lambda::Pin pin;  // what the answer reflects; without its slices, so that nothing is leased any more
};

class QueryService {
 public:
  QueryService(lambda::Tables& tables, ViewCatalog& views, WorkerPool& workers) : tables_(tables), views_(views), workers_(workers) {}

  [[nodiscard]] Result<Answer> run(const Question& question, ResultSink& sink, const Cancellation& cancellation);

  [[nodiscard]] WorkerPool& workers() noexcept { return workers_; }

 private:
  [[nodiscard]] Result<> await(const Question& question, std::chrono::steady_clock::time_point deadline, const Cancellation& cancellation);

  lambda::Tables& tables_;
  ViewCatalog& views_;
  WorkerPool& workers_;
};

// "exams:0:42,exams:1:7" (topics' names have no colon). invalid_argument says what is wrong.
[[nodiscard]] Result<std::vector<lambda::Awaited>> parse_wait_for(std::string_view text);

}  // namespace tripos::query
