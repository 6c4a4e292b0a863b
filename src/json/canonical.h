// Canonical JSON: the one text by which a string column shows a value that isn't a string (rules, 4.2). It depends on the value alone,
// not on how it was written or whether it went through typed columns in between:
//   - no spaces; keys sorted in byte order, of duplicates the last; fields that are null or missing left out (nulls in arrays stay)
//   - numbers as doubles: whole ones up to 2^53 as digits, others as the shortest text that reads back (C++'s to_chars);
//     -0 as 0, infinity (a number beyond a double's range) as 1e999
//   - strings with the escapes that must be, in their short form, and no others
// A string itself shows as it is, without quotes, where it is the whole of a column's value.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "json/arena.h"
#include "json/column.h"
#include "json/verdict.h"

namespace tripos::json {

struct Cursor;

void append_canonical(double number, Buffer& to);
// Of a typed value; null as "null".
void append_canonical(const Column& column, std::uint64_t row, Buffer& to);
// The same, but a string as it is: what a string column shows of it. The row is valid.
void append_shown(const Column& column, std::uint64_t row, Buffer& to);

// Canonical texts of raw values; keeps its memory. Threads: one at a time.
class CanonicalText {
 public:
  // Validates the value at the cursor, goes behind it and appends its text. False: not JSON (as Cursor's functions).
  [[nodiscard]] bool append(Cursor& cursor, int depth, Buffer& to);

 private:
  struct Member {
    std::string_view key;
    const std::uint32_t* value;
  };
  void find_closings(const std::uint32_t* begin, const std::uint32_t* end);
  [[nodiscard]] const std::uint32_t* behind(const std::uint32_t* token) const noexcept;
  const std::uint32_t* render(const std::uint32_t* token, Buffer& to);
  const std::uint32_t* render_object(const std::uint32_t* token, Buffer& to);
  const std::uint32_t* render_array(const std::uint32_t* token, Buffer& to);
  [[nodiscard]] std::string_view text_at(const std::uint32_t* token, bool is_key);

  const Cursor* cursor_ = nullptr;
  const std::uint32_t* first_ = nullptr;
  bool has_escapes_ = false;             // maybe
  std::vector<std::uint32_t> closings_;  // by token, of each opening bracket: its closing one, both counted from first_
  std::vector<std::uint32_t> open_;
  std::vector<Member> members_;  // of the objects that are being rendered, used as a stack
  Arena arena_;                  // unescaped strings
};

// The canonical text of a row (an object), appended.
Verdict append_canonical(Bytes value, Buffer& to);

}  // namespace tripos::json
