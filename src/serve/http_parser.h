// HttpParser: requests out of a connection's bytes, in pieces of any size. Boost.Beast does the parsing; only http_parser.cc knows it.
// Threads: the loop's.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"
#include "serve/http_message.h"

namespace tripos::serve {

struct HttpLimits {
  std::size_t header_bytes_max = std::size_t{16} << 10;
  std::size_t body_bytes_max = std::size_t{16} << 20;
};

class HttpParser {
 public:
  explicit HttpParser(HttpLimits limits);
  ~HttpParser();
  HttpParser(const HttpParser&) = delete;
  HttpParser& operator=(const HttpParser&) = delete;

  struct Malformed {
    int status = 400;
    std::string reason;
  };

  // Takes bytes of the connection from the front of `bytes`; what it has taken is removed. After a malformed request: no more.
  [[nodiscard]] std::optional<Malformed> feed(Bytes& bytes);

  // The request, once it is whole; the parser then is ready for the next.
  [[nodiscard]] std::optional<HttpRequest> take();

  // Something of a request has come, but not all.
  [[nodiscard]] bool in_request() const noexcept;
  // True once for a request whose sender waits to hear "100 Continue" before it sends the body.
  [[nodiscard]] bool wants_continue();

 private:
  struct State;
  HttpLimits limits_;
  std::unique_ptr<State> state_;
};

}  // namespace tripos::serve
