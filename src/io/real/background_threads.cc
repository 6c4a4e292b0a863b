#include "io/real/background_threads.h"

#include <pthread.h>

#include <utility>

namespace tripos::io {

BackgroundThreads::BackgroundThreads(Executor& loop, std::size_t thread_count, std::string name) : loop_(loop) {
  name.resize(std::min<std::size_t>(name.size(), 15));
  for (std::size_t i = 0; i < thread_count; ++i) {
    threads_.emplace_back([this] { serve(); });
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

BackgroundThreads::~BackgroundThreads() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void BackgroundThreads::run(Task work, Task done) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(work), std::move(done)});
  }
  wake_.notify_one();
}

void BackgroundThreads::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job.work();
    job.work = nullptr;  // what it held goes before the loop is told
    loop_.post(std::move(job.done));
    lock.lock();
  }
}

}  // namespace tripos::io
