// Bytes: a view of bytes that somebody else owns; Buffer: owned bytes. Big-endian loads and stores (Kafka's order).
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tripos {

using Bytes = std::string_view;
using Buffer = std::string;

namespace detail {
constexpr std::uint8_t byte_swap(std::uint8_t v) noexcept { return v; }
constexpr std::uint16_t byte_swap(std::uint16_t v) noexcept { return __builtin_bswap16(v); }
constexpr std::uint32_t byte_swap(std::uint32_t v) noexcept { return __builtin_bswap32(v); }
constexpr std::uint64_t byte_swap(std::uint64_t v) noexcept { return __builtin_bswap64(v); }
}  // namespace detail

static_assert(std::endian::native == std::endian::little, "loads and stores below swap bytes");

// The big-endian T at `from`, which has at least sizeof(T) bytes.
template <std::integral T>
[[nodiscard]] T load_be(const char* from) noexcept {
  std::make_unsigned_t<T> raw;
  std::memcpy(&raw, from, sizeof raw);
  return static_cast<T>(detail::byte_swap(raw));
}

template <std::integral T>
void store_be(char* to, T value) noexcept {
  const auto raw = detail::byte_swap(static_cast<std::make_unsigned_t<T>>(value));
  std::memcpy(to, &raw, sizeof raw);
}

template <std::integral T>
void append_be(Buffer& to, T value) {
  char raw[sizeof(T)];
  store_be(raw, value);
  to.append(raw, sizeof raw);
}

}  // namespace tripos
