// The table of all messages that the codec has (generated from schema/), for what treats them alike: headers, tests, fuzzing.
// Which requests the broker answers is the broker's own table; this one only says what can be read and written.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "wire/api_key.h"
#include "wire/output.h"
#include "wire/types.h"

namespace tripos::wire {

enum class MessageKind : std::uint8_t { request, response, data };

struct MessageRow {
  std::string_view name;
  MessageKind kind;
  ApiKey api_key;  // -1 for data
  std::int16_t version_min;
  std::int16_t version_max;
  std::int16_t flexible_from;
  // Decodes, then encodes what came out.
  Decoded<Output> (*transcode)(Bytes body, std::int16_t version);
};

[[nodiscard]] std::span<const MessageRow> message_table() noexcept;

// The first version of the request and its response that is flexible; never_flexible also for keys without a schema.
[[nodiscard]] std::int16_t flexible_from(ApiKey key) noexcept;

}  // namespace tripos::wire
