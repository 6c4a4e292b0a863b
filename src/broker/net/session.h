// Session: one connection. Cuts what comes into frames, hands them to the broker, sends the answers in the order of their requests.
//
// Bounds, so that a client that does not read can't make the broker grow: no more is read while
//   - queued.max.requests requests wait for their answers, or
//   - requests under way and answers not yet sent hold queued.max.request.bytes.
// A frame is at most socket.request.max.bytes; a malformed one ends the connection, with a line in the operator's log. A connection on
// which nothing moves for connections.max.idle.ms is closed, unless it waits for us.
// Threads: the loop's. Shared with the answers that are under way, which may outlive the connection.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "broker/net/send_queue.h"
#include "broker/session_context.h"
#include "io/socket.h"
#include "wire/framing.h"

namespace tripos::broker {

struct SessionLimits {
  std::size_t frame_bytes_max;
  std::size_t requests_max;
  std::size_t bytes_max;

  explicit SessionLimits(const BrokerConfig& config);
};

class Session final : public std::enable_shared_from_this<Session> {
 public:
  // `scratch`: where bytes land first; shared by all sessions of the loop, of no use between calls. `closed` runs once, later.
  Session(Broker& broker, std::unique_ptr<io::Socket> socket, const SessionLimits& limits, std::span<char> scratch, io::Task closed);

  void start();
  // Reads no more; closes when what is under way is answered and sent.
  void drain();
  void close(std::string_view reason);

  [[nodiscard]] MonotonicTime last_activity() const noexcept { return last_activity_; }
  // A request is under way, and nothing waits to be read by the client.
  [[nodiscard]] bool is_waiting_for_us() const noexcept { return !slots_.empty() && queue_.empty(); }

 private:
  // One request's answer, in its turn.
  struct Slot {
    std::size_t request_bytes;
    std::optional<Answer> answer;
    std::size_t kind;     // RequestMetrics
    MonotonicTime begin;  // when its last byte had come
  };

  void wait_readable();
  void readable();
  // False: the connection has ended.
  [[nodiscard]] bool take(Bytes slice);
  void handle_frame(Bytes frame);
  void answered(std::uint64_t number, Answer answer);
  void send_answers();
  void send_answers_soon();
  void flush();
  [[nodiscard]] bool is_full() const noexcept;
  void close_if_drained();

  Broker& broker_;
  std::unique_ptr<io::Socket> socket_;
  SessionLimits limits_;
  std::span<char> scratch_;
  io::Task closed_;
  SessionContext context_;
  wire::FrameDecoder decoder_;
  Buffer unread_;  // bytes behind a frame at which the session became full
  std::deque<Slot> slots_;
  std::uint64_t first_slot_ = 0;  // the number of slots_.front()
  std::size_t request_bytes_ = 0;
  SendQueue queue_;
  MonotonicTime last_activity_{};
  bool waits_readable_ = false;
  bool waits_writable_ = false;
  bool draining_ = false;
  bool taking_ = false;      // inside of take(): answers are gathered and sent together
  bool sends_soon_ = false;  // a send_answers() is on its way
};

}  // namespace tripos::broker
