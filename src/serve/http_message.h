// HttpRequest: one whole request, decoded (RFC 9110, 9112). HttpConnection: what outlives it.
#pragma once

#include <any>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tripos::serve {

// What a route keeps for a connection, from request to request. It goes when the connection closes; work that holds it goes on.
// Threads: any.
class HttpConnection {
 public:
  void keep(std::any value) {
    const std::lock_guard lock(mutex_);
    if (!closed_) kept_ = std::move(value);
  }
  // A T that was kept; a default one if there is none.
  template <typename T>
  [[nodiscard]] T kept() {
    const std::lock_guard lock(mutex_);
    const T* value = std::any_cast<T>(&kept_);
    return value == nullptr ? T() : *value;
  }
  [[nodiscard]] bool keeps_something() {
    const std::lock_guard lock(mutex_);
    return kept_.has_value();
  }
  void close() {
    std::any gone;  // destroyed without the lock
    const std::lock_guard lock(mutex_);
    closed_ = true;
    gone.swap(kept_);
  }

 private:
  std::mutex mutex_;
  std::any kept_;
  bool closed_ = false;
};

struct HttpRequest {
  std::string method;                             // "POST"
  std::string path;                               // decoded, without the query: "/v1/sql"
  std::map<std::string, std::string> parameters;  // of the query, decoded; of several with a name the last
  std::string host;                               // the Host header, "" if there is none
  std::string origin;                             // the Origin header: the web page that asks, "" if none does
  bool keep_alive = true;
  bool chunked_answers = true;  // HTTP/1.1; a 1.0 client reads to the connection's end
  Buffer body;
  std::shared_ptr<HttpConnection> connection;
};

// Splits "/v1/sql?format=json" and decodes its parts. False: a broken escape, or no path.
[[nodiscard]] bool parse_target(std::string_view target, HttpRequest& to);

[[nodiscard]] std::string_view status_phrase(int status) noexcept;

}  // namespace tripos::serve
