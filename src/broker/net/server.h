// Server: the broker's door. Accepts connections, and runs a session on each.
// Bounds: max.connections; a session's own bounds are in session.h. Threads: the loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "base/bytes.h"
#include "base/error.h"
#include "broker/broker.h"
#include "io/executor.h"
#include "io/socket.h"

namespace tripos::broker {

class Session;
struct SessionLimits;

class Server {
 public:
  // Listens at `endpoint` (port 0: any free one), and tells the broker where.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(Broker& broker, io::Network& network, const io::Endpoint& endpoint);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] const io::Endpoint& endpoint() const noexcept { return endpoint_; }
  [[nodiscard]] std::size_t session_count() const noexcept { return sessions_.size(); }

  // Graceful drain: accepts and reads nothing any more; `drained` runs when all answers under way are sent, or `timeout` has passed.
  void drain(MonotonicClock::duration timeout, io::Task drained);

 private:
  explicit Server(Broker& broker);
  void accept(std::unique_ptr<io::Socket> socket);
  void forget(std::uint64_t session);
  void check_idle();

  Broker& broker_;
  io::Endpoint endpoint_;
  std::unique_ptr<io::Listener> listener_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Session>> sessions_;
  std::uint64_t last_session_ = 0;
  io::Task drained_;
  io::TimerId drain_timer_ = io::no_timer;
  io::TimerId idle_timer_ = io::no_timer;
  std::unique_ptr<SessionLimits> limits_;
  Buffer scratch_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  // for what sessions post
};

}  // namespace tripos::broker
