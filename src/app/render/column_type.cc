#include "app/render/column_type.h"

#include <array>
#include <utility>

#include "app/render/show.h"

namespace tripos::app {
namespace {

using Kind = ColumnType::Kind;

struct ScalarName {
  std::string_view ddl;
  Kind kind;
  std::string_view in_tree;  // as printSchema() names it
};
constexpr std::array<ScalarName, 20> scalar_names = {{
    {"string", Kind::text, "string"},
    {"varchar", Kind::text, "string"},
    {"char", Kind::text, "string"},
    {"bigint", Kind::integer, "long"},
    {"long", Kind::integer, "long"},
    {"int", Kind::integer, "integer"},
    {"integer", Kind::integer, "integer"},
    {"smallint", Kind::integer, "short"},
    {"tinyint", Kind::integer, "byte"},
    {"double", Kind::real, "double"},
    {"float", Kind::real, "float"},
    {"real", Kind::real, "float"},
    {"boolean", Kind::boolean, "boolean"},
    {"binary", Kind::binary, "binary"},
    {"timestamp", Kind::timestamp, "timestamp"},
    {"timestamp_ntz", Kind::timestamp, "timestamp_ntz"},
    {"date", Kind::date, "date"},
    {"decimal", Kind::decimal, "decimal(10,0)"},
    {"void", Kind::text, "void"},
    {"interval", Kind::other, "interval"},
}};
constexpr int depth_max = 500;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<ColumnType> parse_whole() {
    TRIPOS_ASSIGN(ColumnType type, parse_type(0));
    skip_spaces();
    if (position_ != text_.size()) return refuse();
    return type;
  }

 private:
  Result<ColumnType> parse_type(int depth) {
    if (depth > depth_max) return refuse();
    skip_spaces();
    std::string name = word();
    ColumnType type;
    if (name == "struct" && take('<')) {
      type.kind = Kind::structure;
      while (!take('>')) {
        if (!type.fields.empty() && !take(',')) return refuse();
        TRIPOS_ASSIGN(std::string field, field_name());
        if (!take(':')) return refuse();
        TRIPOS_ASSIGN(ColumnType field_type, parse_type(depth + 1));
        type.fields.push_back({std::move(field), std::move(field_type)});
      }
      return type;
    }
    if ((name == "array" || name == "map") && take('<')) {
      type.kind = name == "array" ? Kind::array : Kind::map;
      do {
        TRIPOS_ASSIGN(ColumnType element, parse_type(depth + 1));
        type.element.push_back(std::move(element));
      } while (take(','));
      const std::size_t wanted = type.kind == Kind::array ? 1 : 2;
      if (!take('>') || type.element.size() != wanted) return refuse();
      return type;
    }
    if (name.empty()) return refuse();
    for (const ScalarName& scalar : scalar_names) {
      if (scalar.ddl == name) type.kind = scalar.kind;
    }
    if (peek() == '(') name.append(parameters());
    type.name = std::move(name);
    return type;
  }

  std::string word() {
    const std::size_t begin = position_;
    while (position_ < text_.size() && std::string_view("<>(),:` ").find(text_[position_]) == std::string_view::npos) ++position_;
    return std::string(text_.substr(begin, position_ - begin));
  }
  // "(38, 0)" without its spaces.
  std::string parameters() {
    std::string taken;
    while (position_ < text_.size()) {
      const char c = text_[position_++];
      if (c != ' ') taken.push_back(c);
      if (c == ')') break;
    }
    return taken;
  }
  Result<std::string> field_name() {
    skip_spaces();
    if (!take('`')) {
      std::string name = word();
      if (name.empty()) return refuse();
      return name;
    }
    std::string name;
    while (position_ < text_.size()) {
      const char c = text_[position_++];
      if (c == '`' && peek() != '`') return name;
      if (c == '`') ++position_;
      name.push_back(c);
    }
    return refuse();
  }
  [[nodiscard]] char peek() const noexcept { return position_ < text_.size() ? text_[position_] : '\0'; }
  bool take(char c) {
    skip_spaces();
    if (peek() != c) return false;
    ++position_;
    return true;
  }
  void skip_spaces() {
    while (peek() == ' ') ++position_;
  }
  [[nodiscard]] tl::unexpected<Error> refuse() const {
    return fail(ErrorCode::invalid_argument, "not a type: '{}' (at position {})", text_.substr(0, 200), position_);
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

std::string tree_name(const ColumnType& type) {
  switch (type.kind) {
    case Kind::structure: return "struct";
    case Kind::array: return "array";
    case Kind::map: return "map";
    default: break;
  }
  for (const ScalarName& scalar : scalar_names) {
    if (scalar.ddl == type.name) return std::string(scalar.in_tree);
  }
  return type.name;
}

void append_tree(const ColumnType& type, const std::string& prefix, std::string& to);

void append_node(const std::string& name, const ColumnType& type, std::string_view null_name, const std::string& prefix, std::string& to) {
  to.append(fmt::format("{}-- {}: {} ({} = true)\n", prefix, escape_meta_characters(name), tree_name(type), null_name));
  append_tree(type, prefix + "    |", to);
}

void append_tree(const ColumnType& type, const std::string& prefix, std::string& to) {
  for (const ColumnType::Field& field : type.fields) append_node(field.name, field.type, "nullable", prefix, to);
  if (type.kind == Kind::array) append_node("element", type.element[0], "containsNull", prefix, to);
  if (type.kind == Kind::map) {
    to.append(fmt::format("{}-- key: {}\n", prefix, tree_name(type.element[0])));
    append_tree(type.element[0], prefix + "    |", to);
    append_node("value", type.element[1], "valueContainsNull", prefix, to);
  }
}

}  // namespace

Result<ColumnType> ColumnType::parse(std::string_view text) { return Parser(text).parse_whole(); }

std::string schema_tree(const std::vector<Column>& columns) {
  std::string tree = "root\n";
  for (const Column& column : columns) append_node(column.name, column.type, "nullable", " |", tree);
  tree.push_back('\n');
  return tree;
}

}  // namespace tripos::app
