#include "json/verdict.h"

#include <fmt/format.h>

namespace tripos::json {

std::string_view to_string(Reason reason) noexcept {
  switch (reason) {
    case Reason::none: return "valid";
    case Reason::empty: return "empty value";
    case Reason::byte_order_mark: return "byte order mark";
    case Reason::not_utf8: return "not UTF-8";
    case Reason::control_character: return "unescaped control character in a string";
    case Reason::unclosed_string: return "unclosed string";
    case Reason::bad_escape: return "bad escape in a string";
    case Reason::bad_number: return "bad number";
    case Reason::bad_literal: return "neither true, false nor null";
    case Reason::unexpected_character: return "unexpected character";
    case Reason::ends_early: return "ends early";
    case Reason::too_deep: return "nested too deep";
    case Reason::too_large: return "too large";
    case Reason::trailing_bytes: return "bytes after the value";
    case Reason::top_level_array: return "top level is an array";
    case Reason::top_level_scalar: return "top level is not an object";
  }
  return "";
}

std::string Verdict::text() const {
  if (outcome != Outcome::rejected) return {};
  return fmt::format("{} at byte {}", to_string(reason), byte);
}

}  // namespace tripos::json
