// FROM: tables, views, joins, subqueries, VALUES, generators.
#include <algorithm>

#include "worker/dialect/names.h"

namespace tripos::worker {
namespace {

// The relation of that alias whose columns are `columns`, renamed as "AS alias(a, b)" says.
Result<Relation> relation_of(std::string alias, std::vector<Column> columns, const std::vector<std::string>& renamed) {
  if (renamed.size() > columns.size()) {
    return fail(ErrorCode::query, "{} has {} columns, {} names are given", alias, columns.size(), renamed.size());
  }
  for (std::size_t i = 0; i < renamed.size(); ++i) {
    columns[i].name = renamed[i];
  }
  return Relation{std::move(alias), std::move(columns)};
}

Scope scope_of(const Scope* outer, Relation relation) {
  Scope scope{outer, {}, relation.columns};
  scope.relations.push_back(std::move(relation));
  return scope;
}

}  // namespace

Result<Rewriter::From> Rewriter::from(Node node, const Scope* outer, const Names* names) {
  const std::string_view type = node.text("type");
  if (node["sample"]) {
    return fail(ErrorCode::unsupported, "TABLESAMPLE is not supported");
  }
  Result<From> result = From{"", Scope{}};
  if (type == "BASE_TABLE") {
    result = base_table(node, names);
  } else if (type == "JOIN") {
    result = join(node, outer, names);
  } else if (type == "SUBQUERY") {
    TRIPOS_ASSIGN(Query inner, query(node["subquery"]["node"], outer, names));
    std::string alias(node.text("alias"));
    result = subquery_table(std::move(inner), node, alias.empty() ? fmt::format("query#{}", ++generated_names_) : std::move(alias));
  } else if (type == "TABLE_FUNCTION") {
    result = table_function(node, outer);
  } else if (type == "EXPRESSION_LIST") {
    result = values(node, outer);
  } else if (type == "PIVOT") {
    result = pivot(node, outer, names);
  } else if (type != "EMPTY") {
    return fail(ErrorCode::unsupported, "{} in FROM is not supported", type);
  }
  if (result) {
    result->scope.parent = outer;
  }
  return result;
}

Result<Rewriter::From> Rewriter::subquery_table(Query inner, Node node, std::string alias) {
  for (Column& column : inner.columns) {
    column.sql = quoted_name(alias) + '.' + column.sql;
  }
  std::string sql = fmt::format("({}) AS {}", inner.sql, quoted_name(alias));
  TRIPOS_ASSIGN(Relation relation, relation_of(std::move(alias), std::move(inner.columns), node.texts("column_name_alias")));
  return From{std::move(sql), scope_of(nullptr, std::move(relation))};
}

Result<Rewriter::From> Rewriter::base_table(Node node, const Names* names) {
  const TableReference reference{std::string(node.text("schema_name")), std::string(node.text("table_name"))};
  const std::string alias(node.text("alias").empty() ? reference.name : node.text("alias"));
  const std::string prefix = quoted_name(alias) + '.';
  if (node["at_clause"] || !node.text("catalog_name").empty()) {
    return fail(ErrorCode::query, "there is no table {}.{}.{}", node.text("catalog_name"), reference.qualifier, reference.name);
  }
  if (reference.qualifier.empty() && names != nullptr) {
    if (const Cte* cte = names->find(reference.name)) {
      std::vector<Column> columns = cte->columns;
      for (Column& column : columns) {
        column.sql = prefix + column.sql;
      }
      TRIPOS_ASSIGN(Relation relation, relation_of(alias, std::move(columns), node.texts("column_name_alias")));
      return From{fmt::format("{} AS {}", quoted_name(cte->sql_name), quoted_name(alias)), scope_of(nullptr, std::move(relation))};
    }
  }
  TRIPOS_ASSIGN(const Tree* view, source_.view(reference));
  if (view != nullptr) {
    const std::string name = lower(reference.name);
    if (std::ranges::find(views_, name) != views_.end()) {
      return fail(ErrorCode::query, "the view {} is defined by itself", reference.name);
    }
    views_.push_back(name);
    Result<Query> inner = query(view->root(), nullptr, nullptr);
    views_.pop_back();
    if (!inner) {
      return tl::unexpected(std::move(inner).error().within(fmt::format("view {}", reference.name)));
    }
    return subquery_table(std::move(*inner), node, alias);
  }
  TRIPOS_ASSIGN(const TableBinding table, source_.table(reference));
  const auto bound = [&](const std::vector<SqlField>& fields) {
    std::vector<Column> columns;
    for (const SqlField& field : fields) {
      columns.push_back({.name = field.name,
                         .type = field.type,
                         .sql = prefix + quoted_name(field.name),
                         .usage = table.usage == nullptr ? nullptr : &(*table.usage)[field.name]});
    }
    return columns;
  };
  TRIPOS_ASSIGN(Relation relation, relation_of(alias, bound(table.columns), node.texts("column_name_alias")));
  relation.hidden = bound(table.hidden);
  return From{fmt::format("{} AS {}", table.sql, quoted_name(alias)), scope_of(nullptr, std::move(relation))};
}

Result<Rewriter::From> Rewriter::join(Node node, const Scope* outer, const Names* names) {
  const std::string_view join_type = node.text("join_type");
  const std::string_view reference_type = node.text("ref_type");
  TRIPOS_ASSIGN(From left, from(node["left"], outer, names));
  // What stands on the right may name columns of the left (LATERAL).
  TRIPOS_ASSIGN(From right, from(node["right"], &left.scope, names));
  names_ = names;
  const bool right_is_join = node["right"].text("type") == "JOIN";
  const std::string right_sql = right_is_join ? fmt::format("({})", right.sql) : right.sql;

  From result;
  result.scope.parent = outer;
  result.scope.relations = left.scope.relations;
  result.scope.relations.insert(result.scope.relations.end(), right.scope.relations.begin(), right.scope.relations.end());
  std::vector<std::string> shared = node.texts("using_columns");
  if (reference_type == "NATURAL") {
    for (const Column& column : left.scope.star) {
      if (std::ranges::any_of(right.scope.star, [&](const Column& other) { return equal_ignoring_case(other.name, column.name); })) {
        shared.push_back(column.name);
      }
    }
  } else if (reference_type != "REGULAR" && reference_type != "CROSS") {
    return fail(ErrorCode::unsupported, "{} JOIN is not supported", reference_type);
  }
  const auto is_shared = [&](const Column& column) {
    return std::ranges::any_of(shared, [&](const std::string& name) { return equal_ignoring_case(name, column.name); });
  };
  std::string condition_sql;
  for (const std::string& name : shared) {
    left.scope.parent = nullptr;
    right.scope.parent = nullptr;
    TRIPOS_ASSIGN(const Resolved l, resolve_column(left.scope, {name}));
    TRIPOS_ASSIGN(const Resolved r, resolve_column(right.scope, {name}));
    mark_read(l.column.usage);
    mark_read(r.column.usage);
    const Expression equal = comparison("=", {.sql = l.column.sql, .type = l.column.type, .title = ""},
                                        {.sql = r.column.sql, .type = r.column.type, .title = ""});
    condition_sql += (condition_sql.empty() ? "" : " AND ") + equal.sql;
    Column column = join_type == "RIGHT" ? r.column : l.column;
    if (join_type == "OUTER") {
      column.sql = fmt::format("coalesce({}, {})", l.column.sql, r.column.sql);
      column.usage = nullptr;
    }
    result.scope.star.push_back(std::move(column));
  }
  for (const Scope* side : {&left.scope, &right.scope}) {
    std::ranges::copy_if(side->star, std::back_inserter(result.scope.star), [&](const Column& column) { return !is_shared(column); });
  }
  if (node["condition"]) {
    TRIPOS_ASSIGN(const Expression on, condition(node["condition"], result.scope));
    condition_sql = on.sql;
  }
  if (join_type == "SEMI" || join_type == "ANTI") {
    result.scope.relations = left.scope.relations;
    result.scope.star = left.scope.star;
  }
  if (condition_sql.empty() && (reference_type == "CROSS" || join_type == "INNER")) {
    result.sql = fmt::format("{} CROSS JOIN {}", left.sql, right_sql);
  } else {
    const std::string_view kind = join_type == "OUTER" ? "FULL" : join_type;
    if (kind != "INNER" && kind != "LEFT" && kind != "RIGHT" && kind != "FULL" && kind != "SEMI" && kind != "ANTI") {
      return fail(ErrorCode::unsupported, "{} JOIN is not supported", kind);
    }
    result.sql = fmt::format("{} {} JOIN {} ON {}", left.sql, kind, right_sql, condition_sql.empty() ? "true" : condition_sql);
  }
  return result;
}

Result<Rewriter::From> Rewriter::values(Node node, const Scope* outer) {
  std::vector<std::vector<Expression>> rows;
  for (const Node& row : node.list("values")) {
    std::vector<Expression> cells;
    for (const Node& cell : row.items()) {
      TRIPOS_ASSIGN(Expression value, expression(cell, outer == nullptr ? Scope{} : *outer));
      cells.push_back(std::move(value));
    }
    rows.push_back(std::move(cells));
  }
  const std::size_t width = rows.empty() ? 0 : rows.front().size();
  const std::string alias = node.text("alias").empty() || node.text("alias") == "valueslist" ? fmt::format("values#{}", ++generated_names_)
                                                                                             : std::string(node.text("alias"));
  std::vector<std::string> given = node.texts("expected_names");
  std::vector<Column> columns;
  std::string names;
  for (std::size_t i = 0; i < width; ++i) {
    SqlType type = rows.front()[i].type;
    for (const std::vector<Expression>& row : rows) {
      if (row.size() != width) {
        return fail(ErrorCode::query, "the rows of VALUES have {} and {} columns", width, row.size());
      }
      type = common_type(type, row[i].type);
    }
    const std::string name = i < given.size() ? given[i] : fmt::format("col{}", i + 1);
    columns.push_back({name, type, quoted_name(alias) + '.' + quoted_name(name)});
    names += (names.empty() ? "" : ", ") + quoted_name(name);
  }
  std::string text;
  for (const std::vector<Expression>& row : rows) {
    text += text.empty() ? "(" : ", (";
    for (std::size_t i = 0; i < width; ++i) {
      text += (i == 0 ? "" : ", ") + coerced(row[i], columns[i].type).sql;
    }
    text += ')';
  }
  Scope scope = scope_of(nullptr, Relation{alias, std::move(columns)});
  return From{fmt::format("(VALUES {}) AS {}({})", text, quoted_name(alias), names), std::move(scope)};
}

Result<Rewriter::From> Rewriter::table_function(Node node, const Scope* outer) {
  const Node function_node = node["function"];
  std::string name = lower(function_node.text("function_name"));
  if (name.starts_with(marker_prefix)) {
    name.erase(0, marker_prefix.size());
  }
  const Scope none;
  const Scope& scope = outer == nullptr ? none : *outer;
  const std::string alias(node.text("alias").empty() ? fmt::format("{}#{}", name, ++generated_names_) : node.text("alias"));
  if (name == "range") {
    std::string arguments;
    for (const Node& argument : function_node.list("children")) {
      TRIPOS_ASSIGN(const Expression value, expression(argument, scope));
      arguments += (arguments.empty() ? "" : ", ") + coerced(value, SqlKind::big_integer).sql;
    }
    std::vector<Column> columns;
    columns.push_back({"id", SqlKind::big_integer, quoted_name(alias) + ".\"id\""});
    TRIPOS_ASSIGN(Relation relation, relation_of(alias, std::move(columns), node.texts("column_name_alias")));
    return From{fmt::format("range({}) AS {}(\"id\")", arguments, quoted_name(alias)), scope_of(nullptr, std::move(relation))};
  }
  TRIPOS_ASSIGN(const Expression generator, reference(function_node, scope));
  if (generator.generated.empty()) {
    return fail(ErrorCode::query, "{} makes no rows: it can't stand in FROM", name);
  }
  Query generated;
  for (const Expression::Generated& column : generator.generated) {
    generated.sql += fmt::format("{}{} AS {}", generated.sql.empty() ? "SELECT " : ", ", column.sql, quoted_name(column.name));
    generated.columns.push_back({column.name, column.type, quoted_name(column.name)});
  }
  TRIPOS_ASSIGN(From result, subquery_table(std::move(generated), node, alias));
  if (outer != nullptr) {
    result.sql.insert(0, "LATERAL ");
  }
  return result;
}

}  // namespace tripos::worker
