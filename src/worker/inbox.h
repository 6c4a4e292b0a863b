// Inbox: what the server says, read by a thread of its own, so that Interrupt arrives while a statement runs.
// Threads: one reader (inside), one taker.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "query/protocol/channel.h"
#include "query/protocol/messages.h"

namespace tripos::worker {

struct Received {
  protocol::ToWorker message;
  std::vector<protocol::Descriptor> descriptors;
};

class Inbox {
 public:
  // `interrupt` is called on the reader's thread when the current order is to end.
  Inbox(protocol::Channel& channel, std::function<void()> interrupt);
  ~Inbox();

  // The next message that is no Interrupt; none: the server has gone. cancelled: the current order was interrupted.
  [[nodiscard]] Result<std::optional<Received>> take();

  // Interrupts for this order count from now on, also one that came already.
  void begin_order(std::uint64_t order);
  // From now on nothing is interrupted.
  void end_order();
  [[nodiscard]] bool interrupted() const;

 private:
  void read();

  protocol::Channel& channel_;
  std::function<void()> interrupt_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Received> messages_;
  bool ended_ = false;
  std::optional<std::uint64_t> order_;
  std::uint64_t interrupted_order_ = 0;
  bool any_interrupt_ = false;
  std::thread reader_;
};

}  // namespace tripos::worker
