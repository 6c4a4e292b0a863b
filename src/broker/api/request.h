// What a request's handler is given. One handler a request, one file a handler:
//
//   void handle_heartbeat(RequestContext& context, const wire::HeartbeatRequest& request, Reply<wire::HeartbeatResponse> reply);
//
// and one line in table.cc. `context` and `request` (its views) end with the call; what is kept longer is copied. `reply` is
// called exactly once, then or later, on the loop.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "broker/broker.h"
#include "broker/session_context.h"
#include "wire/framing.h"

namespace tripos::broker {

struct RequestContext {
  Broker& broker;
  SessionContext& session;
  wire::ApiKey api_key;
  std::int16_t version;
  std::string_view client_id;  // empty if the client gave none

  [[nodiscard]] bool allows(Operation operation, ResourceType type, std::string_view name) const {
    return broker.authorizer().allows(session, operation, type, name);
  }
};

template <typename Response>
class Reply {
 public:
  Reply(Responder responder, std::int16_t version, std::int32_t correlation_id)
      : responder_(std::move(responder)), version_(version), correlation_id_(correlation_id) {}

  void operator()(const Response& response) const { responder_(wire::encode_response_frame(response, version_, correlation_id_)); }
  // In another version's body than was asked for (ApiVersions only).
  void send_as(const Response& response, std::int16_t version) const {
    responder_(wire::encode_response_frame(response, version, correlation_id_));
  }
  void send_nothing() const { responder_(NoAnswer{}); }
  void close_session(std::string reason) const { responder_(CloseSession{std::move(reason)}); }

 private:
  Responder responder_;
  std::int16_t version_;
  std::int32_t correlation_id_;
};

}  // namespace tripos::broker
