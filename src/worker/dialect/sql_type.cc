#include "worker/dialect/sql_type.h"

#include <algorithm>

#include "base/check.h"

namespace tripos::worker {
namespace {

char lower_char(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char upper_char(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::string doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) {
      out += c;
    }
  }
  out += quote;
  return out;
}

struct KindNames {
  SqlKind kind;
  std::string_view ddl;
  std::string_view duckdb;
};

constexpr KindNames kind_names[] = {
    {SqlKind::unknown, "string", "VARCHAR"},
    {SqlKind::void_type, "void", "\"NULL\""},
    {SqlKind::boolean, "boolean", "BOOLEAN"},
    {SqlKind::tiny_integer, "tinyint", "TINYINT"},
    {SqlKind::small_integer, "smallint", "SMALLINT"},
    {SqlKind::integer, "int", "INTEGER"},
    {SqlKind::big_integer, "bigint", "BIGINT"},
    {SqlKind::real, "float", "FLOAT"},
    {SqlKind::double_float, "double", "DOUBLE"},
    {SqlKind::string, "string", "VARCHAR"},
    {SqlKind::binary, "binary", "BLOB"},
    {SqlKind::date, "date", "DATE"},
    {SqlKind::timestamp, "timestamp", "TIMESTAMP"},
    {SqlKind::interval, "interval", "INTERVAL"},
};

const KindNames& names_of(SqlKind kind) {
  const auto* found = std::ranges::find(kind_names, kind, &KindNames::kind);
  CHECK(found != std::end(kind_names));
  return *found;
}

bool plain_identifier(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::string quoted_name(std::string_view name) { return doubled(name, '"'); }
std::string literal(std::string_view text) { return doubled(text, '\''); }

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) { return lower_char(x) == lower_char(y); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower_char);
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), upper_char);
  return out;
}

SqlType SqlType::decimal(int precision, int scale) {
  SqlType type(SqlKind::decimal);
  type.precision_ = static_cast<std::int16_t>(precision);
  type.scale_ = static_cast<std::int16_t>(scale);
  return type;
}

SqlType SqlType::array(SqlType element) {
  SqlType type(SqlKind::array);
  type.children_.push_back({"", std::move(element)});
  return type;
}

SqlType SqlType::map(SqlType key, SqlType value) {
  SqlType type(SqlKind::map);
  type.children_.push_back({"value", std::move(value)});
  type.children_.push_back({"key", std::move(key)});
  return type;
}

SqlType SqlType::structure(std::vector<SqlField> fields) {
  SqlType type(SqlKind::structure);
  type.children_ = std::move(fields);
  return type;
}

SqlType SqlType::of(const json::Type& type) {
  switch (type.kind()) {
    case json::TypeKind::null_so_far:
    case json::TypeKind::string: return SqlKind::string;
    case json::TypeKind::boolean: return SqlKind::boolean;
    case json::TypeKind::long_integer: return SqlKind::big_integer;
    case json::TypeKind::decimal: return decimal(type.precision(), 0);
    case json::TypeKind::double_float: return SqlKind::double_float;
    case json::TypeKind::array: return array(of(type.element()));
    case json::TypeKind::structure: {
      if (type.fields().empty()) {
        return SqlKind::boolean;  // in a file: whether there is an object; its fields may come later
      }
      std::vector<std::string> names = json::sql_names(type);
      std::vector<SqlField> fields;
      for (std::size_t i = 0; i < names.size(); ++i) {
        fields.push_back({std::move(names[i]), of(type.fields()[i].type)});
      }
      return structure(std::move(fields));
    }
  }
  CHECK(false);
}

const SqlType& SqlType::element() const noexcept {
  CHECK(!children_.empty());
  return children_.front().type;
}

const SqlType& SqlType::key() const noexcept {
  CHECK(kind_ == SqlKind::map);
  return children_.back().type;
}

std::span<const SqlField> SqlType::fields() const noexcept {
  return kind_ == SqlKind::structure ? std::span<const SqlField>(children_) : std::span<const SqlField>();
}

const SqlField* SqlType::field(std::string_view name) const noexcept {
  for (const SqlField& field : fields()) {
    if (equal_ignoring_case(field.name, name)) {
      return &field;
    }
  }
  return nullptr;
}

bool operator==(const SqlType& a, const SqlType& b) noexcept {
  return a.kind_ == b.kind_ && a.precision_ == b.precision_ && a.scale_ == b.scale_ && a.children_ == b.children_;
}

std::string SqlType::ddl() const {
  switch (kind_) {
    case SqlKind::decimal: return fmt::format("decimal({},{})", precision_, scale_);
    case SqlKind::array: return fmt::format("array<{}>", element().ddl());
    case SqlKind::map: return fmt::format("map<{},{}>", key().ddl(), element().ddl());
    case SqlKind::structure: {
      std::string text = "struct<";
      for (const SqlField& field : children_) {
        if (text.back() != '<') {
          text += ',';
        }
        if (plain_identifier(field.name)) {
          text += field.name;
        } else {
          text += doubled(field.name, '`');
        }
        text += ':' + field.type.ddl();
      }
      return text + '>';
    }
    default: return std::string(names_of(kind_).ddl);
  }
}

std::string SqlType::title() const {
  if (kind_ == SqlKind::structure) {
    std::string text = "STRUCT<";
    for (const SqlField& field : children_) {
      text += (text.back() == '<' ? "" : ", ") + field.name + ": " + field.type.title();
    }
    return text + '>';
  }
  return upper(ddl());
}

namespace {

std::string type_text(const SqlType& type, std::string_view timestamp) {
  switch (type.kind()) {
    case SqlKind::decimal: return fmt::format("DECIMAL({},{})", type.precision(), type.scale());
    case SqlKind::array: return type_text(type.element(), timestamp) + "[]";
    case SqlKind::map: return fmt::format("MAP({}, {})", type_text(type.key(), timestamp), type_text(type.element(), timestamp));
    case SqlKind::structure: {
      std::string text = "STRUCT(";
      for (const SqlField& field : type.fields()) {
        text += (text.back() == '(' ? "" : ", ") + quoted_name(field.name) + ' ' + type_text(field.type, timestamp);
      }
      return text + ')';
    }
    case SqlKind::timestamp: return std::string(timestamp);
    default: return std::string(names_of(type.kind()).duckdb);
  }
}

}  // namespace

std::string SqlType::duckdb() const { return type_text(*this, names_of(SqlKind::timestamp).duckdb); }
std::string SqlType::parquet() const { return type_text(*this, "TIMESTAMP WITH TIME ZONE"); }

SqlType as_decimal(const SqlType& numeric) {
  switch (numeric.kind()) {
    case SqlKind::tiny_integer: return SqlType::decimal(3, 0);
    case SqlKind::small_integer: return SqlType::decimal(5, 0);
    case SqlKind::integer: return SqlType::decimal(10, 0);
    case SqlKind::big_integer: return SqlType::decimal(20, 0);
    case SqlKind::decimal: return numeric;
    default: CHECK(false);
  }
}

SqlType bounded_decimal(int precision, int scale) {
  constexpr int digits_max = 38;
  constexpr int fraction_digits_kept = 6;
  if (precision <= digits_max) {
    return SqlType::decimal(precision, scale);
  }
  const int whole_digits = precision - scale;
  return SqlType::decimal(digits_max, std::max(digits_max - whole_digits, std::min(scale, fraction_digits_kept)));
}

SqlType common_type(const SqlType& a, const SqlType& b) {
  if (a == b || b.is(SqlKind::void_type)) {
    return a;
  }
  if (a.is(SqlKind::void_type)) {
    return b;
  }
  if (a.is_numeric() && b.is_numeric()) {
    if (a.is_fraction() || b.is_fraction()) {
      return a.is(SqlKind::real) && b.is(SqlKind::real) ? SqlKind::real : SqlKind::double_float;
    }
    if (a.is(SqlKind::decimal) || b.is(SqlKind::decimal)) {
      const SqlType x = as_decimal(a);
      const SqlType y = as_decimal(b);
      const int scale = std::max(x.scale(), y.scale());
      return bounded_decimal(std::max(x.precision() - x.scale(), y.precision() - y.scale()) + scale, scale);
    }
    return std::max(a.kind(), b.kind());
  }
  const auto atomic = [](const SqlType& type) { return type.is_known() && type.kind() < SqlKind::array; };
  if ((a.is(SqlKind::string) && atomic(b)) || (b.is(SqlKind::string) && atomic(a))) {
    return SqlKind::string;
  }
  if ((a.is(SqlKind::date) && b.is(SqlKind::timestamp)) || (a.is(SqlKind::timestamp) && b.is(SqlKind::date))) {
    return SqlKind::timestamp;
  }
  if (a.is(SqlKind::array) && b.is(SqlKind::array)) {
    SqlType element = common_type(a.element(), b.element());
    return element.is_known() ? SqlType::array(std::move(element)) : SqlType();
  }
  if (a.is(SqlKind::structure) && b.is(SqlKind::structure) && a.fields().size() == b.fields().size()) {
    std::vector<SqlField> fields;
    for (std::size_t i = 0; i < a.fields().size(); ++i) {
      SqlType type = common_type(a.fields()[i].type, b.fields()[i].type);
      if (!equal_ignoring_case(a.fields()[i].name, b.fields()[i].name) || !type.is_known()) {
        return {};
      }
      fields.push_back({a.fields()[i].name, std::move(type)});
    }
    return SqlType::structure(std::move(fields));
  }
  return {};
}

}  // namespace tripos::worker
