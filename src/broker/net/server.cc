#include "broker/net/server.h"

#include <algorithm>
#include <utility>

#include "broker/net/session.h"

namespace tripos::broker {

namespace {
constexpr std::size_t scratch_bytes = 64 << 10;
constexpr auto idle_check_interval_max = std::chrono::seconds(30);
}  // namespace

Server::Server(Broker& broker)
    : broker_(broker), limits_(std::make_unique<SessionLimits>(broker.config())), scratch_(scratch_bytes, '\0') {}

Server::~Server() {
  broker_.environment().executor.cancel(drain_timer_);
  broker_.environment().executor.cancel(idle_timer_);
}

Result<std::unique_ptr<Server>> Server::start(Broker& broker, io::Network& network, const io::Endpoint& endpoint) {
  std::unique_ptr<Server> self(new Server(broker));
  TRIPOS_ASSIGN(self->listener_, network.listen(endpoint, [server = self.get()](auto socket) { server->accept(std::move(socket)); }));
  self->endpoint_ = self->listener_->endpoint();
  broker.set_listening_at(self->endpoint_);
  self->check_idle();
  return self;
}

void Server::accept(std::unique_ptr<io::Socket> socket) {
  const auto connections_max = static_cast<std::size_t>(broker_.config().integer("max.connections"));
  if (sessions_.size() >= connections_max) {
    broker_.environment().warn(fmt::format("connection from {} refused: max.connections={} are open", socket->peer(), connections_max));
    return;
  }
  const std::uint64_t number = ++last_session_;
  const auto closed = [this, number, weak = std::weak_ptr(alive_)] {
    if (!weak.expired()) forget(number);
  };
  const auto session = std::make_shared<Session>(broker_, std::move(socket), *limits_, scratch_, closed);
  sessions_.emplace(number, session);
  session->start();
}

void Server::forget(std::uint64_t session) {
  sessions_.erase(session);
  if (sessions_.empty() && drained_) {
    broker_.environment().executor.cancel(std::exchange(drain_timer_, io::no_timer));
    std::exchange(drained_, nullptr)();
  }
}

void Server::check_idle() {
  const std::int64_t idle_ms_max = broker_.config().integer("connections.max.idle.ms");
  if (idle_ms_max < 0) return;
  const std::chrono::milliseconds idle_max(idle_ms_max);
  const MonotonicTime now = broker_.environment().clock.monotonic();
  for (const auto& [number, session] : sessions_) {
    if (!session->is_waiting_for_us() && now - session->last_activity() > idle_max) session->close({});
  }
  const auto interval = std::clamp<MonotonicClock::duration>(idle_max / 4, std::chrono::milliseconds(10), idle_check_interval_max);
  idle_timer_ = broker_.environment().executor.post_after(interval, [this] { check_idle(); });
}

void Server::drain(MonotonicClock::duration timeout, io::Task drained) {
  listener_.reset();
  broker_.refuse_requests();
  drained_ = std::move(drained);
  for (const auto& [number, session] : sessions_) session->drain();
  if (sessions_.empty()) {
    broker_.environment().executor.post(std::exchange(drained_, nullptr));
    return;
  }
  drain_timer_ = broker_.environment().executor.post_after(timeout, [this] {
    for (const auto& [number, session] : sessions_) session->close({});
  });
}

}  // namespace tripos::broker
