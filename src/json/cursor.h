// Cursor: a strict walk over the tokens of one value (internal to this folder).
//
// `next` walks over the positions at which tokens start, as simdjson's first stage has found them: each of { } [ ] : , and the first
// byte of each string, number and literal; *last is the value's size. The first stage has checked UTF-8, control characters and that
// strings are closed; white space is between tokens only.
//
// Invariant (Reader::start): the byte of the last token is a closing bracket, or bytes behind the value are readable spaces. So a
// scan over a number or literal ends inside of the value, and only behind a complete value must `next` be compared with `last`.
//
// Functions return false, with reason and byte set, where the value is not JSON.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "json/verdict.h"

namespace tripos::json {

namespace detail {
// What may follow a number or literal.
inline constexpr std::array<bool, 256> ends_scalar = [] {
  std::array<bool, 256> table{};
  for (const char c : {' ', '\t', '\n', '\r', ',', '}', ']', ':'}) table[static_cast<unsigned char>(c)] = true;
  return table;
}();
}  // namespace detail

[[nodiscard]] inline bool ends_scalar(char c) noexcept { return detail::ends_scalar[static_cast<unsigned char>(c)]; }
[[nodiscard]] inline bool is_digit(char c) noexcept { return static_cast<unsigned char>(c - '0') < 10; }

// Where the number at `at` ends; nullptr: bad by RFC 8259, 6. `integer`: neither fraction nor exponent.
[[nodiscard]] inline const char* scan_number(const char* at, bool& integer) noexcept {
  at += *at == '-' ? 1 : 0;
  if (*at == '0') {
    ++at;
  } else {
    if (!is_digit(*at)) return nullptr;
    do ++at;
    while (is_digit(*at));
  }
  integer = true;
  if (*at == '.') {
    integer = false;
    ++at;
    if (!is_digit(*at)) return nullptr;
    do ++at;
    while (is_digit(*at));
  }
  if (*at == 'e' || *at == 'E') {
    integer = false;
    ++at;
    if (*at == '+' || *at == '-') ++at;
    if (!is_digit(*at)) return nullptr;
    do ++at;
    while (is_digit(*at));
  }
  return ends_scalar(*at) ? at : nullptr;
}

struct Cursor {
  const char* base = nullptr;
  const std::uint32_t* next = nullptr;
  const std::uint32_t* last = nullptr;
  const char* end = nullptr;  // base + the value's size
  bool escapes = false;       // there is a backslash somewhere
  Reason reason = Reason::none;
  std::size_t byte = 0;

  [[nodiscard]] const char* at() const noexcept { return base + *next; }
  [[nodiscard]] char peek() const noexcept { return base[*next]; }

  bool fail(Reason why, const char* where) noexcept {
    reason = why;
    byte = static_cast<std::size_t>(where - base);
    return false;
  }
  // The token at `next` is not what must come here.
  bool fail_here() noexcept {
    if (next >= last) return fail(Reason::ends_early, end);
    return fail(Reason::unexpected_character, at());
  }

  // The string at `next` without its quotes, escapes as they are.
  [[nodiscard]] std::string_view raw_string() const noexcept {
    const char* const begin = base + next[0] + 1;
    const char* closing = base + next[1] - 1;
    while (*closing != '"') --closing;
    return {begin, static_cast<std::size_t>(closing - begin)};
  }
  [[nodiscard]] bool has_escape(std::string_view raw) const noexcept {
    return escapes && std::memchr(raw.data(), '\\', raw.size()) != nullptr;
  }
  [[nodiscard]] bool check_escapes(std::string_view raw) noexcept;

  bool skip_string() noexcept {
    if (escapes) [[unlikely]] {
      const std::string_view raw = raw_string();
      if (has_escape(raw) && !check_escapes(raw)) return false;
    }
    ++next;
    return true;
  }
  bool skip_number() noexcept {
    bool integer;
    if (scan_number(at(), integer) == nullptr) return fail(Reason::bad_number, at());
    ++next;
    return true;
  }
  [[nodiscard]] bool is_true() const noexcept { return is_literal("true"); }
  [[nodiscard]] bool is_false() const noexcept { return is_literal("false"); }
  [[nodiscard]] bool is_null() const noexcept { return is_literal("null"); }
  bool skip_literal() noexcept {
    const bool good = peek() == 'n' ? is_null() : peek() == 't' ? is_true() : is_false();
    if (!good) return fail(Reason::bad_literal, at());
    ++next;
    return true;
  }

  // At a key: a string with a colon after it. Only that is checked, not its escapes.
  [[nodiscard]] bool at_key() const noexcept { return base[next[0]] == '"' && base[next[1]] == ':'; }
  bool fail_key() noexcept {
    if (next < last && peek() == '"') ++next;
    return fail_here();
  }
  // Behind a value of an object or array.
  [[nodiscard]] bool at_comma() const noexcept { return next < last && peek() == ','; }
  [[nodiscard]] bool at_close(char bracket) const noexcept { return next < last && peek() == bracket; }

  // Validates the value at `next` and goes behind it; `depth`: levels of nesting that it may have.
  bool skip_value(int depth) noexcept;

 private:
  template <std::size_t Size>
  [[nodiscard]] bool is_literal(const char (&word)[Size]) const noexcept {
    constexpr std::size_t length = Size - 1;
    const char* const from = at();
    if (static_cast<std::size_t>(end - from) < length) return false;
    return std::memcmp(from, word, length) == 0 && (from + length == end || ends_scalar(from[length]));
  }
  bool skip_object(int depth) noexcept;
  bool skip_array(int depth) noexcept;
};

}  // namespace tripos::json
