#include "serve/http_message.h"

#include <optional>

namespace tripos::serve {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Percent-decoding (RFC 3986, 2.1); in a query '+' means a space.
std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
  std::string to;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      to.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      to.push_back(text[i] == '+' && plus_is_space ? ' ' : text[i]);
    }
  }
  return to;
}

}  // namespace

bool parse_target(std::string_view target, HttpRequest& to) {
  target = target.substr(0, target.find('#'));
  const auto question = target.find('?');
  auto path = decoded(target.substr(0, question), false);
  if (!path || path->empty() || path->front() != '/') return false;
  to.path = std::move(*path);
  std::string_view query = question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = decoded(pair.substr(0, equals), true);
    auto value = decoded(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !value) return false;
    to.parameters[std::move(*name)] = std::move(*value);
  }
  return true;
}

std::string_view status_phrase(int status) noexcept {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Unknown";
  }
}

}  // namespace tripos::serve
