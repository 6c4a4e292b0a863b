// ColumnType: the type of a result's column, from Spark's DDL text ("struct<a:bigint,`b c`:array<string>>").
// Types that this program does not know (a later server's) keep their text and are shown as they come.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tripos::app {

struct ColumnType {
  enum class Kind { other, text, integer, real, boolean, binary, timestamp, date, decimal, structure, array, map };
  struct Field;

  Kind kind = Kind::other;
  std::string name;                 // scalar types: as the DDL writes it, "decimal(38,0)"
  std::vector<Field> fields;        // structure
  std::vector<ColumnType> element;  // array: its elements' type; map: key and value

  // invalid_argument if the text is no type. Nesting is bounded.
  [[nodiscard]] static Result<ColumnType> parse(std::string_view text);
  [[nodiscard]] bool is_number() const noexcept { return kind == Kind::integer || kind == Kind::real || kind == Kind::decimal; }
};

struct ColumnType::Field {
  std::string name;
  ColumnType type;
};

struct Column {
  std::string name;
  ColumnType type;
};

// The tree that Spark's printSchema() prints, the empty line at its end included.
[[nodiscard]] std::string schema_tree(const std::vector<Column>& columns);

}  // namespace tripos::app
