// Type::text(), Type::parse(), Type::tree(): Spark's two notations of a type.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "json/type.h"

namespace tripos::json {

namespace {

bool is_plain_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_plain(char c) { return is_plain_start(c) || (c >= '0' && c <= '9'); }

void append_name(const std::string& name, std::string& to) {
  if (!name.empty() && is_plain_start(name.front()) && std::ranges::all_of(name, is_plain)) {
    to += name;
    return;
  }
  to += '`';
  for (const char c : name) {
    if (c == '`') to += '`';
    to += c;
  }
  to += '`';
}

void append_text(const Type& type, std::string& to) {
  switch (type.kind()) {
    case TypeKind::null_so_far: to += "void"; break;
    case TypeKind::boolean: to += "boolean"; break;
    case TypeKind::long_integer: to += "bigint"; break;
    case TypeKind::decimal: fmt::format_to(std::back_inserter(to), "decimal({},0)", type.precision()); break;
    case TypeKind::double_float: to += "double"; break;
    case TypeKind::string: to += "string"; break;
    case TypeKind::array:
      to += "array<";
      append_text(type.element(), to);
      to += '>';
      break;
    case TypeKind::structure: {
      to += "struct<";
      bool first = true;
      for (const Field& field : type.fields()) {
        if (!first) to += ',';
        first = false;
        append_name(field.name, to);
        to += ':';
        append_text(field.type, to);
      }
      to += '>';
      break;
    }
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Type> whole() {
    TRIPOS_ASSIGN(Type type, parse_type(type_depth_max));
    skip_spaces();
    if (at_ != text_.size()) return unexpected("the end");
    return type;
  }

 private:
  Result<Type> parse_type(int depth) {
    if (depth < 0) return fail(ErrorCode::malformed, "type text: more than {} levels at byte {}", type_depth_max, at_);
    skip_spaces();
    const std::size_t start = at_;
    std::string word;
    while (at_ < text_.size() && is_plain(text_[at_])) {
      const char c = text_[at_++];
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    if (word == "void" || word == "null") return Type::null_so_far();
    if (word == "boolean") return Type::boolean();
    if (word == "bigint" || word == "long") return Type::long_integer();
    if (word == "double") return Type::double_float();
    if (word == "string") return Type::string();
    if (word == "decimal") return parse_decimal();
    if (word == "array") {
      TRIPOS_TRY(expect('<'));
      TRIPOS_ASSIGN(Type element, parse_type(depth - 1));
      TRIPOS_TRY(expect('>'));
      return Type::array(std::move(element));
    }
    if (word == "struct") return parse_structure(depth);
    at_ = start;
    return unexpected("a type (void, boolean, bigint, decimal(p,0), double, string, struct<…>, array<…>)");
  }

  Result<Type> parse_decimal() {
    TRIPOS_TRY(expect('('));
    const std::size_t start = at_;
    TRIPOS_ASSIGN(const int precision, parse_integer());
    int scale = 0;
    if (accept(',')) {
      TRIPOS_ASSIGN(scale, parse_integer());
    }
    TRIPOS_TRY(expect(')'));
    if (precision < 1 || precision > decimal_precision_max || scale != 0) {
      return fail(ErrorCode::malformed, "type text: decimal({},{}) at byte {}: precision is 1 to {}, scale 0", precision, scale, start,
                  decimal_precision_max);
    }
    return Type::decimal(precision);
  }

  Result<int> parse_integer() {
    skip_spaces();
    int value = 0;
    const auto parsed = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (parsed.ec != std::errc()) return unexpected("a number");
    at_ = static_cast<std::size_t>(parsed.ptr - text_.data());
    return value;
  }

  Result<Type> parse_structure(int depth) {
    TRIPOS_TRY(expect('<'));
    std::vector<Field> fields;
    if (accept('>')) return Type::structure({});
    while (true) {
      TRIPOS_ASSIGN(std::string name, parse_name());
      TRIPOS_TRY(expect(':'));
      TRIPOS_ASSIGN(Type type, parse_type(depth - 1));
      fields.push_back({std::move(name), std::move(type)});
      if (accept(',')) continue;
      TRIPOS_TRY(expect('>'));
      break;
    }
    const std::size_t count = fields.size();
    Type type = Type::structure(std::move(fields));
    if (type.fields().size() != count)
      return fail(ErrorCode::malformed, "type text: a field's name twice in a struct that ends at byte {}", at_);
    return type;
  }

  Result<std::string> parse_name() {
    skip_spaces();
    std::string name;
    if (at_ < text_.size() && text_[at_] == '`') {
      ++at_;
      while (true) {
        if (at_ >= text_.size()) return unexpected("a closing backtick");
        const char c = text_[at_++];
        if (c == '`') {
          if (at_ >= text_.size() || text_[at_] != '`') return name;
          ++at_;
        }
        name += c;
      }
    }
    while (at_ < text_.size() && is_plain(text_[at_])) name += text_[at_++];
    if (name.empty()) return unexpected("a field's name");
    return name;
  }

  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool accept(char c) {
    skip_spaces();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Result<> expect(char c) {
    if (!accept(c)) return unexpected(std::string_view(&c, 1));
    return {};
  }
  [[nodiscard]] tl::unexpected<Error> unexpected(std::string_view wanted) const {
    return fail(ErrorCode::malformed, "type text: {} expected at byte {}", wanted, at_);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string_view tree_word(const Type& type) {
  switch (type.kind()) {
    case TypeKind::null_so_far: return "void";
    case TypeKind::boolean: return "boolean";
    case TypeKind::long_integer: return "long";
    case TypeKind::double_float: return "double";
    case TypeKind::string: return "string";
    case TypeKind::structure: return "struct";
    case TypeKind::array: return "array";
    case TypeKind::decimal: return "decimal";
  }
  return "";
}

void append_tree(const Type& type, std::string_view name, std::string_view nullable, const std::string& prefix, std::string& to) {
  fmt::format_to(std::back_inserter(to), "{}-- {}: {}", prefix, name, tree_word(type));
  if (type.kind() == TypeKind::decimal) fmt::format_to(std::back_inserter(to), "({},0)", type.precision());
  fmt::format_to(std::back_inserter(to), " ({} = true)\n", nullable);
  const std::string inner = prefix + "    |";
  if (type.kind() == TypeKind::array) append_tree(type.element(), "element", "containsNull", inner, to);
  if (type.kind() == TypeKind::structure) {
    for (const Field& field : type.fields()) append_tree(field.type, field.name, "nullable", inner, to);
  }
}

}  // namespace

std::string Type::text() const {
  std::string text;
  append_text(*this, text);
  return text;
}

Result<Type> Type::parse(std::string_view text) { return Parser(text).whole(); }

std::string Type::tree() const {
  std::string text = "root\n";
  for (const Field& field : fields()) append_tree(field.type, field.name, "nullable", " |", text);
  return text;
}

}  // namespace tripos::json
