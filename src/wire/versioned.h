// Messages that stand alone with their version in front (int16): the consumer protocol's subscriptions and assignments, and the keys
// and values of __consumer_offsets.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"
#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace tripos::wire {

// What to make of a version above our newest.
enum class NewerVersion : std::uint8_t {
  refuse,             // stored records: their fields may have changed
  read_as_our_newest  // the consumer protocol: newer versions only append fields, and whoever is older reads what it knows
};

// The version in front; nothing is known of the rest.
[[nodiscard]] inline Decoded<std::int16_t> decode_version(Bytes bytes) {
  Reader in(bytes, false);
  std::int16_t version = 0;
  if (!in.int16("version", version)) return in.malformed();
  return version;
}

// Views in the message point into `bytes`.
template <typename Message>
[[nodiscard]] Decoded<Message> decode_versioned(Bytes bytes, NewerVersion newer = NewerVersion::refuse) {
  const Decoded<std::int16_t> version = decode_version(bytes);
  if (!version) return tl::unexpected(version.error());
  const std::int16_t readable = newer == NewerVersion::refuse ? *version : std::min(*version, Message::version_max);
  auto message = Message::decode(bytes.substr(sizeof(std::int16_t)), readable);
  if (!message) message.error().byte += sizeof(std::int16_t);
  return message;
}

template <typename Message>
[[nodiscard]] Buffer encode_versioned(const Message& message, std::int16_t version) {
  Output out;
  out.append_integer(version);
  message.encode(out, version);
  return std::move(out.tail());
}

}  // namespace tripos::wire
