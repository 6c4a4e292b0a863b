// Expression: a piece of a statement, rewritten for DuckDB.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "worker/dialect/scope.h"
#include "worker/dialect/sql_type.h"

namespace tripos::worker {

struct Expression {
  std::string sql = {};
  SqlType type = {};
  std::string title = {};                // what Spark writes for it inside of a title
  std::optional<std::string> name = {};  // what Spark calls a column of it, if not by its title
  std::optional<std::string> text = {};  // a string literal's text
  bool literal = false;
  Usage* usage = nullptr;  // if it is nothing but a table's column or field: not marked as read yet
  // Generators make several columns, or rows: name and SQL of each column. Only for items of a SELECT list.
  struct Generated {
    std::string name;
    SqlType type;
    std::string sql;
  };
  std::vector<Generated> generated = {};

  [[nodiscard]] const std::string& column_name() const { return name ? *name : title; }
};

// `expression` as a value of `type`, as Spark casts (NULL for what can't be cast). `explicitly`: the statement says CAST; otherwise the
// cast is implied by its use.
[[nodiscard]] std::string cast_sql(const Expression& expression, const SqlType& type);
// The same expression, coerced: its title stays.
[[nodiscard]] Expression coerced(Expression expression, const SqlType& type);

}  // namespace tripos::worker
