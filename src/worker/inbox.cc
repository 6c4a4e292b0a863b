#include "worker/inbox.h"

#include <utility>

namespace tripos::worker {

Inbox::Inbox(protocol::Channel& channel, std::function<void()> interrupt)
    : channel_(channel), interrupt_(std::move(interrupt)), reader_([this] { read(); }) {}

Inbox::~Inbox() {
  channel_.shut_down();
  reader_.join();
}

void Inbox::read() {
  // An interrupt may come just before the engine begins to run, which then forgets it: it is said again until the order has ended.
  constexpr std::chrono::milliseconds again(20);
  while (true) {
    bool pending = false;
    {
      const std::lock_guard lock(mutex_);
      pending = order_ && any_interrupt_ && interrupted_order_ == *order_;
      if (pending) {
        interrupt_();
      }
    }
    auto frame = channel_.receive(pending ? std::optional(again) : std::nullopt);
    if (pending && !frame && frame.error().code == ErrorCode::timed_out) {
      continue;
    }
    std::optional<protocol::ToWorker> message;
    if (frame && *frame) {
      if (auto decoded = protocol::decode_to_worker((*frame)->body)) {
        message = std::move(*decoded);
      }
    }
    const std::lock_guard lock(mutex_);
    if (!message) {  // the server has gone, or talks nonsense: there is nobody to work for
      ended_ = true;
      if (order_) {
        interrupt_();
      }
      arrived_.notify_all();
      return;
    }
    if (const auto* interrupt = std::get_if<protocol::Interrupt>(&*message)) {
      interrupted_order_ = interrupt->order;
      any_interrupt_ = true;
      if (order_ == interrupt->order) {
        interrupt_();
      }
    } else {
      messages_.push_back({std::move(*message), std::move((*frame)->descriptors)});
    }
    arrived_.notify_all();
  }
}

Result<std::optional<Received>> Inbox::take() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return !messages_.empty() || ended_ || (order_ && any_interrupt_ && interrupted_order_ == *order_); });
  if (order_ && any_interrupt_ && interrupted_order_ == *order_) {
    return fail(ErrorCode::cancelled, "the statement was cancelled");
  }
  if (messages_.empty()) {
    return std::optional<Received>();
  }
  std::optional<Received> next(std::move(messages_.front()));
  messages_.pop_front();
  return next;
}

void Inbox::begin_order(std::uint64_t order) {
  const std::lock_guard lock(mutex_);
  order_ = order;
}

void Inbox::end_order() {
  const std::lock_guard lock(mutex_);
  order_.reset();
  // An answer that was under way when the interrupt came belongs to the order that has ended.
  std::erase_if(messages_, [](const Received& received) {
    return std::holds_alternative<protocol::Pinned>(received.message) || std::holds_alternative<protocol::Refused>(received.message) ||
           std::holds_alternative<protocol::ViewChanged>(received.message);
  });
}

bool Inbox::interrupted() const {
  const std::lock_guard lock(mutex_);
  return ended_ || (order_ && any_interrupt_ && interrupted_order_ == *order_);
}

}  // namespace tripos::worker
