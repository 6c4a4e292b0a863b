// call_on_loop(): runs a function on the event loop and waits for what it answers. For threads that are not the loop's.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <utility>

#include "base/error.h"
#include "io/executor.h"

namespace tripos::source {

// Told once, at once or later, on the loop. Dropped without being told: the caller gets `cancelled`.
template <typename T>
class LoopAnswer {
 public:
  explicit LoopAnswer(std::promise<Result<T>> promise) : promise_(std::make_shared<Pending>(std::move(promise))) {}
  void operator()(Result<T> result) const {
    promise_->told = true;
    promise_->promise.set_value(std::move(result));
  }

 private:
  struct Pending {
    explicit Pending(std::promise<Result<T>> owned) : promise(std::move(owned)) {}
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    ~Pending() {
      if (!told) promise.set_value(fail(ErrorCode::cancelled, "the server is stopping"));
    }
    std::promise<Result<T>> promise;
    bool told = false;
  };
  std::shared_ptr<Pending> promise_;
};

// If the loop ends before, its tasks are destroyed, and with them the answer: the call then fails with cancelled.
template <typename T>
[[nodiscard]] Result<T> call_on_loop(io::Executor& executor, std::function<void(const LoopAnswer<T>&)> start) {
  std::promise<Result<T>> promise;
  std::future<Result<T>> future = promise.get_future();
  executor.post([answer = LoopAnswer<T>(std::move(promise)), start = std::move(start)] { start(answer); });
  return future.get();
}

}  // namespace tripos::source
