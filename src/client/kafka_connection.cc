#include "client/kafka_connection.h"

#include "base/check.h"
#include "wire/api_versions.h"

namespace tripos::client {

Result<KafkaConnection> KafkaConnection::connect(const Address& address, const KafkaOptions& options) {
  TRIPOS_ASSIGN(Stream stream, Stream::connect(address, options.stream));
  KafkaConnection connection(std::move(stream), options);
  TRIPOS_TRY(connection.ask_versions());
  return connection;
}

Result<> KafkaConnection::ask_versions() {
  // Version 0 of this request is understood by every broker that has it, and lists everything else.
  versions_[wire::ApiKey::api_versions] = {0, 0};
  TRIPOS_ASSIGN(const auto response, call<wire::ApiVersionsResponse>(wire::ApiVersionsRequest{}));
  if (response.error_code != wire::ErrorCode::none) return tl::unexpected(kafka_error(response.error_code, "the broker's versions"));
  for (const auto& api : response.api_keys) versions_[static_cast<wire::ApiKey>(api.api_key)] = {api.min_version, api.max_version};
  return {};
}

Result<std::int16_t> KafkaConnection::choose_version(wire::ApiKey key, std::int16_t min, std::int16_t max) const {
  const auto spoken = versions_.find(key);
  if (spoken == versions_.end())
    return fail(ErrorCode::unsupported, "the broker at {} does not know the request {}", peer(), to_string(key));
  const std::int16_t version = std::min(max, spoken->second.max);
  if (version < min || version < spoken->second.min) {
    return fail(ErrorCode::unsupported, "the broker at {} speaks versions {} to {} of {}, this program {} to {}", peer(),
                spoken->second.min, spoken->second.max, to_string(key), min, max);
  }
  return version;
}

Result<> KafkaConnection::send_frame(const wire::Output& frame) {
  for (const wire::Output::Part& part : frame.parts()) {
    if (const Buffer* buffer = std::get_if<Buffer>(&part)) {
      TRIPOS_TRY(stream_.send(*buffer));
    } else if (const wire::SharedBuffer* shared = std::get_if<wire::SharedBuffer>(&part)) {
      TRIPOS_TRY(stream_.send(**shared));
    } else {
      CHECK(false);  // only a broker sends slices of a log
    }
  }
  return {};
}

Result<Bytes> KafkaConnection::receive_frame() {
  while (true) {
    auto step = decoder_.next(unread_);
    if (const Bytes* frame = std::get_if<Bytes>(&step)) return *frame;
    if (const wire::Malformed* malformed = std::get_if<wire::Malformed>(&step)) return tl::unexpected(broken(*malformed));
    TRIPOS_ASSIGN(const std::size_t count, stream_.receive(input_));
    if (count == 0) return fail(ErrorCode::unavailable, "{} has closed the connection", peer());
    unread_ = Bytes(input_.data(), count);
  }
}

Result<KafkaConnection::Answer> KafkaConnection::receive_answer(wire::ApiKey key) {
  CHECK(!expected_.empty() && expected_.front().key == key);
  const Expected expected = expected_.front();
  expected_.pop_front();
  TRIPOS_ASSIGN(const Bytes frame, receive_frame());
  const auto response = wire::decode_response_frame(frame, expected.key, expected.version);
  if (!response) return tl::unexpected(broken(response.error()));
  if (response->correlation_id != expected.correlation_id) {
    return fail(ErrorCode::malformed, "{} answered request {} where {} was due", peer(), response->correlation_id, expected.correlation_id);
  }
  return Answer{expected.version, response->body};
}

Error KafkaConnection::broken(const wire::Malformed& malformed) const {
  return malformed.error().within(fmt::format("a response of {} is broken", peer()));
}

Error kafka_error(wire::ErrorCode code, std::string_view subject, std::string_view message) {
  const ErrorCode kind = [code] {
    switch (code) {
      case wire::ErrorCode::unknown_topic_or_partition: return ErrorCode::not_found;
      case wire::ErrorCode::topic_already_exists: return ErrorCode::already_exists;
      case wire::ErrorCode::offset_out_of_range: return ErrorCode::out_of_range;
      case wire::ErrorCode::message_too_large:
      case wire::ErrorCode::record_list_too_large: return ErrorCode::too_large;
      case wire::ErrorCode::request_timed_out: return ErrorCode::timed_out;
      case wire::ErrorCode::kafka_storage_error: return ErrorCode::io;
      case wire::ErrorCode::unsupported_version: return ErrorCode::unsupported;
      case wire::ErrorCode::leader_not_available:
      case wire::ErrorCode::not_leader_or_follower:
      case wire::ErrorCode::coordinator_load_in_progress: return ErrorCode::unavailable;
      default: return ErrorCode::invalid_argument;
    }
  }();
  if (!message.empty()) return {kind, fmt::format("{}: {} ({})", subject, message, to_string(code))};
  return {kind, fmt::format("{}: {}", subject, to_string(code))};
}

}  // namespace tripos::client
