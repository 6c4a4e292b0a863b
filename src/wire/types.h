// Decoded, Malformed: how reading a message ends. Version limits of a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <tl/expected.hpp>

#include "base/error.h"

namespace tripos::wire {

// Bytes that are not the message that they claim to be.
struct Malformed {
  std::size_t byte = 0;  // where, counted from the start of what was decoded
  std::string field;     // the field's path: "topics[2].partitions[0].index"; empty: the message as a whole
  std::string reason;

  [[nodiscard]] std::string text() const {
    return fmt::format("byte {}, field {}: {}", byte, field.empty() ? "(whole)" : field.c_str(), reason);
  }
  [[nodiscard]] Error error() const { return Error{tripos::ErrorCode::malformed, text()}; }
};

template <typename T>
using Decoded = tl::expected<T, Malformed>;

// The longest string, also where the format could say more: what was read in a flexible version can be written in any.
inline constexpr std::size_t string_bytes_max = 32767;

// The flexible_from of a message without flexible versions (KIP-482).
inline constexpr std::int16_t never_flexible = std::numeric_limits<std::int16_t>::max();

}  // namespace tripos::wire
