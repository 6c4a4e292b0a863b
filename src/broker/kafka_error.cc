#include "broker/kafka_error.h"

namespace tripos::broker {

tl::unexpected<KafkaError> unknown_topic_or_partition() {
  return refuse(wire::ErrorCode::unknown_topic_or_partition, "This server does not host this topic-partition.");
}

KafkaError kafka_error(const Error& error) {
  const auto code = [&] {
    switch (error.code) {
      case tripos::ErrorCode::invalid_argument: return wire::ErrorCode::invalid_request;
      case tripos::ErrorCode::not_found: return wire::ErrorCode::unknown_topic_or_partition;
      case tripos::ErrorCode::already_exists: return wire::ErrorCode::topic_already_exists;
      case tripos::ErrorCode::malformed: return wire::ErrorCode::corrupt_message;
      case tripos::ErrorCode::out_of_range: return wire::ErrorCode::offset_out_of_range;
      case tripos::ErrorCode::too_large: return wire::ErrorCode::message_too_large;
      case tripos::ErrorCode::unsupported: return wire::ErrorCode::unsupported_version;
      case tripos::ErrorCode::timed_out: return wire::ErrorCode::request_timed_out;
      // Retriable for clients: the disk may get room, the partition may be repaired.
      case tripos::ErrorCode::corrupt:
      case tripos::ErrorCode::no_space:
      case tripos::ErrorCode::io:
      case tripos::ErrorCode::permission: return wire::ErrorCode::kafka_storage_error;
      case tripos::ErrorCode::unavailable:
      case tripos::ErrorCode::cancelled: return wire::ErrorCode::not_leader_or_follower;
      case tripos::ErrorCode::conflict:
      case tripos::ErrorCode::query: break;
    }
    return wire::ErrorCode::unknown_server_error;
  }();
  return {.code = code, .message = error.message};
}

}  // namespace tripos::broker
