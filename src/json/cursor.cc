#include "json/cursor.h"

#include "base/check.h"
#include "json/reader.h"
#include "json/string.h"

namespace tripos::json {

bool Cursor::check_escapes(std::string_view raw) noexcept {
  const std::size_t bad = find_bad_escape(raw);
  return bad == raw.size() || fail(Reason::bad_escape, raw.data() + bad);
}

bool Cursor::skip_value(int depth) noexcept {
  const char first = peek();
  if (first == '{' || first == '[') return skip_nested(depth);
  if (first == '"') return skip_string();
  if (first == 't' || first == 'f' || first == 'n') return skip_literal();
  if (first == '-' || is_digit(first)) return skip_number();
  return fail_here();
}

// Without recursion and with the position in a register: most of a value is skipped in most queries.
//
//   state            token                    → state
//   open             { [                      → first, one level more
//   first            the closing bracket      → closed
//                    anything else            → key in an object, value in an array
//   key              a string and a colon     → value
//   value            { [                      → open
//                    string, literal, number  → behind
//   behind           a comma                  → key or value
//                    the closing bracket      → closed
//   closed           (one level less)         → behind, or the end
bool Cursor::skip_nested(int depth) noexcept {
  CHECK(depth <= depth_max);
  const char* const from = base;
  const std::uint32_t* token = next;
  char closing[depth_max];  // by level
  int level = 0;
  char closes = 0;  // the closing bracket of the innermost level
  char c = from[*token];
  bool integer;
  // A string at `token`, none of whose escapes is looked at unless it has some.
  const auto string = [&] {
    if (backslash < from + token[1]) [[unlikely]] {
      next = token;
      return skip_string();
    }
    return true;
  };

open:
  if (level >= depth) {
    next = token;
    return fail(Reason::too_deep, at());
  }
  closes = static_cast<char>(c + 2);  // ASCII's } is two behind {, and ] behind [
  closing[level++] = closes;
  c = from[*++token];
  if (c == closes) goto closed;
  if (closes == ']') goto value;
key:
  if (from[token[0]] != '"' || from[token[1]] != ':') {
    next = token;
    return fail_key();
  }
  if (!string()) return false;
  token += 2;
value:
  c = from[*token];
  if (c == '"') {
    if (!string()) return false;
  } else if (c == 't' || c == 'f' || c == 'n') {
    if (!is_literal(from + *token, end)) {
      next = token;
      return fail(Reason::bad_literal, at());
    }
  } else if (c == '{' || c == '[') {
    goto open;
  } else if (c == '-' || is_digit(c)) {
    // Most numbers have one digit.
    const bool short_one = c != '-' && ends_scalar(from[*token + 1]);
    if (!short_one && scan_number(from + *token, integer) == nullptr) {
      next = token;
      return fail(Reason::bad_number, at());
    }
  } else {
    next = token;
    return fail_here();
  }
  // Not the last token, which is a closing bracket.
  c = from[*++token];
behind:
  if (c == ',') {
    ++token;
    if (closes == '}') goto key;
    goto value;
  }
  if (c != closes) {
    next = token;
    return fail_here();
  }
closed:
  ++token;
  if (--level == 0) {
    next = token;
    return true;
  }
  closes = closing[level - 1];
  if (token >= last) {
    next = token;
    return fail_here();
  }
  c = from[*token];
  goto behind;
}

}  // namespace tripos::json
