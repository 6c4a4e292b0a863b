#include "broker/net/session.h"

#include <utility>

#include "base/check.h"
#include "broker/request_metrics.h"

namespace tripos::broker {

namespace {

constexpr int reads_a_turn = 8;  // then other connections have theirs

std::string host_of(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }

std::size_t memory_bytes(const Answer& answer) {
  const auto* output = std::get_if<wire::Output>(&answer);
  std::size_t bytes = 0;
  if (output == nullptr) return bytes;
  for (const auto& part : output->parts()) {
    if (const auto* owned = std::get_if<Buffer>(&part)) bytes += owned->size();
  }
  return bytes;
}

}  // namespace

SessionLimits::SessionLimits(const BrokerConfig& config)
    : frame_bytes_max(config.request_bytes_max),
      requests_max(static_cast<std::size_t>(config.integer("queued.max.requests"))),
      bytes_max(static_cast<std::size_t>(config.integer("queued.max.request.bytes"))) {}

Session::Session(Broker& broker, std::unique_ptr<io::Socket> socket, const SessionLimits& limits, std::span<char> scratch, io::Task closed)
    : broker_(broker),
      socket_(std::move(socket)),
      limits_(limits),
      scratch_(scratch),
      closed_(std::move(closed)),
      decoder_(limits.frame_bytes_max),
      last_activity_(broker.environment().clock.monotonic()) {
  context_.client_host = host_of(socket_->peer());
}

void Session::start() { wait_readable(); }

void Session::drain() {
  draining_ = true;
  close_if_drained();
}

void Session::close(std::string_view reason) {
  if (socket_ == nullptr) return;
  if (!reason.empty()) broker_.environment().warn(fmt::format("connection from {} closed: {}", socket_->peer(), reason));
  socket_.reset();
  broker_.environment().executor.post(std::move(closed_));
}

bool Session::is_full() const noexcept {
  return slots_.size() >= limits_.requests_max || request_bytes_ + queue_.memory_bytes() >= limits_.bytes_max;
}

void Session::wait_readable() {
  if (socket_ == nullptr || waits_readable_ || draining_ || is_full()) return;
  if (!unread_.empty()) {  // in a turn of its own: we may be deep in an answer
    waits_readable_ = true;
    broker_.environment().executor.post([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self == nullptr || self->socket_ == nullptr) return;
      self->waits_readable_ = false;
      const Buffer unread = std::exchange(self->unread_, {});
      if (self->take(unread)) self->wait_readable();
    });
    return;
  }
  waits_readable_ = true;
  socket_->when_readable([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr || self->socket_ == nullptr) return;
    self->waits_readable_ = false;
    self->readable();
  });
}

void Session::readable() {
  // What was read and left comes first (wait_readable() sees to it): the stream's order.
  for (int i = 0; i < reads_a_turn && unread_.empty() && !is_full() && !draining_; ++i) {
    const auto count = socket_->read(scratch_);
    if (!count) return close({});  // reset by the peer: everyday
    if (!*count) break;
    if (**count == 0) return close({});
    last_activity_ = broker_.environment().clock.monotonic();
    if (!take(Bytes(scratch_.data(), **count))) return;
    if (**count < scratch_.size()) break;  // most likely all there was
  }
  wait_readable();
}

bool Session::take(Bytes slice) {
  CHECK(!taking_);
  taking_ = true;
  while (socket_ != nullptr) {
    if (is_full() || draining_) {
      unread_.assign(slice);
      break;
    }
    const auto step = decoder_.next(slice);
    if (const auto* malformed = std::get_if<wire::Malformed>(&step)) {
      close(malformed->text());
    } else if (const auto* frame = std::get_if<Bytes>(&step)) {
      handle_frame(*frame);
    } else {
      break;
    }
  }
  taking_ = false;
  send_answers();
  return socket_ != nullptr;
}

void Session::handle_frame(Bytes frame) {
  const std::uint64_t number = first_slot_ + slots_.size();
  slots_.push_back(Slot{.request_bytes = frame.size(), .answer = {}, .kind = RequestMetrics::kind_of(frame), .begin = last_activity_});
  request_bytes_ += frame.size();
  broker_.handle(context_, frame, [weak = weak_from_this(), number](Answer answer) {
    if (const auto self = weak.lock()) self->answered(number, std::move(answer));
  });
}

void Session::answered(std::uint64_t number, Answer answer) {
  if (socket_ == nullptr) return;
  CHECK(number >= first_slot_ && number - first_slot_ < slots_.size());
  Slot& slot = slots_[number - first_slot_];
  CHECK(!slot.answer);
  // From here on it is the answer that takes memory.
  request_bytes_ += memory_bytes(answer);
  request_bytes_ -= std::exchange(slot.request_bytes, memory_bytes(answer));
  slot.answer = std::move(answer);
  const MonotonicTime now = broker_.environment().clock.monotonic();
  broker_.request_metrics().answered(slot.kind, now - slot.begin, now);
  if (!taking_) send_answers_soon();
}

// What one turn of the loop brings (the acknowledgements of a group commit's round) goes out in one call.
void Session::send_answers_soon() {
  if (std::exchange(sends_soon_, true)) return;
  broker_.environment().executor.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->sends_soon_ = false;
    self->send_answers();
  });
}

void Session::send_answers() {
  while (socket_ != nullptr && !slots_.empty() && slots_.front().answer) {
    Slot slot = std::move(slots_.front());
    slots_.pop_front();
    ++first_slot_;
    request_bytes_ -= slot.request_bytes;
    if (auto* output = std::get_if<wire::Output>(&*slot.answer)) {
      queue_.add(std::move(*output));
    } else if (const auto* ended = std::get_if<CloseSession>(&*slot.answer)) {
      flush();  // what stands before it
      return close(ended->reason);
    }
  }
  if (socket_ != nullptr) flush();
}

void Session::flush() {
  if (waits_writable_) return;
  const std::uint64_t sent_before = queue_.sent_bytes();
  const auto all_sent = queue_.send(*socket_);
  if (!all_sent) return close(all_sent.error().code == ErrorCode::corrupt ? all_sent.error().message : std::string());
  if (queue_.sent_bytes() != sent_before) last_activity_ = broker_.environment().clock.monotonic();
  if (!*all_sent) {
    waits_writable_ = true;
    socket_->when_writable([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self == nullptr || self->socket_ == nullptr) return;
      self->waits_writable_ = false;
      self->flush();
    });
  }
  if (draining_) return close_if_drained();
  wait_readable();
}

void Session::close_if_drained() {
  if (slots_.empty() && queue_.empty()) close({});
}

}  // namespace tripos::broker
