#include "json/reader.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "json/cursor.h"
#include "json/string.h"

namespace tripos::json {

namespace {

// A value that needed more than this gives its memory back at the next, smaller one (4 bytes of positions per byte).
constexpr std::size_t capacity_kept = std::size_t{4} << 20;
constexpr std::size_t capacity_min = std::size_t{1} << 14;
constexpr std::size_t padding = 64;

Verdict rejected(Reason reason, std::size_t byte) { return {Outcome::rejected, reason, byte}; }
Verdict rejected(const Cursor& cursor) { return rejected(cursor.reason, cursor.byte); }

// What the first stage has found wrong, and where: it doesn't say itself.
Verdict explain(Bytes value) {
  const std::size_t bad_utf8 = find_bad_utf8(value);
  bool in_string = false;
  std::size_t opened = 0;
  for (std::size_t i = 0; i < bad_utf8; ++i) {
    const char c = value[i];
    if (!in_string) {
      in_string = c == '"';
      opened = i;
    } else if (c == '\\') {
      ++i;
    } else if (c == '"') {
      in_string = false;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      return rejected(Reason::control_character, i);
    }
  }
  if (bad_utf8 < value.size()) return rejected(Reason::not_utf8, bad_utf8);
  if (in_string) return rejected(Reason::unclosed_string, opened);
  return rejected(Reason::unexpected_character, 0);
}

}  // namespace

Reader::Reader() = default;
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

Verdict Reader::index(Bytes value, Cursor& cursor) {
  if (value.size() > value_size_max) return rejected(Reason::too_large, value_size_max);
  if (value.empty()) return rejected(Reason::empty, 0);
  if (stage1_ == nullptr) {
    const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(capacity_min, 1, stage1_);
    CHECK(error == simdjson::SUCCESS);
  }
  const std::size_t capacity = stage1_->capacity();
  if (capacity < value.size() || (capacity > capacity_kept && value.size() <= capacity_kept)) {
    const std::size_t wanted = std::max(value.size() + value.size() / 4, capacity_min);
    if (stage1_->set_capacity(wanted) != simdjson::SUCCESS) {
      stage1_.reset();
      return rejected(Reason::too_large, 0);
    }
  }
  const auto error = stage1_->stage1(reinterpret_cast<const std::uint8_t*>(value.data()), value.size(), simdjson::stage1_mode::regular);
  if (error == simdjson::EMPTY) return rejected(Reason::empty, 0);
  if (error != simdjson::SUCCESS) return explain(value);
  cursor = Cursor{};
  cursor.base = value.data();
  cursor.end = value.data() + value.size();
  cursor.next = stage1_->structural_indexes.get();
  cursor.last = cursor.next + stage1_->n_structural_indexes;
  cursor.backslash = cursor.find_backslash(cursor.base);
  return {};
}

Verdict Reader::start(Bytes value, Cursor& cursor) {
  const Verdict indexed = index(value, cursor);
  if (!indexed.is_row()) return indexed;
  if (cursor.peek() == '{' && value[cursor.last[-1]] == '}') [[likely]] {
    return {};
  }
  return explain_other(value, cursor);
}

// Not a row for sure: it is not an object, or its last token doesn't close one. Only the reason remains to be found, on a copy with
// spaces behind it (Cursor's invariant).
Verdict Reader::explain_other(Bytes value, Cursor& cursor) {
  Buffer copy;
  copy.reserve(value.size() + padding);
  copy.append(value).append(padding, ' ');
  cursor.base = copy.data();
  cursor.end = copy.data() + value.size();
  cursor.backslash = cursor.find_backslash(cursor.base);
  const char first = cursor.peek();
  const std::size_t first_byte = *cursor.next;
  if (value.starts_with("\xEF\xBB\xBF")) return rejected(Reason::byte_order_mark, 0);
  if (!cursor.skip_value(depth_max)) return rejected(cursor);
  if (cursor.next < cursor.last) return rejected(Reason::trailing_bytes, *cursor.next);
  CHECK(first != '{');
  return rejected(first == '[' ? Reason::top_level_array : Reason::top_level_scalar, first_byte);
}

Verdict Reader::finish(const Cursor& cursor, bool good) noexcept {
  if (!good) return rejected(cursor);
  if (cursor.next < cursor.last) return rejected(Reason::trailing_bytes, *cursor.next);
  return {};
}

Verdict Reader::check(std::optional<Bytes> value) {
  if (!value.has_value()) return {.outcome = Outcome::tombstone};
  Cursor cursor;
  const Verdict started = start(*value, cursor);
  if (!started.is_row()) return started;
  const bool good = cursor.skip_value(depth_max);
  return finish(cursor, good);
}

}  // namespace tripos::json
