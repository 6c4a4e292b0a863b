// BackgroundThreads: a few threads that wait for blocking work (syncs, checkpoints, scans) and are woken directly.
// The destructor runs what was given, then joins; completions of it are still posted, so the executor outlives this.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "io/executor.h"

namespace tripos::io {

class BackgroundThreads final : public Background {
 public:
  // `name` shows in ps and top (at most 15 bytes).
  BackgroundThreads(Executor& loop, std::size_t thread_count, std::string name);
  ~BackgroundThreads() override;
  BackgroundThreads(const BackgroundThreads&) = delete;
  BackgroundThreads& operator=(const BackgroundThreads&) = delete;

  void run(Task work, Task done) override;

 private:
  struct Job {
    Task work;
    Task done;
  };
  void serve();

  Executor& loop_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tripos::io
