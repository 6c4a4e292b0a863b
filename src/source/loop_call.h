// call_on_loop(): runs a function on the event loop and waits for what it answers. For threads that are not the loop's.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <utility>

#include "base/error.h"
#include "io/executor.h"

namespace tripos::source {

// Told once, at once or later, on the loop. Dropped without being told: whoever waits gets `cancelled`.
template <typename T>
class LoopAnswer {
 public:
  using Told = std::function<void(const Result<T>&)>;
  explicit LoopAnswer(Told told) : pending_(std::make_shared<Pending>(std::move(told))) {}
  void operator()(const Result<T>& result) const { std::exchange(pending_->told, nullptr)(result); }

 private:
  struct Pending {
    explicit Pending(Told owned) : told(std::move(owned)) {}
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    ~Pending() {
      if (told) told(fail(ErrorCode::cancelled, "the server is stopping"));
    }
    Told told;
  };
  std::shared_ptr<Pending> pending_;
};

// If the loop ends before, its tasks are destroyed, and with them the answer: the call then fails with cancelled.
template <typename T>
[[nodiscard]] Result<T> call_on_loop(io::Executor& executor, std::function<void(const LoopAnswer<T>&)> start) {
  // The promise outlives the call: it may end while the loop is still in set_value().
  const auto promise = std::make_shared<std::promise<Result<T>>>();
  std::future<Result<T>> future = promise->get_future();
  executor.post([answer = LoopAnswer<T>([promise](const Result<T>& result) { promise->set_value(result); }), start = std::move(start)] {
    start(answer);
  });
  return future.get();
}

}  // namespace tripos::source
