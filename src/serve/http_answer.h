// HttpAnswer: the answer to one request, written by some thread and sent by the loop.
//
// send() gives it as a whole; begin(), write()…, finish() stream it. What is written waits in a bounded queue: when the client
// doesn't read, write() blocks, so a slow reader holds back its own question and the server doesn't grow. When the client goes, or
// takes nothing for too long, the answer is broken: write() fails and cancellation() says so to whoever works for it.
// An answer that its writer drops unfinished is cut off: the client sees that it isn't whole.
//
// Threads: one writer, any thread; the rest is the session's, on the loop.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "query/cancellation.h"

namespace tripos::serve {

struct HttpHead {
  int status = 200;
  std::string content_type = "application/json";
  std::string allow{};  // the methods, with status 405
};

class HttpAnswer {
 public:
  static constexpr std::size_t queued_bytes_max = std::size_t{1} << 20;

  // `wake`: called, from any thread, when there is something to send that the session doesn't know of.
  HttpAnswer(bool keep_alive, bool chunked, std::function<void()> wake)
      : keep_alive_(keep_alive), chunked_(chunked), wake_(std::move(wake)) {}

  // --- the writer's side

  void send(const HttpHead& head, Bytes body);
  void begin(const HttpHead& head);
  [[nodiscard]] Result<> write(Bytes body);
  void finish();
  [[nodiscard]] query::Cancellation& cancellation() noexcept { return cancellation_; }

  // --- the session's side

  // Takes what is to be sent, at most about `queued_bytes_max`.
  [[nodiscard]] Buffer take();
  // All that was taken has been sent: there is room for more.
  void sent();
  enum class State { open, finished, abandoned };
  [[nodiscard]] State state();
  void break_off();
  [[nodiscard]] bool keep_alive() const noexcept { return keep_alive_; }
  // The writer has gone.
  void abandon();

 private:
  void append_head(const HttpHead& head, const std::string& framing);
  void append_chunk(Bytes body);
  void wake(std::unique_lock<std::mutex>& lock);

  const bool keep_alive_;
  const bool chunked_;
  const std::function<void()> wake_;
  query::Cancellation cancellation_;

  std::mutex mutex_;
  std::condition_variable room_;
  Buffer queue_;
  std::size_t in_flight_ = 0;  // taken, not yet sent
  bool woken_ = false;         // the session knows that there is something
  bool broken_ = false;
  State state_ = State::open;
};

// The writer's hold on an answer; the last one that goes abandons it.
using HttpResponder = std::shared_ptr<HttpAnswer>;

}  // namespace tripos::serve
