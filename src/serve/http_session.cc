#include "serve/http_session.h"

#include <array>

#include "base/check.h"
#include "query/answer_text.h"

namespace tripos::serve {

HttpSession::HttpSession(io::Executor& loop, std::unique_ptr<io::Socket> socket, HttpLimits limits, HttpTimes times, Handle handle,
                         Closed closed)
    : loop_(loop), socket_(std::move(socket)), parser_(limits), times_(times), handle_(std::move(handle)), closed_(std::move(closed)) {}

HttpSession::~HttpSession() { CHECK(is_closed_); }

void HttpSession::start() {
  arm(times_.idle_max);
  watch();
}

void HttpSession::finish() {
  finishing_ = true;
  if (!answer_) close();
}

void HttpSession::close() {
  if (is_closed_) return;
  is_closed_ = true;
  (void)loop_.cancel(timer_);
  if (answer_) answer_->break_off();
  connection_->close();
  socket_.reset();
  closed_(this);  // `this` may be gone now
}

void HttpSession::watch() {
  if (watching_ || received_.size() >= ahead_bytes_max) return;
  watching_ = true;
  socket_->when_readable([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->is_closed_) return;
    self->watching_ = false;
    self->on_readable();
  });
}

void HttpSession::on_readable() {
  std::array<char, 65536> chunk;
  const auto count = socket_->read(chunk);
  if (!count || *count == std::size_t{0}) return close();
  if (*count) received_.append(chunk.data(), **count);
  if (answer_) return watch();  // a request that was sent ahead: its turn comes
  advance();
}

// Looks for a request in what was received.
void HttpSession::advance() {
  const bool fresh = !parser_.in_request();
  Bytes rest = received_;
  const auto malformed = parser_.feed(rest);
  received_.erase(0, received_.size() - rest.size());
  if (malformed) return answer_malformed(*malformed);
  if (auto request = parser_.take()) return dispatch(std::move(*request));
  if (parser_.wants_continue()) {
    const Bytes parts[] = {"HTTP/1.1 100 Continue\r\n\r\n"};
    (void)socket_->write(parts, false);  // fits, since nothing else is being sent; lost is no harm: clients go on after a while
  }
  if (fresh && parser_.in_request()) arm(times_.request_max);
  watch();
}

void HttpSession::answer_malformed(const HttpParser::Malformed& malformed) {
  finishing_ = true;
  received_.clear();
  const auto answer = make_answer(false, true);
  const Error error{ErrorCode::malformed, malformed.reason};
  answer->send({.status = malformed.status}, fmt::format("{{\"error\":{}}}\n", query::error_text(error)));
}

void HttpSession::dispatch(HttpRequest request) {
  const auto answer = make_answer(request.keep_alive && !finishing_, request.chunked_answers);
  arm(times_.stalled_max);
  watch();
  // The answer itself is the session's; the writer gets a hold whose end is noticed.
  HttpResponder responder(answer.get(), [answer](HttpAnswer* of_writer) { of_writer->abandon(); });
  request.connection = connection_;
  handle_(std::move(request), std::move(responder));
}

std::shared_ptr<HttpAnswer> HttpSession::make_answer(bool keep_alive, bool chunked) {
  answer_ = std::make_shared<HttpAnswer>(keep_alive && chunked, chunked, [&loop = loop_, weak = weak_from_this()] {
    loop.post([weak] {
      const auto self = weak.lock();
      if (self && !self->is_closed_) self->flush();
    });
  });
  return answer_;
}

void HttpSession::flush() {
  while (answer_ && !waits_to_write_) {
    if (sent_ == sending_.size()) {
      if (sent_ > 0) answer_->sent();
      const auto state = answer_->state();  // before take(): what belongs to the end is in what is taken
      sending_ = answer_->take();
      sent_ = 0;
      if (sending_.empty()) {
        if (state == HttpAnswer::State::abandoned) return close();
        if (state == HttpAnswer::State::finished) finish_answer();
        return;
      }
    }
    const Bytes parts[] = {Bytes(sending_).substr(sent_)};
    const auto count = socket_->write(parts, false);
    if (!count) return close();
    sent_ += *count;
    if (*count > 0) {
      arm(times_.stalled_max);
      continue;
    }
    waits_to_write_ = true;
    socket_->when_writable([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self || self->is_closed_) return;
      self->waits_to_write_ = false;
      self->flush();
    });
  }
}

void HttpSession::finish_answer() {
  const bool keep = answer_->keep_alive() && !finishing_;
  answer_.reset();
  if (!keep) return close();
  arm(times_.idle_max);
  // Not from here: requests that were sent ahead would be answered deeper and deeper.
  loop_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && !self->is_closed_ && !self->answer_) self->advance();
  });
}

// The one timer: what it means depends on what the session waits for.
void HttpSession::arm(MonotonicClock::duration time) {
  (void)loop_.cancel(timer_);
  timer_ = loop_.post_after(time, [weak = weak_from_this(), time] {
    const auto self = weak.lock();
    if (!self || self->is_closed_) return;
    // An answer that is still being worked on is no stalled client.
    if (self->answer_ && !self->waits_to_write_) return self->arm(time);
    // Nor is one that a route keeps something for: a load whose input comes slowly.
    if (!self->answer_ && !self->parser_.in_request() && self->connection_->keeps_something()) return self->arm(time);
    self->close();
  });
}

}  // namespace tripos::serve
