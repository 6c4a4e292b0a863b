#include "query/worker_pool.h"

#include <algorithm>

#include "base/check.h"

namespace tripos::query {

namespace {
using Clock = std::chrono::steady_clock;
constexpr auto ready_timeout = std::chrono::milliseconds(20'000);
constexpr auto cancellation_poll = std::chrono::milliseconds(50);
}  // namespace

WorkerPool::WorkerPool(io::FileSystem& files, WorkerSettings settings, protocol::Role role, Limits limits)
    : files_(files), settings_(std::move(settings)), role_(role), limits_(limits) {
  CHECK(limits_.worker_count_max > 0);
  (void)io::remove_tree(files_, settings_.temporary_root);  // of workers that a crash has left; each start empties its own again
}

WorkerPool::~WorkerPool() {
  const std::lock_guard lock(mutex_);
  CHECK(idle_.size() == running_count_);
}

WorkerPool::Lease::~Lease() {
  if (worker_ || retired_) pool_->give_back(std::move(worker_));
}

std::string WorkerPool::Lease::retire() {
  if (!worker_) return "it was ended before";
  std::string how = worker_->end();
  worker_.reset();
  retired_ = true;
  return how;
}

Result<WorkerPool::Lease> WorkerPool::acquire(Clock::time_point deadline, const Cancellation& cancellation) {
  std::unique_lock lock(mutex_);
  if (waiting_.size() >= limits_.waiting_count_max) {
    return fail(ErrorCode::unavailable, "{} questions wait for a worker already: try again later", waiting_.size());
  }
  const std::uint64_t ticket = next_ticket_++;
  waiting_.push_back(ticket);
  const auto leave = [&] {
    std::erase(waiting_, ticket);
    turn_.notify_all();
  };
  while (waiting_.front() != ticket || (idle_.empty() && running_count_ >= limits_.worker_count_max)) {
    turn_.wait_until(lock, std::min(deadline, Clock::now() + cancellation_poll));
    if (cancellation.cancelled()) {
      leave();
      return fail(ErrorCode::cancelled, "the question was cancelled while it waited for a worker");
    }
    if (Clock::now() >= deadline) {
      leave();
      return fail(ErrorCode::timed_out, "all {} workers are busy, and the time limit has passed: try again later",
                  limits_.worker_count_max);
    }
  }
  leave();

  std::unique_ptr<WorkerProcess> worker;
  while (!worker && !idle_.empty()) {
    worker = std::move(idle_.back().worker);
    idle_.pop_back();
    if (!worker->running()) {  // died in its sleep
      worker.reset();
      --running_count_;
    }
  }
  if (!worker) {
    ++running_count_;
    lock.unlock();
    auto started = start();
    if (!started) {
      give_back(nullptr);
      return tl::unexpected(std::move(started).error());
    }
    worker = std::move(*started);
  } else {
    lock.unlock();
  }
  Lease lease(*this, std::move(worker));
  if (auto ready = lease.worker().await_ready(ready_timeout); !ready) {
    lease.retire();
    return fail(ErrorCode::unavailable, "{}", ready.error().message);
  }
  return lease;
}

void WorkerPool::warm() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty() || running_count_ >= limits_.worker_count_max) return;
    ++running_count_;
  }
  auto started = start();
  give_back(started ? std::move(*started) : nullptr);  // why it can't be started, the next question tells
}

void WorkerPool::trim() {
  std::vector<Idle> ended;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  // The oldest first; the last that were used are warm.
  while (idle_.size() > limits_.idle_count_kept && now - idle_.front().since > limits_.idle_kept) {
    ended.push_back(std::move(idle_.front()));
    idle_.erase(idle_.begin());
    --running_count_;
  }
}

std::size_t WorkerPool::running_count() const {
  const std::lock_guard lock(mutex_);
  return running_count_;
}

Result<std::unique_ptr<WorkerProcess>> WorkerPool::start() {
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    name = fmt::format("{}", next_name_++);
  }
  return WorkerProcess::start(files_, settings_, role_, name);
}

// A null worker: its place only.
void WorkerPool::give_back(std::unique_ptr<WorkerProcess> worker) {
  const std::lock_guard lock(mutex_);
  if (worker) {
    idle_.push_back({.worker = std::move(worker), .since = Clock::now()});
  } else {
    --running_count_;
  }
  turn_.notify_all();
}

}  // namespace tripos::query
