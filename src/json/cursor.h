// Cursor: a strict walk over the tokens of one value (internal to this folder).
//
// `next` walks over the positions at which tokens start, as simdjson's first stage has found them: each of { } [ ] : , and the first
// byte of each string, number and literal; *last is the value's size. The first stage has checked UTF-8, control characters and that
// strings are closed; white space is between tokens only.
//
// Invariant (Reader::start): the byte of the last token is a closing bracket, or bytes behind the value are readable spaces. So a
// scan over a number or literal ends inside of the value, and only behind a complete value must `next` be compared with `last`.
//
// Functions return false, with reason and byte set, where the value is not JSON. A cursor goes forward, or go_back().
#pragma once

#include <array>
#include <bit>
#include <cstddef>
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

// What a load of four letters gives.
consteval std::uint32_t loaded(const char (&letters)[5]) {
  return std::bit_cast<std::uint32_t>(std::array{letters[0], letters[1], letters[2], letters[3]});
}
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

// Is there true, false or null at `at`, which is before `end`?
[[nodiscard]] inline bool is_literal(const char* at, const char* end) noexcept {
  const std::ptrdiff_t length = *at == 'f' ? 5 : 4;
  if (end - at < length) return false;
  std::uint32_t last_four;  // letters
  std::memcpy(&last_four, at + length - 4, 4);
  const std::uint32_t wanted = *at == 't' ? detail::loaded("true") : *at == 'f' ? detail::loaded("alse") : detail::loaded("null");
  return last_four == wanted && (at + length == end || ends_scalar(at[length]));
}

struct Cursor {
  const char* base = nullptr;
  const std::uint32_t* next = nullptr;
  const std::uint32_t* last = nullptr;
  const char* end = nullptr;        // base + the value's size
  const char* backslash = nullptr;  // the first one that is not before the latest string that was looked at; `end`: there is none
  Reason reason = Reason::none;
  std::size_t byte = 0;

  [[nodiscard]] const char* at() const noexcept { return base + *next; }
  void go_back(const std::uint32_t* token) noexcept {
    next = token;
    backslash = find_backslash(at());
  }
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
  [[nodiscard]] bool has_escape(std::string_view raw) noexcept {
    const char* const raw_end = raw.data() + raw.size();
    if (backslash >= raw_end) [[likely]] {
      return false;
    }
    if (backslash < raw.data()) backslash = find_backslash(raw.data());
    return backslash < raw_end;
  }
  [[nodiscard]] bool check_escapes(std::string_view raw) noexcept;
  [[nodiscard]] const char* find_backslash(const char* from) const noexcept {
    const void* const found = std::memchr(from, '\\', static_cast<std::size_t>(end - from));
    return found == nullptr ? end : static_cast<const char*>(found);
  }

  // A string that has no backslash for sure, at a token that is not the last one.
  [[nodiscard]] bool is_plain_string(const std::uint32_t* token) const noexcept {
    return base[token[0]] == '"' && backslash >= base + token[1];
  }
  bool skip_string() noexcept {
    if (backslash < base + next[1]) [[unlikely]] {
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
  bool skip_literal() noexcept {
    if (!is_literal(at(), end)) return fail(Reason::bad_literal, at());
    ++next;
    return true;
  }

  // At a key: a string with a colon after it. Only that is checked, not its escapes.
  [[nodiscard]] bool is_key(const std::uint32_t* token) const noexcept { return base[token[0]] == '"' && base[token[1]] == ':'; }
  [[nodiscard]] bool at_key() const noexcept { return is_key(next); }
  bool fail_key() noexcept {
    if (next < last && peek() == '"') ++next;
    return fail_here();
  }
  // Behind a value of an object or array.
  [[nodiscard]] bool at_comma() const noexcept { return next < last && peek() == ','; }
  [[nodiscard]] bool at_close(char bracket) const noexcept { return next < last && peek() == bracket; }

  // Validates the value at `next` and goes behind it; `depth`: levels of nesting that it may have, at most depth_max (reader.h).
  bool skip_value(int depth) noexcept;

 private:
  bool skip_nested(int depth) noexcept;
};

}  // namespace tripos::json
