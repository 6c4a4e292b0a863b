// Order: one order given to a worker, from its first message to Done or Failed. Sees to time limits, cancellation and workers that
// die: then the worker is interrupted, and killed if that doesn't help.
// Threads: one.
#pragma once

#include <chrono>
#include <functional>
#include <span>

#include "query/cancellation.h"
#include "query/worker_pool.h"

namespace tripos::query {

class Order {
 public:
  using Clock = std::chrono::steady_clock;

  Order(WorkerPool::Lease& lease, std::uint64_t number, Clock::time_point deadline, const Cancellation& cancellation)
      : lease_(lease), number_(number), deadline_(deadline), cancellation_(cancellation) {}

  [[nodiscard]] Result<> send(const protocol::ToWorker& message, std::span<const int> descriptors = {});

  // Hands each message to `take` until the order has ended; returns Done, or the worker's Failed as an error.
  // An error of `take` interrupts the order and is returned. After any error but the worker's own Failed (unless it says that it ends),
  // or one that came while it was still in order, the worker is retired.
  using Take = std::function<Result<>(protocol::ToServer& message)>;
  [[nodiscard]] Result<protocol::Done> run(const Take& take);

 private:
  [[nodiscard]] Result<protocol::ToServer> next();
  [[nodiscard]] Error lost(Error error);
  void interrupt();

  WorkerPool::Lease& lease_;
  std::uint64_t number_;
  Clock::time_point deadline_;
  const Cancellation& cancellation_;
};

}  // namespace tripos::query
