#include "serve/http_server.h"

#include <algorithm>

#include "query/answer_text.h"

namespace tripos::serve {

namespace {

// "localhost:8080" → "localhost", "[::1]:80" → "[::1]".
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_loopback(std::string_view host) {
  // A name may begin like an address: 127.0.0.1.evil.example.
  const bool is_v4 = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "[::1]" || host == "::1" || (is_v4 && host.starts_with("127."));
}

}  // namespace

HttpServer::HttpServer(io::Executor& loop, io::Network& network, std::vector<HttpRoute> routes, HttpSettings settings)
    : loop_(loop), network_(network), routes_(std::move(routes)), settings_(settings) {}

HttpServer::~HttpServer() {
  (void)loop_.cancel(grace_timer_);
  listener_.reset();
  stopped_ = nullptr;
  // close() takes a session out of the set.
  while (!sessions_.empty()) (*sessions_.begin())->close();
}

Result<> HttpServer::listen(const io::Endpoint& endpoint) {
  TRIPOS_ASSIGN(listener_, network_.listen(endpoint, [this](std::unique_ptr<io::Socket> socket) { accept(std::move(socket)); }));
  loopback_ = is_loopback(listener_->endpoint().host);
  return {};
}

void HttpServer::stop(MonotonicClock::duration grace, std::function<void()> stopped) {
  listener_.reset();
  const auto all = sessions_;
  for (const auto& session : all) session->finish();  // an idle one closes at once
  if (sessions_.empty()) return loop_.post(std::move(stopped));
  stopped_ = std::move(stopped);
  grace_timer_ = loop_.post_after(grace, [this] {
    while (!sessions_.empty()) (*sessions_.begin())->close();
  });
}

void HttpServer::accept(std::unique_ptr<io::Socket> socket) {
  if (sessions_.size() >= settings_.connection_count_max) return;  // closes it
  const auto session = std::make_shared<HttpSession>(
      loop_, std::move(socket), settings_.limits, settings_.times,
      [this](HttpRequest request, const HttpResponder& responder) { handle(std::move(request), responder); },
      [this](HttpSession* closed) { forget(closed); });
  sessions_.insert(session);
  session->start();
  if (on_connect_) on_connect_();
}

void HttpServer::forget(HttpSession* session) {
  const auto found = std::find_if(sessions_.begin(), sessions_.end(), [session](const auto& known) { return known.get() == session; });
  if (found == sessions_.end()) return;
  loop_.post([keep = *found] {});  // what is on the stack now is the session's own
  sessions_.erase(found);
  if (sessions_.empty() && stopped_) {
    (void)loop_.cancel(grace_timer_);
    loop_.post(std::exchange(stopped_, nullptr));
  }
}

void HttpServer::handle(HttpRequest request, const HttpResponder& responder) const {
  if (!trusted(request)) {
    const Error error{ErrorCode::permission, "requests of other sites' pages, and under foreign names, are not answered"};
    return responder->send({.status = 403}, fmt::format("{{\"error\":{}}}\n", query::error_text(error)));
  }
  std::string allow;
  for (const HttpRoute& route : routes_) {
    if (route.path != request.path) continue;
    if (route.method == request.method) return route.handle(std::move(request), responder);
    allow.append(allow.empty() ? "" : ", ").append(route.method);
  }
  if (allow.empty()) return send_error(*responder, {ErrorCode::not_found, fmt::format("there is nothing at {}", request.path)});
  const Error error{ErrorCode::invalid_argument, fmt::format("{} takes {}", request.path, allow)};
  responder->send({.status = 405, .allow = allow}, fmt::format("{{\"error\":{}}}\n", query::error_text(error)));
}

bool HttpServer::trusted(const HttpRequest& request) const {
  if (loopback_ && !request.host.empty() && !is_loopback(without_port(request.host))) return false;
  return request.origin.empty() || request.origin == "http://" + request.host || request.origin == "https://" + request.host;
}

void send_error(HttpAnswer& answer, const Error& error) {
  answer.send({.status = http_status(error.code)}, fmt::format("{{\"error\":{}}}\n", query::error_text(error)));
}

int http_status(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::not_found: return 404;
    case ErrorCode::already_exists:
    case ErrorCode::conflict: return 409;
    case ErrorCode::permission: return 403;
    case ErrorCode::timed_out:
    case ErrorCode::cancelled: return 408;
    case ErrorCode::too_large: return 413;
    case ErrorCode::unsupported: return 501;
    case ErrorCode::unavailable:
    case ErrorCode::no_space: return 503;
    case ErrorCode::io:
    case ErrorCode::corrupt: return 500;
    case ErrorCode::invalid_argument:
    case ErrorCode::malformed:
    case ErrorCode::out_of_range:
    case ErrorCode::query: return 400;
  }
  return 500;
}

}  // namespace tripos::serve
