#include "json/test_support.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "json/canonical.h"
#include "json/string.h"

namespace tripos::json::test {

namespace {

constexpr const char* keys[] = {"a", "b", "id", "A", "name", "user_result", "Ünicode", "a b", "quote\"d", "counts_of_all_questions", ""};

std::string spaces(Random& random, const DocumentOptions& options) {
  static constexpr const char* some[] = {"", "", "", " ", "  ", "\n", "\t\r\n "};
  return options.spaces ? some[pick(random, std::size(some))] : "";
}

std::string random_string(Random& random, const DocumentOptions& options) {
  static constexpr const char* parts[] = {"x", "exam", "Learning Git", "é", "日本", "😀", "0123456789ab", " ", "/"};
  static constexpr const char* escapes[] = {"\\n", "\\\"", "\\\\", "\\/", "\\u0041", "\\ud83d\\ude00", "\\u0000", "\\b\\f\\r\\t"};
  static constexpr const char* lone[] = {"\\ud800", "\\udc00x", "\\ud83d\\n", "\\uD83D\\u0041"};
  std::string text = "\"";
  for (std::size_t count = pick(random, 4); count > 0; --count) {
    const bool escape = options.escapes && pick(random, 4) == 0;
    if (escape && options.lone_surrogates && pick(random, 3) == 0) text += lone[pick(random, std::size(lone))];
    text += escape ? escapes[pick(random, std::size(escapes))] : parts[pick(random, std::size(parts))];
  }
  return text + "\"";
}

std::string random_number(Random& random) {
  switch (pick(random, 8)) {
    case 0: return std::to_string(static_cast<std::int64_t>(random()));
    case 1: return std::to_string(random());  // above 63 bits half the time
    case 2: return std::to_string(static_cast<double>(static_cast<std::int32_t>(random())) / 1000.0);
    case 3: return std::to_string(pick(random, 100)) + "e" + std::to_string(pick(random, 20));
    case 4: return std::to_string(pick(random, 100)) + "." + std::to_string(pick(random, 1000)) + "E-" + std::to_string(pick(random, 30));
    case 5: return "-0";
    default: return std::to_string(static_cast<int>(pick(random, 2000)) - 1000);
  }
}

std::string random_value(Random& random, const DocumentOptions& options, int depth);

std::string random_object(Random& random, const DocumentOptions& options, int depth) {
  std::string text = "{" + spaces(random, options);
  std::vector<std::size_t> used;
  for (std::size_t count = pick(random, static_cast<std::size_t>(options.members_max) + 1); count > 0; --count) {
    std::size_t key = pick(random, std::size(keys));
    if (!options.duplicates || pick(random, 4) != 0) {
      if (std::ranges::find(used, key) != used.end()) continue;
    }
    if (!used.empty()) text += "," + spaces(random, options);
    used.push_back(key);
    Buffer quoted;
    append_quoted(keys[key], quoted);
    if (options.escapes && pick(random, 10) == 0 && key == 0) quoted = "\"\\u0061\"";
    text += quoted + spaces(random, options) + ":" + spaces(random, options) + random_value(random, options, depth - 1) +
            spaces(random, options);
  }
  return text + "}";
}

std::string random_value(Random& random, const DocumentOptions& options, int depth) {
  switch (pick(random, depth > 0 ? 10 : 6)) {
    case 0: return "null";
    case 1: return pick(random, 2) == 0 ? "true" : "false";
    case 2:
    case 3: return random_string(random, options);
    case 4:
    case 5: return random_number(random);
    case 6:
    case 7: return random_object(random, options, depth);
    default: {
      std::string text = "[" + spaces(random, options);
      for (std::size_t count = pick(random, 4), i = 0; i < count; ++i) {
        text += (i > 0 ? "," : "") + random_value(random, options, depth - 1) + spaces(random, options);
      }
      return text + "]";
    }
  }
}

bool is_number(simdjson::dom::element value) { return value.is_int64() || value.is_uint64() || value.is_double(); }

double as_double(simdjson::dom::element value) {
  if (value.is_int64()) return static_cast<double>(std::int64_t(value));
  if (value.is_uint64()) return static_cast<double>(std::uint64_t(value));
  return double(value) + 0.0;  // one zero
}

std::string show_double(double value) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return std::string(text, end) + "F";
}

std::string show_decimal(Int128 value) {
  std::string digits;
  const bool negative = value < 0;
  if (negative) value = -value;
  do digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
  while ((value /= 10) != 0);
  return (negative ? "-" : "") + digits + "D";
}

bool all_null(const Column& column, std::uint64_t row) {
  if (column.is_valid(row)) return false;
  if (column.kind == TypeKind::array) return column.cell<ListCell>(row).length == 0;
  if (column.kind != TypeKind::structure) return true;
  return std::ranges::all_of(column.children, [&](const Column& child) { return all_null(child, row); });
}

std::size_t cell_words(const Column& column) {
  switch (column.kind) {
    case TypeKind::boolean:
    case TypeKind::long_integer:
    case TypeKind::double_float: return 1;
    case TypeKind::structure: return column.children.empty() ? 1 : 0;
    case TypeKind::null_so_far:
    case TypeKind::string:
    case TypeKind::decimal:
    case TypeKind::array: return 2;
  }
  return 0;
}

}  // namespace

std::string random_document(Random& random, const DocumentOptions& options) { return random_object(random, options, options.depth_max); }

std::string mutate(Random& random, std::string document) {
  static constexpr char bytes[] = "{}[],:\"\\ntf0123-+.eEu \x01\x7f\x80\xc3\xed\xff";
  for (std::size_t count = 1 + pick(random, 3); count > 0; --count) {
    const char byte = bytes[pick(random, sizeof bytes)];
    const std::size_t at = pick(random, document.size() + 1);
    switch (pick(random, 4)) {
      case 0: document.insert(at, 1, byte); break;
      case 1: document.erase(at, 1 + pick(random, 3)); break;
      case 2: document.insert(at, document, pick(random, document.size() + 1), pick(random, 8)); break;
      default:
        if (at < document.size()) document[at] = byte;
    }
  }
  return document;
}

Type random_type(Random& random, int depth_max) {
  switch (pick(random, depth_max > 0 ? 9 : 6)) {
    case 0: return Type::null_so_far();
    case 1: return Type::boolean();
    case 2: return Type::long_integer();
    case 3: return Type::decimal(1 + static_cast<int>(pick(random, 38)));
    case 4: return Type::double_float();
    case 5: return Type::string();
    case 6: return Type::array(random_type(random, depth_max - 1));
    default: {
      std::vector<Field> fields;
      for (std::size_t count = pick(random, 4); count > 0; --count)
        fields.push_back({keys[pick(random, std::size(keys))], random_type(random, depth_max - 1)});
      return Type::structure(std::move(fields));
    }
  }
}

std::map<std::string, simdjson::dom::element> members(simdjson::dom::object object) {
  std::map<std::string, simdjson::dom::element> map;
  for (const auto& field : object) {
    std::string key(field.key);
    for (std::size_t at = key.find('\0'); at != std::string::npos; at = key.find('\0')) key.replace(at, 1, "\uFFFD");
    map[key] = field.value;
  }
  return map;
}

Type naive_type(simdjson::dom::element value) {
  if (value.is_null()) return Type::null_so_far();
  if (value.is_bool()) return Type::boolean();
  if (value.is_string()) return Type::string();
  if (value.is_int64()) return Type::long_integer();
  if (value.is_uint64()) return Type::decimal(static_cast<int>(std::to_string(std::uint64_t(value)).size()));
  if (value.is_double()) return Type::double_float();
  if (value.is_array()) {
    Type element;
    for (const simdjson::dom::element one : simdjson::dom::array(value)) element = join(element, naive_type(one));
    return Type::array(element);
  }
  std::vector<Field> fields;
  for (const auto& [key, member] : members(simdjson::dom::object(value))) fields.push_back({key, naive_type(member)});
  return Type::structure(std::move(fields));
}

std::string naive_canonical(simdjson::dom::element value) {
  Buffer text;
  if (value.is_null()) return "null";
  if (value.is_bool()) return bool(value) ? "true" : "false";
  if (value.is_string()) {
    append_quoted(std::string_view(value), text);
    return text;
  }
  if (is_number(value)) {
    const double number = as_double(value);
    if (std::abs(number) <= 9007199254740992.0 && number == std::floor(number)) return std::to_string(static_cast<std::int64_t>(number));
    text = show_double(number);
    text.pop_back();
    return text;
  }
  if (value.is_array()) {
    for (const simdjson::dom::element one : simdjson::dom::array(value)) text += (text.empty() ? "" : ",") + naive_canonical(one);
    return "[" + text + "]";
  }
  for (const auto& [key, member] : members(simdjson::dom::object(value))) {
    if (member.is_null()) continue;
    if (!text.empty()) text += ',';
    append_quoted(key, text);
    text += ":" + naive_canonical(member);
  }
  return "{" + text + "}";
}

bool shown_as_string(simdjson::dom::element value, const Type& type) {
  if (value.is_null()) return false;
  if (type.kind() == TypeKind::string) return !value.is_string();
  if (value.is_array() && type.kind() == TypeKind::array) {
    for (const simdjson::dom::element one : simdjson::dom::array(value)) {
      if (shown_as_string(one, type.element())) return true;
    }
  }
  if (value.is_object() && type.kind() == TypeKind::structure) {
    for (const auto& [key, member] : members(simdjson::dom::object(value))) {
      const Field* field = type.field(key);
      if (field != nullptr && shown_as_string(member, field->type)) return true;
    }
  }
  return false;
}

std::string naive_show(simdjson::dom::element value, const Type& type) {
  if (value.is_null()) return "null";
  switch (type.kind()) {
    case TypeKind::boolean: return value.is_bool() ? naive_canonical(value) : "null";
    case TypeKind::long_integer: return value.is_int64() ? std::to_string(std::int64_t(value)) + "L" : "null";
    case TypeKind::decimal: {
      if (!value.is_int64() && !value.is_uint64()) return "null";
      const std::string digits = value.is_int64() ? std::to_string(std::int64_t(value)) : std::to_string(std::uint64_t(value));
      return digits.size() - (digits[0] == '-' ? 1 : 0) <= static_cast<std::size_t>(type.precision()) ? digits + "D" : "null";
    }
    case TypeKind::double_float: return is_number(value) ? show_double(as_double(value)) : "null";
    case TypeKind::null_so_far:
    case TypeKind::string: {
      Buffer text;
      append_quoted(value.is_string() ? std::string(std::string_view(value)) : naive_canonical(value), text);
      return text;
    }
    case TypeKind::array: {
      if (!value.is_array()) return "null";
      std::string text;
      for (const simdjson::dom::element one : simdjson::dom::array(value))
        text += (text.empty() ? "" : ",") + naive_show(one, type.element());
      return "[" + text + "]";
    }
    case TypeKind::structure: {
      if (!value.is_object()) return "null";
      const auto map = members(simdjson::dom::object(value));
      std::string text;
      for (const Field& field : type.fields()) {
        const auto found = map.find(field.name);
        text += (text.empty() ? "" : ",") + field.name + ":" + (found == map.end() ? "null" : naive_show(found->second, field.type));
      }
      return "{" + text + "}";
    }
  }
  return "";
}

void PlainHost::resize(Column& column, std::uint64_t old_rows, std::uint64_t rows) {
  Memory& memory = memory_[&column];
  std::vector<std::uint64_t> data(rows * cell_words(column), 0xDEADBEEFDEADBEEF);
  const std::size_t word = column.kind == TypeKind::boolean || column.kind == TypeKind::structure ? sizeof(bool) : 8 * cell_words(column);
  if (column.data != nullptr && !data.empty()) std::memcpy(data.data(), column.data, old_rows * word);
  memory.data = std::move(data);
  memory.rows = rows;
  column.data = memory.data.data();
  if (column.validity != nullptr) {
    memory.validity.resize((rows + 63) / 64, ~std::uint64_t{0});
    column.validity = memory.validity.data();
  }
  if (column.kind == TypeKind::structure) {
    for (Column& child : column.children) resize(child, old_rows, rows);
  }
}

bool PlainHost::grow(Column& list, std::uint64_t capacity) {
  if (fail_to_grow) return false;
  // A tight fit, so that growing happens often.
  const std::uint64_t wanted = std::min(capacity, list.size + 1 + list.size / 4);
  Column& element = list.children.front();
  if (list.capacity == 0) {
    bind(element, wanted);
  } else {
    resize(element, list.size, wanted);
  }
  list.capacity = wanted;
  return true;
}

void PlainHost::make_validity(Column& column) {
  Memory& memory = memory_[&column];
  memory.validity.assign((memory.rows + 63) / 64 + 1, ~std::uint64_t{0});
  column.validity = memory.validity.data();
}

void PlainHost::bind(Column& column, std::uint64_t rows) {
  column.data = nullptr;
  column.validity = nullptr;
  resize(column, 0, rows);
  if (column.kind == TypeKind::structure) {
    for (Column& child : column.children) bind(child, rows);
  }
}

void PlainHost::release() { memory_.clear(); }

std::string show(const Column& column, std::uint64_t row) {
  if (!column.is_valid(row)) return all_null(column, row) ? "null" : "BROKEN";
  switch (column.kind) {
    case TypeKind::boolean: return column.cell<bool>(row) ? "true" : "false";
    case TypeKind::long_integer: return std::to_string(column.cell<std::int64_t>(row)) + "L";
    case TypeKind::decimal: return show_decimal(column.cell<Int128>(row));
    case TypeKind::double_float: return show_double(column.cell<double>(row));
    case TypeKind::null_so_far:
    case TypeKind::string: {
      const StringCell& cell = column.cell<StringCell>(row);
      const std::string_view view = cell.view();
      if (view.size() > StringCell::inlined_max && view.substr(0, 4) != std::string_view(cell.outside.prefix, 4)) return "BROKEN";
      for (std::size_t i = view.size(); i < StringCell::inlined_max; ++i) {
        if (cell.inlined[i] != 0) return "BROKEN";
      }
      Buffer text;
      append_quoted(view, text);
      return text;
    }
    case TypeKind::array: {
      const ListCell list = column.cell<ListCell>(row);
      if (list.offset + list.length > column.size) return "BROKEN";
      std::string text;
      for (std::uint64_t i = 0; i < list.length; ++i) text += (i > 0 ? "," : "") + show(column.children.front(), list.offset + i);
      return "[" + text + "]";
    }
    case TypeKind::structure: {
      if (column.children.empty() && column.data != nullptr && !column.cell<bool>(row)) return "BROKEN";
      std::string text;
      for (std::uint32_t i = 0; i < column.children.size(); ++i)
        text += (i > 0 ? "," : "") + column.keys.name(i) + ":" + show(column.children[i], row);
      return "{" + text + "}";
    }
  }
  return "";
}

}  // namespace tripos::json::test
