#include "query/runner_threads.h"

#include <chrono>
#include <thread>

namespace tripos::query {

namespace {
constexpr auto idle_kept = std::chrono::seconds(10);
}  // namespace

RunnerThreads::~RunnerThreads() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
  ended_.wait(lock, [this] { return thread_count_ == 0; });
}

bool RunnerThreads::submit(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || waiting_.size() >= waiting_count_max_) return false;
  waiting_.push_back(std::move(work));
  if (idle_count_ >= waiting_.size() || thread_count_ == thread_count_max_) {
    wake_.notify_one();
    return true;
  }
  ++thread_count_;
  std::thread([this] { serve(); }).detach();  // awaited by the destructor through thread_count_
  return true;
}

void RunnerThreads::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_count_;
    const bool work = wake_.wait_for(lock, idle_kept, [this] { return stopping_ || !waiting_.empty(); }) && !waiting_.empty();
    --idle_count_;
    if (!work) break;
    {
      const auto run = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      run();
    }
    lock.lock();
  }
  --thread_count_;
  ended_.notify_all();
}

}  // namespace tripos::query
