// HttpServer: listens, keeps the sessions, and finds the route of a request.
// Requests of web pages (an Origin header) are taken from pages of this server only, and a loopback server answers to loopback names
// only: otherwise any page that a user visits could ask questions, by a form or by a name that resolves to this machine.
// Threads: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "serve/http_session.h"

namespace tripos::serve {

struct HttpRoute {
  std::string method;
  std::string path;
  HttpSession::Handle handle;  // on the loop; must not block
};

struct HttpSettings {
  HttpLimits limits;
  HttpTimes times;
  std::size_t connection_count_max = 1000;
};

class HttpServer {
 public:
  HttpServer(io::Executor& loop, io::Network& network, std::vector<HttpRoute> routes, HttpSettings settings = {});
  // Ends all connections.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] Result<> listen(const io::Endpoint& endpoint);
  // Where it listens: port 0 has become a real one.
  [[nodiscard]] io::Endpoint endpoint() const { return listener_->endpoint(); }

  // Called with each new connection: a question may follow.
  void on_connect(std::function<void()> task) { on_connect_ = std::move(task); }

  // Takes no more connections and requests; answers that are on their way have `grace` to end. Calls `stopped` when all have gone.
  void stop(MonotonicClock::duration grace, std::function<void()> stopped);

  [[nodiscard]] std::size_t connection_count() const noexcept { return sessions_.size(); }

 private:
  void accept(std::unique_ptr<io::Socket> socket);
  void handle(HttpRequest request, const HttpResponder& responder) const;
  [[nodiscard]] bool trusted(const HttpRequest& request) const;
  void forget(HttpSession* session);

  io::Executor& loop_;
  io::Network& network_;
  std::vector<HttpRoute> routes_;
  HttpSettings settings_;
  std::unique_ptr<io::Listener> listener_;
  bool loopback_ = false;
  std::set<std::shared_ptr<HttpSession>> sessions_;
  std::function<void()> on_connect_;
  std::function<void()> stopped_;
  io::TimerId grace_timer_ = io::no_timer;
};

// Answers with an error, as all routes do: its HTTP status, {"error":{"code","message"}}.
void send_error(HttpAnswer& answer, const Error& error);
[[nodiscard]] int http_status(ErrorCode code) noexcept;

}  // namespace tripos::serve
