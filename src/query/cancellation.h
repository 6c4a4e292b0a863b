// Cancellation: says that nobody waits for an answer any more. Shared by who asks and who works; asked at every step of the work.
// Threads: any.
#pragma once

#include <atomic>

namespace tripos::query {

class Cancellation {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace tripos::query
