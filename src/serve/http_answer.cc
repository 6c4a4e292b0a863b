#include "serve/http_answer.h"

#include "serve/http_message.h"

namespace tripos::serve {

void HttpAnswer::send(const HttpHead& head, Bytes body) {
  std::unique_lock lock(mutex_);
  if (state_ != State::open) return;
  append_head(head, fmt::format("Content-Length: {}\r\n", body.size()));
  queue_.append(body);
  state_ = State::finished;
  wake(lock);
}

void HttpAnswer::begin(const HttpHead& head) {
  const std::lock_guard lock(mutex_);  // sent with the first piece
  append_head(head, chunked_ ? "Transfer-Encoding: chunked\r\n" : "");
}

Result<> HttpAnswer::write(Bytes body) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return broken_ || queue_.size() + in_flight_ < queued_bytes_max; });
  if (broken_) return fail(ErrorCode::cancelled, "the client has gone, or did not read");
  append_chunk(body);
  wake(lock);
  return {};
}

void HttpAnswer::finish() {
  std::unique_lock lock(mutex_);
  if (state_ != State::open) return;
  if (chunked_) queue_.append("0\r\n\r\n");
  state_ = State::finished;
  wake(lock);
}

void HttpAnswer::abandon() {
  std::unique_lock lock(mutex_);
  if (state_ != State::open) return;
  state_ = State::abandoned;
  wake(lock);
}

Buffer HttpAnswer::take() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  in_flight_ = queue_.size();
  return std::exchange(queue_, Buffer());
}

void HttpAnswer::sent() {
  const std::lock_guard lock(mutex_);
  in_flight_ = 0;
  room_.notify_one();
}

HttpAnswer::State HttpAnswer::state() {
  const std::lock_guard lock(mutex_);
  return state_;
}

void HttpAnswer::break_off() {
  const std::lock_guard lock(mutex_);
  broken_ = true;
  cancellation_.cancel();
  room_.notify_one();
}

void HttpAnswer::append_head(const HttpHead& head, const std::string& framing) {
  queue_.append(
      fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n{}", head.status, status_phrase(head.status), head.content_type, framing));
  if (!head.allow.empty()) queue_.append(fmt::format("Allow: {}\r\n", head.allow));
  queue_.append("X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n");
  queue_.append(keep_alive_ ? "\r\n" : "Connection: close\r\n\r\n");
}

void HttpAnswer::append_chunk(Bytes body) {
  if (body.empty()) return;  // an empty chunk would be the end
  if (!chunked_) {
    queue_.append(body);
    return;
  }
  queue_.append(fmt::format("{:x}\r\n", body.size()));
  queue_.append(body);
  queue_.append("\r\n");
}

void HttpAnswer::wake(std::unique_lock<std::mutex>& lock) {
  if (woken_) return;
  woken_ = true;
  lock.unlock();
  wake_();
}

}  // namespace tripos::serve
