// Verdict: what a record's value is to a table (rules, 4.6).
//   row        valid JSON (RFC 8259, UTF-8) whose top level is an object
//   tombstone  no value
//   rejected   everything else, with the reason and the byte where it shows
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tripos::json {

enum class Outcome : std::uint8_t { row, tombstone, rejected };

enum class Reason : std::uint8_t {
  none,
  empty,            // no bytes, or white space only
  byte_order_mark,  // RFC 8259, 8.1: not to be added
  not_utf8,
  control_character,  // unescaped, inside of a string
  unclosed_string,
  bad_escape,
  bad_number,
  bad_literal,           // neither true, false nor null
  unexpected_character,  // a comma, colon, key or value is missing, or one too many
  ends_early,
  too_deep,         // more than depth_max levels
  too_large,        // more bytes than value_size_max
  trailing_bytes,   // something follows the value; several documents in one record too
  top_level_array,  // valid JSON, but not a row
  top_level_scalar,
};

[[nodiscard]] std::string_view to_string(Reason reason) noexcept;  // a phrase: "bad number"

struct Verdict {
  Outcome outcome = Outcome::row;
  Reason reason = Reason::none;
  std::size_t byte = 0;  // of a rejected value: where the reason shows

  [[nodiscard]] bool is_row() const noexcept { return outcome == Outcome::row; }
  // "bad number at byte 17"; empty unless rejected.
  [[nodiscard]] std::string text() const;
};

}  // namespace tripos::json
