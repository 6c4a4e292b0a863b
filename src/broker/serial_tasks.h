// SerialTasks: tasks that end later, one at a time, in the order of the calls. Threads: the loop's.
#pragma once

#include <deque>
#include <functional>
#include <utility>

namespace tripos::broker {

class SerialTasks {
 public:
  // A task calls `finished` once, then or later.
  using Task = std::function<void(std::function<void()> finished)>;

  void run(Task task) {
    waiting_.push_back(std::move(task));
    start();
  }

 private:
  void start() {
    if (starting_) return;  // a task has finished within its call: the loop below goes on
    starting_ = true;
    while (!busy_ && !waiting_.empty()) {
      busy_ = true;
      const Task task = std::move(waiting_.front());
      waiting_.pop_front();
      task([this] {
        busy_ = false;
        start();
      });
    }
    starting_ = false;
  }

  std::deque<Task> waiting_;
  bool busy_ = false;
  bool starting_ = false;
};

}  // namespace tripos::broker
