// HttpRequest: one whole request, decoded (RFC 9110, 9112).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tripos::serve {

struct HttpRequest {
  std::string method;                             // "POST"
  std::string path;                               // decoded, without the query: "/v1/sql"
  std::map<std::string, std::string> parameters;  // of the query, decoded; of several with a name the last
  std::string host;                               // the Host header, "" if there is none
  std::string origin;                             // the Origin header: the web page that asks, "" if none does
  bool keep_alive = true;
  bool chunked_answers = true;  // HTTP/1.1; a 1.0 client reads to the connection's end
  Buffer body;
};

// Splits "/v1/sql?format=json" and decodes its parts. False: a broken escape, or no path.
[[nodiscard]] bool parse_target(std::string_view target, HttpRequest& to);

[[nodiscard]] std::string_view status_phrase(int status) noexcept;

}  // namespace tripos::serve
