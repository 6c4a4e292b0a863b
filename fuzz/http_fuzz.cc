// HTTP requests: the same requests, or the same refusal, whatever the pieces that a connection's bytes come in; within the limits.
// First byte: the size of the pieces; then the bytes of the connection.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "input.h"
#include "serve/http_parser.h"

namespace tripos::serve {
namespace {

constexpr HttpLimits limits{.header_bytes_max = 512, .body_bytes_max = 256};

struct Outcome {
  std::vector<HttpRequest> requests;
  int status = 0;      // of the refusal; 0: none
  bool waits = false;  // for the rest of a request, which may be refused sooner or later
};

// As a session does: what the parser has not taken stays in front of what comes next.
Outcome parse(Bytes connection, std::size_t piece) {
  Outcome outcome;
  HttpParser parser(limits);
  Buffer received;
  while (!connection.empty()) {
    received.append(connection.substr(0, piece));
    connection.remove_prefix(std::min(piece, connection.size()));
    Bytes bytes = received;
    while (true) {
      if (const auto malformed = parser.feed(bytes)) {
        outcome.status = malformed->status;
        CHECK(outcome.status >= 400 && outcome.status < 500 && !malformed->reason.empty());
        return outcome;
      }
      (void)parser.wants_continue();
      auto request = parser.take();
      if (!request) break;
      CHECK(request->body.size() <= limits.body_bytes_max && request->path.starts_with('/'));
      outcome.requests.push_back(std::move(*request));
    }
    received.erase(0, received.size() - bytes.size());
    CHECK(received.size() <= limits.header_bytes_max);
    outcome.waits = parser.in_request() || !received.empty();
  }
  return outcome;
}

bool same(const HttpRequest& a, const HttpRequest& b) {
  return a.method == b.method && a.path == b.path && a.parameters == b.parameters && a.host == b.host && a.origin == b.origin &&
         a.keep_alive == b.keep_alive && a.chunked_answers == b.chunked_answers && a.body == b.body;
}

}  // namespace
}  // namespace tripos::serve

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tripos::serve;
  tripos::fuzz::Input input(data, size);
  const std::size_t piece = 1 + input.take<std::uint8_t>() % 32;
  // With the end of a header, so that few of them are refused later only.
  const tripos::Buffer connection = tripos::Buffer(input.rest()) + "\r\n\r\n";
  const Outcome pieces = parse(connection, piece);
  const Outcome at_once = parse(connection, connection.size() + 1);
  if (pieces.status == 431 || at_once.status == 431) return 0;  // at the limit itself pieces count otherwise, by an end of line
  CHECK(pieces.requests.size() == at_once.requests.size());
  for (std::size_t i = 0; i < pieces.requests.size(); ++i) CHECK(same(pieces.requests[i], at_once.requests[i]));
  CHECK((pieces.status == 0) == (at_once.status == 0) || (pieces.status == 0 ? pieces : at_once).waits);
  return 0;
}
