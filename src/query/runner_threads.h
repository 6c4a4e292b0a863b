// RunnerThreads: threads for work that blocks: questions, batch runs. Made when there is work, ended when there is none for a while.
// More of them than workers, so that a question that waits for offsets, or whose reader is slow, holds up no other.
// Threads: any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

namespace tripos::query {

class RunnerThreads {
 public:
  RunnerThreads(std::size_t thread_count_max, std::size_t waiting_count_max)
      : thread_count_max_(thread_count_max), waiting_count_max_(waiting_count_max) {}
  // Waits for what runs and for what waits. Nothing is submitted any more; cancel the work before.
  ~RunnerThreads();
  RunnerThreads(const RunnerThreads&) = delete;
  RunnerThreads& operator=(const RunnerThreads&) = delete;

  // False: too much waits already.
  [[nodiscard]] bool submit(std::function<void()> work);

 private:
  void serve();

  const std::size_t thread_count_max_;
  const std::size_t waiting_count_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;
  std::deque<std::function<void()>> waiting_;
  std::size_t thread_count_ = 0;
  std::size_t idle_count_ = 0;
  bool stopping_ = false;
};

}  // namespace tripos::query
