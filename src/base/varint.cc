#include "base/varint.h"

#include <bit>

namespace tripos {
namespace {

constexpr std::uint64_t zigzag(std::int64_t v) noexcept {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t v) noexcept { return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1); }

// Bits beyond the type's width are malformed, not dropped.
template <typename Unsigned, int bytes_max>
bool read_groups(Bytes from, std::size_t& position, Unsigned& value) noexcept {
  constexpr int width_bits = sizeof(Unsigned) * 8;
  constexpr int last_group_bits = width_bits - 7 * (bytes_max - 1);
  Unsigned result = 0;
  for (int i = 0; i < bytes_max; ++i) {
    if (position >= from.size()) return false;
    const auto byte = static_cast<unsigned char>(from[position++]);
    if (i == bytes_max - 1 && byte >= (1U << last_group_bits)) return false;
    result |= static_cast<Unsigned>(static_cast<Unsigned>(byte & 0x7fU) << (7 * i));
    if (byte < 0x80U) {
      value = result;
      return true;
    }
  }
  return false;
}

void append_groups(Buffer& to, std::uint64_t value) {
  while (value >= 0x80) {
    to.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  to.push_back(static_cast<char>(value));
}

std::size_t groups(std::uint64_t value) noexcept { return value == 0 ? 1 : static_cast<std::size_t>(std::bit_width(value) + 6) / 7; }

}  // namespace

bool read_unsigned_varint(Bytes from, std::size_t& position, std::uint32_t& value) noexcept {
  return read_groups<std::uint32_t, varint32_bytes_max>(from, position, value);
}

bool read_varint(Bytes from, std::size_t& position, std::int32_t& value) noexcept {
  std::uint32_t raw = 0;
  if (!read_unsigned_varint(from, position, raw)) return false;
  value = static_cast<std::int32_t>(unzigzag(raw));
  return true;
}

bool read_varlong(Bytes from, std::size_t& position, std::int64_t& value) noexcept {
  std::uint64_t raw = 0;
  if (!read_groups<std::uint64_t, varint64_bytes_max>(from, position, raw)) return false;
  value = unzigzag(raw);
  return true;
}

void append_unsigned_varint(Buffer& to, std::uint32_t value) { append_groups(to, value); }
void append_varint(Buffer& to, std::int32_t value) { append_groups(to, static_cast<std::uint32_t>(zigzag(value))); }
void append_varlong(Buffer& to, std::int64_t value) { append_groups(to, zigzag(value)); }

void append_nullable(Buffer& to, const std::optional<Bytes>& bytes) {
  append_varint(to, bytes ? static_cast<std::int32_t>(bytes->size()) : -1);
  if (bytes) to.append(*bytes);
}

std::size_t unsigned_varint_size(std::uint32_t value) noexcept { return groups(value); }
std::size_t varint_size(std::int32_t value) noexcept { return groups(static_cast<std::uint32_t>(zigzag(value))); }
std::size_t varlong_size(std::int64_t value) noexcept { return groups(zigzag(value)); }

}  // namespace tripos
