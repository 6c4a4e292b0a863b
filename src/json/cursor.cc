#include "json/cursor.h"

#include "json/string.h"

namespace tripos::json {

bool Cursor::check_escapes(std::string_view raw) noexcept {
  const std::size_t bad = find_bad_escape(raw);
  return bad == raw.size() || fail(Reason::bad_escape, raw.data() + bad);
}

bool Cursor::skip_value(int depth) noexcept {
  switch (peek()) {
    case '"': return skip_string();
    case '{': return skip_object(depth);
    case '[': return skip_array(depth);
    case 't':
    case 'f':
    case 'n': return skip_literal();
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return skip_number();
    default: return fail_here();
  }
}

bool Cursor::skip_object(int depth) noexcept {
  if (depth <= 0) return fail(Reason::too_deep, at());
  ++next;
  if (peek() == '}') {
    ++next;
    return true;
  }
  while (true) {
    if (!at_key()) return fail_key();
    if (!skip_string()) return false;
    ++next;
    if (!skip_value(depth - 1)) return false;
    if (at_comma()) {
      ++next;
      continue;
    }
    if (!at_close('}')) return fail_here();
    ++next;
    return true;
  }
}

bool Cursor::skip_array(int depth) noexcept {
  if (depth <= 0) return fail(Reason::too_deep, at());
  ++next;
  if (peek() == ']') {
    ++next;
    return true;
  }
  while (true) {
    if (!skip_value(depth - 1)) return false;
    if (at_comma()) {
      ++next;
      continue;
    }
    if (!at_close(']')) return fail_here();
    ++next;
    return true;
  }
}

}  // namespace tripos::json
