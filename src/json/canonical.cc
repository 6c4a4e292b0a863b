#include "json/canonical.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "json/cursor.h"
#include "json/number.h"
#include "json/reader.h"
#include "json/string.h"

namespace tripos::json {

namespace {

constexpr double whole_max = 9007199254740992.0;  // 2^53

}  // namespace

void append_canonical(double number, Buffer& to) {
  if (std::isnan(number)) {  // no JSON number reads as that
    to += "null";
    return;
  }
  if (std::isinf(number)) {
    to += number < 0 ? "-1e999" : "1e999";
    return;
  }
  char text[32];
  const bool whole = std::abs(number) <= whole_max && number == std::trunc(number);
  const auto written =
      whole ? std::to_chars(text, text + sizeof text, static_cast<std::int64_t>(number)) : std::to_chars(text, text + sizeof text, number);
  to.append(text, written.ptr);
}

void append_canonical(const Column& column, std::uint64_t row, Buffer& to) {
  if (!column.is_valid(row)) {
    to += "null";
    return;
  }
  switch (column.kind) {
    case TypeKind::boolean: to += column.cell<bool>(row) ? "true" : "false"; break;
    case TypeKind::long_integer: append_canonical(static_cast<double>(column.cell<std::int64_t>(row)), to); break;
    case TypeKind::decimal: append_canonical(static_cast<double>(column.cell<Int128>(row)), to); break;
    case TypeKind::double_float: append_canonical(column.cell<double>(row), to); break;
    case TypeKind::null_so_far:
    case TypeKind::string: append_quoted(column.cell<StringCell>(row).view(), to); break;
    case TypeKind::array: {
      const ListCell list = column.cell<ListCell>(row);
      to += '[';
      for (std::uint64_t i = 0; i < list.length; ++i) {
        if (i > 0) to += ',';
        append_canonical(column.children.front(), list.offset + i, to);
      }
      to += ']';
      break;
    }
    case TypeKind::structure: {
      to += '{';
      bool first = true;
      for (std::uint32_t i = 0; i < column.children.size(); ++i) {
        const Column& field = column.children[i];
        if (!field.is_valid(row)) continue;
        if (!first) to += ',';
        first = false;
        append_quoted(column.keys.name(i), to);
        to += ':';
        append_canonical(field, row, to);
      }
      to += '}';
      break;
    }
  }
}

void append_shown(const Column& column, std::uint64_t row, Buffer& to) {
  if (column.kind == TypeKind::string || column.kind == TypeKind::null_so_far) {
    to += column.cell<StringCell>(row).view();
  } else {
    append_canonical(column, row, to);
  }
}

bool CanonicalText::append(Cursor& cursor, int depth, Buffer& to) {
  const std::uint32_t* const begin = cursor.next;
  has_escapes_ = cursor.backslash != cursor.end;
  if (!cursor.skip_value(depth)) return false;
  cursor_ = &cursor;
  first_ = begin;
  find_closings(begin, cursor.next);
  render(begin, to);
  arena_.reset();
  return true;
}

// One pass over the tokens, so that going over a value takes one step later on.
void CanonicalText::find_closings(const std::uint32_t* begin, const std::uint32_t* end) {
  closings_.resize(static_cast<std::size_t>(end - begin));
  for (const std::uint32_t* token = begin; token < end; ++token) {
    const char c = cursor_->base[*token];
    const auto index = static_cast<std::uint32_t>(token - begin);
    if (c == '{' || c == '[') open_.push_back(index);
    if (c == '}' || c == ']') {
      closings_[open_.back()] = index;
      open_.pop_back();
    }
  }
}

const std::uint32_t* CanonicalText::behind(const std::uint32_t* token) const noexcept {
  const char c = cursor_->base[*token];
  return c == '{' || c == '[' ? first_ + closings_[static_cast<std::size_t>(token - first_)] + 1 : token + 1;
}

std::string_view CanonicalText::text_at(const std::uint32_t* token, bool is_key) {
  Cursor here = *cursor_;
  here.next = token;
  const std::string_view raw = here.raw_string();
  if (!has_escapes_ || raw.find('\\') == raw.npos) return raw;
  char* const text = arena_.take(raw.size());
  return {text, is_key ? unescape_key(raw, text) : unescape(raw, text)};
}

const std::uint32_t* CanonicalText::render(const std::uint32_t* token, Buffer& to) {
  const char* const at = cursor_->base + *token;
  switch (*at) {
    case '{': return render_object(token, to);
    case '[': return render_array(token, to);
    case '"': append_quoted(text_at(token, false), to); break;
    case 't': to += "true"; break;
    case 'f': to += "false"; break;
    case 'n': to += "null"; break;
    default: {
      bool integer;
      append_canonical(read_double({at, scan_number(at, integer)}), to);
    }
  }
  return token + 1;
}

const std::uint32_t* CanonicalText::render_object(const std::uint32_t* token, Buffer& to) {
  const std::size_t first = members_.size();
  const std::uint32_t* next = token + 1;
  while (cursor_->base[*next] != '}') {
    if (cursor_->base[*next] == ',') ++next;
    members_.push_back({text_at(next, true), next + 2});
    next = behind(next + 2);
  }
  std::sort(members_.begin() + static_cast<std::ptrdiff_t>(first), members_.end(),
            [](const Member& a, const Member& b) { return a.key != b.key ? a.key < b.key : a.value < b.value; });
  const std::size_t count = members_.size();
  to += '{';
  bool none_yet = true;
  for (std::size_t i = first; i < count; ++i) {
    const Member member = members_[i];
    const bool overwritten = i + 1 < count && members_[i + 1].key == member.key;
    if (overwritten || cursor_->base[*member.value] == 'n') continue;
    if (!none_yet) to += ',';
    none_yet = false;
    append_quoted(member.key, to);
    to += ':';
    render(member.value, to);
  }
  to += '}';
  members_.resize(first);
  return next + 1;
}

const std::uint32_t* CanonicalText::render_array(const std::uint32_t* token, Buffer& to) {
  const std::uint32_t* next = token + 1;
  to += '[';
  while (cursor_->base[*next] != ']') {
    if (cursor_->base[*next] == ',') {
      ++next;
      to += ',';
    }
    next = render(next, to);
  }
  to += ']';
  return next + 1;
}

Verdict append_canonical(Bytes value, Buffer& to) {
  Reader reader;
  Cursor cursor;
  const Verdict started = reader.start(value, cursor);
  if (!started.is_row()) return started;
  CanonicalText text;
  const std::size_t size_before = to.size();
  const bool good = text.append(cursor, depth_max, to);
  const Verdict verdict = Reader::finish(cursor, good);
  if (!verdict.is_row()) to.resize(size_before);
  return verdict;
}

}  // namespace tripos::json
