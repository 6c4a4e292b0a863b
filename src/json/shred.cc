#include "json/shred.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "json/cursor.h"
#include "json/key_cursor.h"
#include "json/number.h"
#include "json/string.h"

namespace tripos::json {

namespace {

constexpr std::uint64_t list_capacity_min = 2048;
// Keys that no column wants are remembered too, so that they are foreseen and cost no search.
constexpr std::size_t unwanted_keys_max = 256;
constexpr std::size_t unwanted_key_size_max = 256;

// A cell's 12 bytes in place from 12 readable bytes, of which the first `size` count.
void put_inlined(StringCell& cell, const char* from, std::size_t size) noexcept {
  std::uint64_t low;
  std::uint32_t high;
  std::memcpy(&low, from, 8);
  std::memcpy(&high, from + 8, 4);
  if (size < 8) {
    low &= (std::uint64_t{1} << 8 * size) - 1;
    high = 0;
  } else {
    high &= static_cast<std::uint32_t>((std::uint64_t{1} << 8 * (size - 8)) - 1);
  }
  std::memcpy(cell.inlined, &low, 8);
  std::memcpy(cell.inlined + 8, &high, 4);
}

void put_string(StringCell& cell, std::string_view text, const char* readable_end) noexcept {
  cell.length = static_cast<std::uint32_t>(text.size());
  if (text.size() > StringCell::inlined_max) {
    const char* const at = text.data();
    std::memcpy(cell.outside.prefix, at, sizeof cell.outside.prefix);
    std::memcpy(cell.outside.pointer, &at, sizeof at);
  } else if (readable_end - text.data() >= StringCell::inlined_max) [[likely]] {
    put_inlined(cell, text.data(), text.size());
  } else {
    char padded[StringCell::inlined_max] = {};
    std::memcpy(padded, text.data(), text.size());
    put_inlined(cell, padded, text.size());
  }
}

// Which fields of an object were there: in a register for up to 64 fields.
class FewSeen {
 public:
  static constexpr std::size_t fields_max = 64;
  FewSeen(std::vector<std::uint64_t>& /*stack*/, std::size_t count) noexcept
      : missing_(count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1) {}

  // False: it was there before.
  bool insert(std::uint32_t field) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << field;
    const bool first = (missing_ & bit) != 0;
    missing_ &= ~bit;
    return first;
  }
  template <typename Action>
  void for_each_missing(const Action& action) const {
    for (std::uint64_t left = missing_; left != 0; left &= left - 1) action(static_cast<std::uint32_t>(__builtin_ctzll(left)));
  }

 private:
  std::uint64_t missing_;
};

// The same on a stack of words.
class ManySeen {
 public:
  ManySeen(std::vector<std::uint64_t>& stack, std::size_t count) : stack_(stack), begin_(stack.size()), count_(count) {
    stack_.resize(begin_ + (count + 63) / 64, 0);
  }
  ~ManySeen() { stack_.resize(begin_); }
  ManySeen(const ManySeen&) = delete;
  ManySeen& operator=(const ManySeen&) = delete;

  bool insert(std::uint32_t field) noexcept {
    std::uint64_t& word = stack_[begin_ + field / 64];
    const std::uint64_t bit = std::uint64_t{1} << field % 64;
    const bool first = (word & bit) == 0;
    word |= bit;
    return first;
  }
  template <typename Action>
  void for_each_missing(const Action& action) const {
    for (std::size_t field = 0; field < count_; field += 64) {
      const std::size_t here = std::min<std::size_t>(64, count_ - field);
      const std::uint64_t all = here == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << here) - 1;
      for (std::uint64_t left = all & ~stack_[begin_ + field / 64]; left != 0; left &= left - 1) {
        action(static_cast<std::uint32_t>(field) + static_cast<std::uint32_t>(__builtin_ctzll(left)));
      }
    }
  }

 private:
  std::vector<std::uint64_t>& stack_;
  std::size_t begin_;
  std::size_t count_;
};

}  // namespace

class Shredder::Descent {
 public:
  Descent(Shredder& shredder, Cursor& cursor) : shredder_(shredder), cursor_(cursor) {}

  [[nodiscard]] std::uint64_t mismatches() const noexcept { return mismatches_; }

  // The object at the cursor into the children of `column`.
  bool object(Column& column, std::uint64_t row, int depth) {
    if (column.children.size() <= FewSeen::fields_max) return fields<FewSeen>(column, row, depth);
    return fields<ManySeen>(column, row, depth);
  }

 private:
  bool value(Column& column, std::uint64_t row, int depth) {
    const char first = cursor_.peek();
    switch (column.kind) {
      case TypeKind::null_so_far:
      case TypeKind::string:
        if (first == '"') return string(column, row);
        if (first != 'n') return canonical(column, row, depth);
        break;
      case TypeKind::boolean:
        if (first == 't' || first == 'f') {
          column.cell<bool>(row) = first == 't';
          return cursor_.skip_literal();
        }
        break;
      case TypeKind::long_integer:
        if (first == '-' || is_digit(first)) return long_integer(column, row);
        break;
      case TypeKind::decimal:
        if (first == '-' || is_digit(first)) return decimal(column, row);
        break;
      case TypeKind::double_float:
        if (first == '-' || is_digit(first)) return double_float(column, row);
        break;
      case TypeKind::structure:
        if (first == '{') {
          if (column.children.empty()) column.cell<bool>(row) = true;
          return object(column, row, depth);
        }
        break;
      case TypeKind::array:
        if (first == '[') return array(column, row, depth);
        break;
    }
    set_null(column, row);
    if (first == 'n') return cursor_.skip_literal();
    ++mismatches_;
    return cursor_.skip_value(depth);
  }

  void set_null(Column& column, std::uint64_t row) {
    if (column.validity == nullptr) shredder_.host_.make_validity(column);
    column.validity[row >> 6] &= ~(std::uint64_t{1} << (row & 63));
    if (column.kind == TypeKind::array) column.cell<ListCell>(row) = {column.size, 0};
    if (column.kind == TypeKind::structure) {
      for (Column& child : column.children) set_null(child, row);
    }
  }

  bool string(Column& column, std::uint64_t row) {
    const std::string_view raw = cursor_.raw_string();
    if (cursor_.has_escape(raw)) [[unlikely]] {
      if (!cursor_.check_escapes(raw)) return false;
      char* const text = shredder_.arena_.take(raw.size());
      const std::size_t size = unescape(raw, text);
      shredder_.arena_.give_back(raw.size() - size);
      put_string(column.cell<StringCell>(row), {text, size}, text + size);
    } else {
      put_string(column.cell<StringCell>(row), raw, cursor_.end);
    }
    ++cursor_.next;
    return true;
  }

  // A value that isn't a string, in a string column.
  bool canonical(Column& column, std::uint64_t row, int depth) {
    if (shredder_.keeps_lost_ && depth < depth_max - 1) shredder_.lost_at_.push_back(*cursor_.next);
    Buffer& text = shredder_.scratch_;
    text.clear();
    if (!shredder_.canonical_.append(cursor_, depth, text)) return false;
    char* const kept = shredder_.arena_.take(text.size());
    std::memcpy(kept, text.data(), text.size());
    put_string(column.cell<StringCell>(row), {kept, text.size()}, kept + text.size());
    return true;
  }

  bool long_integer(Column& column, std::uint64_t row) {
    const char* const begin = cursor_.at();
    const char* at = begin + (*begin == '-' ? 1 : 0);
    const char* const digits = at;
    std::uint64_t magnitude = 0;
    for (; is_digit(*at); ++at) magnitude = magnitude * 10 + static_cast<std::uint64_t>(*at - '0');
    const auto count = at - digits;
    if (count >= 1 && count <= 18 && ends_scalar(*at) && (*digits != '0' || count == 1)) [[likely]] {
      column.cell<std::int64_t>(row) = digits == begin ? static_cast<std::int64_t>(magnitude) : -static_cast<std::int64_t>(magnitude);
      ++cursor_.next;
      return true;
    }
    return number(column, row,
                  [&](std::string_view text, bool integer) { return integer && read_long(text, column.cell<std::int64_t>(row)); });
  }

  bool decimal(Column& column, std::uint64_t row) {
    return number(column, row, [&](std::string_view text, bool integer) {
      return integer && read_decimal(text, column.precision, column.cell<Int128>(row));
    });
  }

  bool double_float(Column& column, std::uint64_t row) {
    return number(column, row, [&](std::string_view text, bool) {
      // There is one zero: -0 was 0 while the column was bigint, and DuckDB's Parquet takes -0.0 and 0.0 for the same entry of a
      // dictionary.
      column.cell<double>(row) = read_double(text) + 0.0;
      return true;
    });
  }

  template <typename Read>
  bool number(Column& column, std::uint64_t row, const Read& read) {
    const char* const begin = cursor_.at();
    bool integer = false;
    const char* const end = scan_number(begin, integer);
    if (end == nullptr) return cursor_.fail(Reason::bad_number, begin);
    ++cursor_.next;
    if (!read(std::string_view(begin, end), integer)) {
      ++mismatches_;
      set_null(column, row);
    }
    return true;
  }

  bool array(Column& column, std::uint64_t row, int depth) {
    if (depth <= 0) return cursor_.fail(Reason::too_deep, cursor_.at());
    const std::uint64_t offset = column.size;
    Column& element = column.children.front();
    ++cursor_.next;
    if (cursor_.peek() == ']') {
      ++cursor_.next;
    } else {
      while (true) {
        if (column.size == column.capacity && !grow(column)) return cursor_.fail(Reason::too_large, cursor_.at());
        if (!value(element, column.size++, depth - 1)) return false;
        if (cursor_.at_comma()) {
          ++cursor_.next;
          continue;
        }
        if (!cursor_.at_close(']')) return cursor_.fail_here();
        ++cursor_.next;
        break;
      }
    }
    column.cell<ListCell>(row) = {offset, column.size - offset};
    return true;
  }

  bool grow(Column& list) {
    const std::uint64_t wanted = std::max({2 * list.size, list.expected + list.expected / 8, list_capacity_min});
    if (!shredder_.host_.grow(list, wanted)) return false;
    CHECK(list.capacity > list.size);
    return true;
  }

  template <typename Seen>
  bool fields(Column& column, std::uint64_t row, int depth) {
    if (depth <= 0) return cursor_.fail(Reason::too_deep, cursor_.at());
    const auto wanted = static_cast<std::uint32_t>(column.children.size());
    Seen seen(shredder_.seen_, wanted);
    const auto find = [&](std::uint32_t previous, std::uint32_t& field) { return find_field(column, previous, field); };
    const auto is_unwanted = [wanted](std::uint32_t field) { return field >= wanted; };
    const bool good = walk_object(cursor_, column.keys, find, is_unwanted, [&](std::uint32_t field) {
      if (field >= wanted) return cursor_.skip_value(depth - 1);
      if (!seen.insert(field)) [[unlikely]] {
        column.children[field].take_back(row);
      }
      return value(column.children[field], row, depth - 1);
    });
    if (!good) return false;
    seen.for_each_missing([&](std::uint32_t field) { set_null(column.children[field], row); });
    return true;
  }

  // The number of the key's column, or one that no column has; the key isn't foreseen. False: a bad escape.
  bool find_field(Column& column, std::uint32_t previous, std::uint32_t& field) {
    std::string_view key;
    if (!find_key(cursor_, column.keys, previous, shredder_.scratch_, field, key)) return false;
    if (field == KeyTable::none) [[unlikely]] {
      const bool room = column.keys.size() < column.children.size() + unwanted_keys_max && key.size() <= unwanted_key_size_max;
      if (!room) return true;
      field = column.keys.add(key);
      column.keys.learn(previous, field);
    }
    return true;
  }

  Shredder& shredder_;
  Cursor& cursor_;
  std::uint64_t mismatches_ = 0;
};

Shredder::Shredder(const Type& type, ColumnHost& host) : host_(host), root_(type) {
  CHECK(type.kind() == TypeKind::structure);
  collect_lists(root_);
  list_sizes_.resize(lists_.size());
}

void Shredder::collect_lists(Column& column) {
  if (column.kind == TypeKind::array) lists_.push_back(&column);
  for (Column& child : column.children) collect_lists(child);
}

void Shredder::start_chunk() noexcept {
  arena_.reset();
  for (Column* list : lists_) {
    list->expected = std::max(list->expected, list->size);
    list->size = 0;
    list->capacity = 0;
  }
}

// The row was written in part: its bits, and what was appended to the lists, as before. (Not by the lists' cells: of a row that is
// not complete they may be unwritten.)
void Shredder::roll_back(std::uint64_t row) noexcept {
  root_.set_valid(row, row + 1);
  for (std::size_t i = 0; i < lists_.size(); ++i) {
    lists_[i]->children.front().set_valid(list_sizes_[i], lists_[i]->size);
    lists_[i]->size = list_sizes_[i];
  }
}

// The value is a row, and was read once: nothing in it can fail any more.
void Shredder::collect_lost(Cursor cursor) {
  struct Member {
    std::uint32_t field;
    std::string_view text;  // "key":value
  };
  std::vector<Member> members;
  std::vector<bool> lost(root_.children.size());
  std::size_t size = 2;
  std::uint32_t previous = KeyTable::none;
  auto next_lost = lost_at_.begin();
  for (++cursor.next; cursor.at_key(); cursor.next += cursor.at_comma() ? 1 : 0) {
    const char* const begin = cursor.at();
    std::uint32_t field = KeyTable::none;
    std::string_view key;
    CHECK(find_key(cursor, root_.keys, previous, scratch_, field, key));
    if (field != KeyTable::none) previous = field;
    cursor.next += 2;
    CHECK(cursor.skip_value(depth_max));
    const char* const end = cursor.at();
    if (field >= lost.size()) continue;
    members.push_back({field, {begin, end}});
    for (; next_lost != lost_at_.end() && cursor.base + *next_lost < end; ++next_lost) lost[field] = true;
  }
  // Of duplicate keys all, so that the last counts again.
  std::erase_if(members, [&](const Member& member) { return !lost[member.field]; });
  for (const Member& member : members) size += member.text.size() + 1;
  char* const text = arena_.take(size);
  char* to = text;
  *to++ = '{';
  for (const Member& member : members) {
    if (to != text + 1) *to++ = ',';
    to = std::copy(member.text.begin(), member.text.end(), to);
  }
  *to++ = '}';
  lost_ = Bytes(text, static_cast<std::size_t>(to - text));
}

Verdict Shredder::shred(Bytes value, std::uint64_t row) {
  Cursor cursor;
  const Verdict started = reader_.start(value, cursor);
  if (!started.is_row()) return started;
  for (std::size_t i = 0; i < lists_.size(); ++i) list_sizes_[i] = lists_[i]->size;
  lost_at_.clear();
  lost_ = {};
  const Cursor began = cursor;
  Descent descent(*this, cursor);
  const bool good = descent.object(root_, row, depth_max);
  const Verdict verdict = Reader::finish(cursor, good);
  if (verdict.is_row()) {
    mismatches_ += descent.mismatches();
    if (!lost_at_.empty()) collect_lost(began);
  } else {
    roll_back(row);
  }
  return verdict;
}

}  // namespace tripos::json
