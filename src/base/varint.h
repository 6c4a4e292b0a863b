// Variable-length integers of Kafka's formats: base 128, least significant group first; signed ones zigzag
// (Kafka protocol guide, "Protocol primitive types": UNSIGNED_VARINT, VARINT, VARLONG).
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace tripos {

inline constexpr int varint32_bytes_max = 5;
inline constexpr int varint64_bytes_max = 10;

// Reads at `position` (moved past what was read). False, with `position` unspecified: cut short or too long.
[[nodiscard]] bool read_unsigned_varint(Bytes from, std::size_t& position, std::uint32_t& value) noexcept;
[[nodiscard]] bool read_varint(Bytes from, std::size_t& position, std::int32_t& value) noexcept;
[[nodiscard]] bool read_varlong(Bytes from, std::size_t& position, std::int64_t& value) noexcept;

void append_unsigned_varint(Buffer& to, std::uint32_t value);
void append_varint(Buffer& to, std::int32_t value);
void append_varlong(Buffer& to, std::int64_t value);

// A nullable field of a record: its size as a varint, -1 for null, then its bytes.
void append_nullable(Buffer& to, const std::optional<Bytes>& bytes);

[[nodiscard]] std::size_t unsigned_varint_size(std::uint32_t value) noexcept;
[[nodiscard]] std::size_t varint_size(std::int32_t value) noexcept;
[[nodiscard]] std::size_t varlong_size(std::int64_t value) noexcept;

}  // namespace tripos
