#include "serve/http_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace tripos::serve {

namespace http = boost::beast::http;
using boost::beast::error_code;

struct HttpParser::State {
  http::request_parser<http::string_body> parser;
  bool begun = false;
  bool continue_answered = false;
};

namespace {

HttpParser::Malformed malformed(const error_code& error) {
  if (error == http::error::body_limit) return {.status = 413, .reason = "the request's body is larger than the server takes"};
  if (error == http::error::header_limit) return {.status = 431, .reason = "the request's header is larger than the server takes"};
  return {.status = 400, .reason = "not an HTTP request: " + error.message()};
}

// The end of a chunked body, `0 CR LF CR LF`, at least: before it is there no such request is whole.
constexpr std::size_t chunked_end_bytes = 5;

std::string text(boost::beast::string_view view) { return {view.data(), view.size()}; }

}  // namespace

HttpParser::HttpParser(HttpLimits limits) : limits_(limits) { (void)take(); }
HttpParser::~HttpParser() = default;

std::optional<HttpParser::Malformed> HttpParser::feed(Bytes& bytes) {
  while (!bytes.empty() && !state_->parser.is_done()) {
    // Beast 1.74 aborts when the first chunk is the last one and fewer bytes of it come than this, twice.
    const bool in_chunks = state_->parser.is_header_done() && state_->parser.chunked();
    if (in_chunks && bytes.size() < chunked_end_bytes) return std::nullopt;
    error_code error;
    const std::size_t taken = state_->parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(taken);
    state_->begun = state_->begun || taken > 0 || !bytes.empty();
    if (error == http::error::need_more) {
      // Beast leaves a header that isn't whole in the caller's hands, and looks at its limit only when more of it has come; the header
      // of a chunk and what may stand behind the last one have no limit there.
      if (bytes.size() > limits_.header_bytes_max) return malformed(http::error::header_limit);
      return std::nullopt;
    }
    if (error) return malformed(error);
    if (taken == 0) return std::nullopt;
  }
  if (!state_->parser.is_done()) return std::nullopt;
  const auto& message = state_->parser.get();
  if (message.version() != 10 && message.version() != 11) return Malformed{.status = 400, .reason = "HTTP 1.0 and 1.1 are spoken here"};
  HttpRequest target;
  if (!parse_target(text(message.target()), target)) return Malformed{.status = 400, .reason = "the request's target is broken"};
  return std::nullopt;
}

std::optional<HttpRequest> HttpParser::take() {
  std::optional<HttpRequest> request;
  if (state_) {
    if (!state_->parser.is_done()) return request;
    auto message = state_->parser.release();
    request.emplace();
    request->method = text(message.method_string());
    (void)parse_target(text(message.target()), *request);  // feed() has checked it
    request->host = text(message[http::field::host]);
    request->origin = text(message[http::field::origin]);
    request->keep_alive = message.keep_alive();
    request->chunked_answers = message.version() >= 11;
    request->body = std::move(message.body());
  }
  state_ = std::make_unique<State>();
  state_->parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
  state_->parser.body_limit(limits_.body_bytes_max);
  state_->parser.eager(true);
  return request;
}

bool HttpParser::in_request() const noexcept { return state_->begun; }

bool HttpParser::wants_continue() {
  if (state_->continue_answered || !state_->parser.is_header_done() || state_->parser.is_done()) return false;
  state_->continue_answered = true;
  return boost::beast::iequals(state_->parser.get()[http::field::expect], "100-continue");
}

}  // namespace tripos::serve
