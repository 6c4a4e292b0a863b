// WorkerPool: the worker processes of one role (rules, 5.1, 5.3). At most `worker_count_max` at a time; who finds none free waits
// in turn. A worker runs one order at a time. One that fails its user is ended and takes nobody with it; another takes its place.
// After the first use one worker is kept warm, so that no later question waits for a start.
// Threads: any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "query/cancellation.h"
#include "query/worker_process.h"

namespace tripos::query {

class WorkerPool {
 public:
  struct Limits {
    std::size_t worker_count_max = 1;
    std::size_t waiting_count_max = 256;
    std::size_t idle_count_kept = 1;                                          // by trim()
    std::chrono::milliseconds idle_kept = std::chrono::milliseconds(10'000);  // others end after this time without work
  };

  WorkerPool(io::FileSystem& files, WorkerSettings settings, protocol::Role role, Limits limits);
  // Ends all workers. All leases have been given back.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // A worker for one order. Given back when it goes; retire()d before that if the worker can't be trusted any more.
  class Lease {
   public:
    Lease(WorkerPool& pool, std::unique_ptr<WorkerProcess> worker) : pool_(&pool), worker_(std::move(worker)) {}
    Lease(Lease&& from) noexcept : pool_(from.pool_), worker_(std::move(from.worker_)), retired_(std::exchange(from.retired_, false)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();

    [[nodiscard]] WorkerProcess& worker() noexcept { return *worker_; }
    // Ends the worker; says how it had ended, if it had.
    std::string retire();
    [[nodiscard]] bool retired() const noexcept { return retired_; }

   private:
    WorkerPool* pool_;
    std::unique_ptr<WorkerProcess> worker_;  // null: retired, or moved from
    bool retired_ = false;
  };

  // unavailable: too many wait, or no worker can be started. timed_out, cancelled: while waiting.
  [[nodiscard]] Result<Lease> acquire(std::chrono::steady_clock::time_point deadline, const Cancellation& cancellation);

  // Starts a worker if none is free and there may be one more, without waiting for it.
  void warm();
  // Ends workers that had nothing to do for long.
  void trim();

  [[nodiscard]] std::size_t running_count() const;

 private:
  struct Idle {
    std::unique_ptr<WorkerProcess> worker;
    std::chrono::steady_clock::time_point since;
  };

  [[nodiscard]] Result<std::unique_ptr<WorkerProcess>> start();
  void give_back(std::unique_ptr<WorkerProcess> worker);

  io::FileSystem& files_;
  const WorkerSettings settings_;
  const protocol::Role role_;
  const Limits limits_;

  mutable std::mutex mutex_;
  std::condition_variable turn_;
  std::vector<Idle> idle_;
  std::size_t running_count_ = 0;  // leased and idle
  std::uint64_t next_name_ = 0;
  std::uint64_t next_ticket_ = 0;
  std::vector<std::uint64_t> waiting_;  // tickets, in the order in which they came
};

}  // namespace tripos::query
