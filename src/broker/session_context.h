// SessionContext: what the broker knows of the connection that a request came on. Responder: where its answer goes.
// The broker's core has no sockets: whoever has a frame (a session in net/, a test) brings these two with it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "wire/output.h"

namespace tripos::broker {

// Who asks. Until there is authentication, everybody is User:ANONYMOUS.
struct Principal {
  std::string type = "User";
  std::string name = "ANONYMOUS";
};

struct SessionContext {
  Principal principal;
  std::string client_host;      // numeric, without port
  std::string client_software;  // what ApiVersions (v3 on) has told: name and version
};

struct NoAnswer {};  // as acks=0 asks for
struct CloseSession {
  std::string reason;
};
// A response is a whole frame, size included.
using Answer = std::variant<wire::Output, NoAnswer, CloseSession>;

// Called exactly once, on the loop, during handle() or long after it; the session may be gone by then, and the answer is dropped.
// Answers may come in any order; the session sends them in the order of their requests.
using Responder = std::function<void(Answer)>;

}  // namespace tripos::broker
