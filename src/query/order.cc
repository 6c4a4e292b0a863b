#include "query/order.h"

#include <algorithm>
#include <optional>

namespace tripos::query {

namespace {
constexpr auto poll_interval = std::chrono::milliseconds(50);
constexpr auto interrupt_grace = std::chrono::milliseconds(1000);  // then it is killed
}  // namespace

Result<> Order::send(const protocol::ToWorker& message, std::span<const int> descriptors) {
  auto sent = lease_.worker().channel().send(encode(message), descriptors);
  // Whatever it was, a part of the message may have gone: nothing can follow it.
  if (!sent && sent.error().code != ErrorCode::too_large) return tl::unexpected(lost(std::move(sent).error()));
  return sent;
}

Result<protocol::Done> Order::run(const Take& take) {
  while (true) {
    auto message = next();
    if (!message) return tl::unexpected(std::move(message).error());
    if (auto* done = std::get_if<protocol::Done>(&*message)) return *done;
    if (auto* failed = std::get_if<protocol::Failed>(&*message)) {
      if (failed->worker_ends) lease_.retire();
      return tl::unexpected(Error{failed->code, std::move(failed->message)});
    }
    if (auto taken = take(*message); !taken) {
      interrupt();
      return tl::unexpected(std::move(taken).error());
    }
  }
}

// The next message. After an error the worker is free for the next order, or retired.
Result<protocol::ToServer> Order::next() {
  protocol::Channel& channel = lease_.worker().channel();
  while (true) {
    const auto now = Clock::now();
    if (cancellation_.cancelled() || now >= deadline_) {
      interrupt();
      if (cancellation_.cancelled()) return fail(ErrorCode::cancelled, "the statement was cancelled");
      return fail(ErrorCode::timed_out, "the statement took longer than its time limit and was ended");
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - now);
    auto frame = channel.receive(std::min<std::chrono::milliseconds>(left, poll_interval));
    if (!frame) {
      if (frame.error().code == ErrorCode::timed_out) continue;
      return tl::unexpected(lost(std::move(frame).error()));
    }
    if (!*frame) return tl::unexpected(lost({ErrorCode::unavailable, "it ended"}));
    auto message = protocol::decode_to_server((*frame)->body);
    if (!message) return tl::unexpected(lost(std::move(message).error()));
    return message;
  }
}

Error Order::lost(Error error) {
  const std::string how = lease_.retire();
  return {ErrorCode::unavailable,
          fmt::format("the statement's worker process is gone ({}; {}): it may have needed more memory than a worker is given",
                      error.message, how)};
}

// Asks the worker to stop, and reads on until it has: then it is as good as new. Otherwise it is killed.
void Order::interrupt() {
  protocol::Channel& channel = lease_.worker().channel();
  const auto until = Clock::now() + interrupt_grace;
  if (channel.send(encode(protocol::ToWorker(protocol::Interrupt{.order = number_})))) {
    while (Clock::now() < until) {
      const auto frame = channel.receive(std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()));
      if (!frame || !*frame) break;
      const auto message = protocol::decode_to_server((*frame)->body);
      if (!message) break;
      const auto* failed = std::get_if<protocol::Failed>(&*message);
      if (failed != nullptr && failed->worker_ends) break;
      if (failed != nullptr || std::holds_alternative<protocol::Done>(*message)) return;
    }
  }
  lease_.retire();
}

}  // namespace tripos::query
