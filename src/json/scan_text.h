// Scans over JSON text that nobody has validated yet.
#pragma once

#include <cstdint>
#include <cstring>

namespace tripos::json {

[[nodiscard]] inline bool is_white_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// The first quote or backslash of [at, end), or end. Eight bytes at a time.
[[nodiscard]] inline const char* find_quote_or_backslash(const char* at, const char* end) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t highs = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t word) { return (word - ones) & ~word & highs; };
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    const std::uint64_t found =
        has_zero(word ^ ones * static_cast<unsigned char>('"')) | has_zero(word ^ ones * static_cast<unsigned char>('\\'));
    if (found != 0) return at + __builtin_ctzll(found) / 8;
    at += 8;
  }
  while (at < end && *at != '"' && *at != '\\') ++at;
  return at;
}

// Behind the closing quote of the string whose opening quote is at[-1]; end where it is not closed.
[[nodiscard]] inline const char* skip_string(const char* at, const char* end) noexcept {
  while (true) {
    at = find_quote_or_backslash(at, end);
    if (at == end) return end;
    if (*at == '"') return at + 1;
    if (end - at < 2) return end;
    at += 2;
  }
}

}  // namespace tripos::json
