// KafkaError: a refusal in Kafka's terms, with the text that newer clients show. Outcome: a value or a refusal.
// kafka_error() is the one place where our errors become Kafka's codes.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"
#include "wire/error_code.h"

namespace tripos::broker {

struct KafkaError {
  wire::ErrorCode code = wire::ErrorCode::none;
  std::string message;
};

template <typename T = void>
using Outcome = tl::expected<T, KafkaError>;

template <typename... Args>
[[nodiscard]] tl::unexpected<KafkaError> refuse(wire::ErrorCode code, fmt::format_string<Args...> text, Args&&... args) {
  return tl::unexpected<KafkaError>(KafkaError{code, fmt::format(text, std::forward<Args>(args)...)});
}

// UNKNOWN_TOPIC_OR_PARTITION, in Kafka's words.
[[nodiscard]] tl::unexpected<KafkaError> unknown_topic_or_partition();

// What a client is told of a failure below the protocol.
[[nodiscard]] KafkaError kafka_error(const Error& error);

}  // namespace tripos::broker
