// serve<&handle_x>: what stands between the table and a handler, the same for all requests: decode, hand over, or end the session.
#pragma once

#include <cstdint>
#include <utility>

#include "broker/api/request.h"

namespace tripos::broker {

template <typename Handler>
struct HandlerTypes;
template <typename RequestType, typename ResponseType>
struct HandlerTypes<void (*)(RequestContext&, const RequestType&, Reply<ResponseType>)> {
  using Request = RequestType;
  using Response = ResponseType;
};

template <auto handler>
void serve(RequestContext& context, Bytes body, std::int32_t correlation_id, Responder responder) {
  using Types = HandlerTypes<decltype(handler)>;
  static_assert(Types::Request::api_key == Types::Response::api_key);
  const auto request = Types::Request::decode(body, context.version);
  // Kafka ends the session too: a client that writes what it does not mean can't be trusted to read an answer.
  if (!request)
    return responder(CloseSession{fmt::format("{} v{}: {}", to_string(context.api_key), context.version, request.error().text())});
  handler(context, *request, Reply<typename Types::Response>(std::move(responder), context.version, correlation_id));
}

}  // namespace tripos::broker
