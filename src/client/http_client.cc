#include "client/http_client.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace tripos::client {
namespace {

constexpr std::size_t line_size_max = 64U << 10;
constexpr std::size_t header_count_max = 200;
constexpr std::size_t read_size = 256U << 10;

tl::unexpected<Error> broken(std::string_view what) { return fail(ErrorCode::malformed, "the server's HTTP answer is broken: {}", what); }

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <typename Number>
bool parse_number(std::string_view text, Number& number, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string url_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      encoded.push_back(c);
    } else {
      encoded.append(fmt::format("%{:02X}", static_cast<unsigned char>(c)));
    }
  }
  return encoded;
}

Result<HttpHead> HttpClient::request(const HttpRequest& request, const BodySink& sink) {
  // A connection that was kept may have been closed meanwhile: such a one has input (its end) before anything was asked.
  if (stream_ && stream_->has_input()) stream_.reset();
  if (!stream_) {
    TRIPOS_ASSIGN(stream_, Stream::connect(address_, options_));
    input_.clear();
    taken_ = 0;
  }
  auto head = exchange(request, sink);
  const auto connection = head ? head->headers.find("connection") : decltype(head->headers.end()){};
  if (!head || (connection != head->headers.end() && lower(connection->second) == "close")) stream_.reset();
  return head;
}

Result<HttpHead> HttpClient::exchange(const HttpRequest& request, const BodySink& sink) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: tripos\r\n", request.method, request.target, address_.text());
  if (!request.body.empty() || request.method == "POST") {
    text.append(fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", request.content_type, request.body.size()));
  }
  text.append("\r\n").append(request.body);
  TRIPOS_TRY(stream_->send(text));
  TRIPOS_ASSIGN(HttpHead head, read_head());
  while (head.status >= 100 && head.status < 200) {  // "100 Continue" and the like precede the answer
    TRIPOS_ASSIGN(head, read_head());
  }
  TRIPOS_TRY(read_body(head, sink));
  return head;
}

Result<bool> HttpClient::fill() {
  input_.erase(0, taken_);
  taken_ = 0;
  const std::size_t kept = input_.size();
  input_.resize(kept + read_size);
  auto count = stream_->receive(std::span(input_).subspan(kept));
  input_.resize(kept + count.value_or(0));
  if (!count) return tl::unexpected(std::move(count).error());
  return *count > 0;
}

Result<std::string> HttpClient::read_line() {
  while (true) {
    const std::size_t end = input_.find("\r\n", taken_);
    if (end != Buffer::npos) {
      std::string line = input_.substr(taken_, end - taken_);
      taken_ = end + 2;
      return line;
    }
    if (input_.size() - taken_ > line_size_max) return broken("a line without end");
    TRIPOS_ASSIGN(const bool more, fill());
    if (!more) return fail(ErrorCode::unavailable, "{} has closed the connection", address_.text());
  }
}

Result<HttpHead> HttpClient::read_head() {
  TRIPOS_ASSIGN(const std::string status_line, read_line());
  HttpHead head;
  if (!status_line.starts_with("HTTP/1.") || status_line.size() < 12 ||
      !parse_number(std::string_view(status_line).substr(9, 3), head.status, 10)) {
    return broken(status_line.substr(0, 60));
  }
  while (true) {
    TRIPOS_ASSIGN(const std::string line, read_line());
    if (line.empty()) return head;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || head.headers.size() == header_count_max) return broken(line.substr(0, 60));
    head.headers[lower(std::string_view(line).substr(0, colon))] = std::string(trimmed(std::string_view(line).substr(colon + 1)));
  }
}

Result<> HttpClient::read_body(const HttpHead& head, const BodySink& sink) {
  if (const auto encoding = head.headers.find("transfer-encoding"); encoding != head.headers.end()) {
    if (lower(encoding->second) != "chunked") return broken("an unknown transfer encoding");
    return read_chunks(head, sink);
  }
  if (const auto length = head.headers.find("content-length"); length != head.headers.end()) {
    std::uint64_t count = 0;
    if (!parse_number(length->second, count, 10)) return broken("its length is no number");
    return read_counted(count, head, sink);
  }
  if (head.status == 204 || head.status == 304) return {};
  while (true) {
    TRIPOS_TRY(sink(head, Bytes(input_).substr(taken_)));
    taken_ = input_.size();
    TRIPOS_ASSIGN(const bool more, fill());
    if (!more) {
      stream_.reset();
      return {};
    }
  }
}

Result<> HttpClient::read_counted(std::uint64_t count, const HttpHead& head, const BodySink& sink) {
  while (count > 0) {
    if (taken_ == input_.size()) {
      TRIPOS_ASSIGN(const bool more, fill());
      if (!more) return fail(ErrorCode::io, "{} has closed the connection in the middle of its answer", address_.text());
    }
    const Bytes slice = Bytes(input_).substr(taken_, count);
    taken_ += slice.size();
    count -= slice.size();
    TRIPOS_TRY(sink(head, slice));
  }
  return {};
}

Result<> HttpClient::read_chunks(const HttpHead& head, const BodySink& sink) {
  while (true) {
    TRIPOS_ASSIGN(const std::string line, read_line());
    std::uint64_t size = 0;
    if (!parse_number(trimmed(std::string_view(line).substr(0, line.find(';'))), size, 16)) return broken("a chunk without its size");
    if (size == 0) break;
    TRIPOS_TRY(read_counted(size, head, sink));
    TRIPOS_ASSIGN(const std::string end, read_line());
    if (!end.empty()) return broken("a chunk that does not end where it should");
  }
  while (true) {  // trailers
    TRIPOS_ASSIGN(const std::string line, read_line());
    if (line.empty()) return {};
  }
}

}  // namespace tripos::client
