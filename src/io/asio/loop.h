// AsioLoop: the event loop of the process (Boost.Asio's io_context, one thread) as Executor and Network.
// Other users of Asio (HTTP) run on the same context(). Only loop.cc includes Asio.
// Threads: run() makes its caller the loop's thread; post() and stop() from any.
// A task that was posted and will not run (the loop has ended) is destroyed soon, not kept: who waits for it can tell by that.
#pragma once

#include <memory>

#include "io/executor.h"
#include "io/socket.h"

namespace boost::asio {
class io_context;
}  // namespace boost::asio

namespace tripos::io {

class AsioLoop final : public Executor, public Network {
 public:
  AsioLoop();
  ~AsioLoop() override;
  AsioLoop(const AsioLoop&) = delete;
  AsioLoop& operator=(const AsioLoop&) = delete;

  // Runs until stop(); once in the life of the loop.
  void run();
  void stop();
  // Calls `task` on the loop when the process gets SIGINT or SIGTERM, each time.
  void on_stop_signal(std::function<void(int signal)> task);

  void post(Task task) override;
  [[nodiscard]] TimerId post_after(MonotonicClock::duration delay, Task task) override;
  bool cancel(TimerId timer) override;
  // Whether the caller is the thread that is in run().
  [[nodiscard]] bool on_loop_thread() const noexcept;

  // `told` is called, on the loop, when connections are turned away since the process may open no more files: at the first one, and again
  // after one was accepted. For listeners that are made from then on.
  void on_turned_away(std::function<void(const Error&)> told);
  [[nodiscard]] Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, Accepted accepted) override;

  [[nodiscard]] boost::asio::io_context& context() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tripos::io
