// Reader: the one judge of what is JSON. Inference, shredder, canonical text and the list of rejected values all stand on it, so
// that they agree always.
//
// Two stages. simdjson's first stage finds where every token starts, checks UTF-8 and that strings are closed and free of control
// characters. A strict descent over those positions (cursor.h) checks the rest: every number, literal, escape, comma and colon, the
// depth and that nothing follows, also inside of values that nobody asked for.
//
// Decisions beyond RFC 8259:
//   - at most depth_max nested objects and arrays (as Jackson, Spark's parser); a deeper value is rejected
//   - a byte order mark, several documents in one value, an empty value: rejected
//   - duplicate keys are valid; the last one counts
//   - \u escapes of lone surrogates are valid and read as U+FFFD (UTF-8 can't hold them)
//   - numbers have no limit of size; as a double they may read as infinity or 0
//
// Threads: one at a time. Nothing is read behind the value's last byte.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "json/verdict.h"

namespace simdjson::internal {
class dom_parser_implementation;
}

namespace tripos::json {

inline constexpr int depth_max = 1000;
inline constexpr std::size_t value_size_max = std::size_t{1} << 30;

struct Cursor;

class Reader {
 public:
  Reader();
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  // Judges a value completely.
  [[nodiscard]] Verdict check(std::optional<Bytes> value);

  // For this folder's descents. The first stage: puts `cursor` at the top-level object, or tells why the value can't be a row.
  // The cursor is good until the next call. The descent goes through the whole value and ends with finish().
  [[nodiscard]] Verdict start(Bytes value, Cursor& cursor);
  // `good`: what the descent returned.
  [[nodiscard]] static Verdict finish(const Cursor& cursor, bool good) noexcept;

 private:
  [[nodiscard]] Verdict index(Bytes value, Cursor& cursor);
  [[nodiscard]] static Verdict explain_other(Bytes value, Cursor& cursor);

  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage1_;
};

}  // namespace tripos::json
