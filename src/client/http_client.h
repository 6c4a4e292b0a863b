// HttpClient: HTTP/1.1 requests to one server, one after the other on a connection that is kept (RFC 9112).
// Bodies stream to a sink; they come by length, in chunks, or until the server closes. Sizes of heads are bounded.
// Threads: one at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "client/stream.h"

namespace tripos::client {

struct HttpRequest {
  std::string method = "GET";
  std::string target = {};  // path and query, encoded
  std::string body = {};
  std::string content_type = "text/plain; charset=utf-8";
};

struct HttpHead {
  [[nodiscard]] bool ok() const noexcept { return status == 200; }

  int status = 0;
  std::map<std::string, std::string, std::less<>> headers;  // names in lower case
};

class HttpClient {
 public:
  using BodySink = std::function<Result<>(const HttpHead& head, Bytes slice)>;

  HttpClient(Address address, StreamOptions options) : address_(std::move(address)), options_(options) {}

  // The answer's head; its body has gone to the sink. Connects where there is no connection, or the server has closed it meanwhile.
  [[nodiscard]] Result<HttpHead> request(const HttpRequest& request, const BodySink& sink);

  [[nodiscard]] const Address& address() const noexcept { return address_; }

 private:
  [[nodiscard]] Result<HttpHead> exchange(const HttpRequest& request, const BodySink& sink);
  [[nodiscard]] Result<HttpHead> read_head();
  [[nodiscard]] Result<> read_body(const HttpHead& head, const BodySink& sink);
  [[nodiscard]] Result<> read_chunks(const HttpHead& head, const BodySink& sink);
  [[nodiscard]] Result<> read_counted(std::uint64_t count, const HttpHead& head, const BodySink& sink);
  // A line without its end, valid until more is read.
  [[nodiscard]] Result<std::string> read_line();
  // Reads on into input_; false: the server has closed.
  [[nodiscard]] Result<bool> fill();

  Address address_;
  StreamOptions options_;
  std::optional<Stream> stream_;
  Buffer input_;
  std::size_t taken_ = 0;  // of input_
};

// As application/x-www-form-urlencoded, for query strings.
[[nodiscard]] std::string url_encoded(std::string_view text);

}  // namespace tripos::client
