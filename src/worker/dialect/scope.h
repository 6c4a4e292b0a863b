// Scope: which columns a name can mean, and how they are written in the statement for DuckDB.
// Usage: which leaves of a table's columns a statement reads, so that both arms of a table's view can be cut down to them.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "worker/dialect/sql_type.h"

namespace tripos::worker {

// A column, or a field of a structure, of a table. Fields are named as in the type.
struct Usage {
  bool whole = false;  // its value is read, with all that is in it
  std::map<std::string, Usage, std::less<>> fields;

  [[nodiscard]] bool any() const;
};

struct Column {
  std::string name = {};  // as Spark names it
  SqlType type = {};
  std::string sql = {};    // how DuckDB finds it in its scope
  std::string title = {};  // in titles, where that isn't its name
  Usage* usage = nullptr;  // if it is nothing but a table's column or one of its fields
};

struct Relation {
  std::string alias;
  std::vector<Column> columns;
  std::vector<Column> hidden = {};  // found by name where no column has it, but not part of *
};

struct Scope {
  const Scope* parent = nullptr;  // of the query around this one
  std::vector<Relation> relations = {};
  std::vector<Column> star = {};  // what * means; columns joined by USING are there once
};

// What a column reference means: a column, and the fields below it.
struct Resolved {
  Column column;
  std::size_t names_used = 0;  // of the reference's names, table name included
};

// query: no such column, or several.
[[nodiscard]] Result<Resolved> resolve_column(const Scope& scope, const std::vector<std::string>& names);

// The relation of that name here, or nullptr.
[[nodiscard]] const Relation* find_relation(const Scope& scope, std::string_view alias) noexcept;

}  // namespace tripos::worker
