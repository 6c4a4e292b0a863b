// PIVOT and UNPIVOT in FROM.
#include <algorithm>

#include "worker/dialect/names.h"

namespace tripos::worker {
namespace {

// The first names of all columns below `node`.
void collect_columns(Node node, std::vector<std::string>& names) {
  if (node.text("class") == "COLUMN_REF") {
    std::ranges::copy(node.texts("column_names"), std::back_inserter(names));
  }
  for (const Node& item : node.items()) {
    collect_columns(item, names);
  }
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::any_of(names, [&](const std::string& other) { return equal_ignoring_case(other, name); });
}

void add_column(Query& query, const std::string& name, SqlType type, const std::string& sql) {
  query.sql += fmt::format("{}{} AS {}", query.sql.empty() ? "SELECT " : ", ", sql, quoted_name(name));
  query.columns.push_back({name, std::move(type), quoted_name(name)});
}

}  // namespace

// Rows are grouped by the columns that neither PIVOT nor its aggregates name; each value has one column for each aggregate,
// NULL where no row has that value.
Result<Rewriter::From> Rewriter::pivot(Node node, const Scope* outer, const Names* names) {
  TRIPOS_ASSIGN(From source, from(node["source"], outer, names));
  const std::vector<Node> pivots = node.list("pivots");
  if (!node.texts("unpivot_names").empty()) {
    return unpivot(node, source);
  }
  if (pivots.size() != 1 || pivots[0].list("pivot_expressions").size() != 1) {
    return fail(ErrorCode::unsupported, "PIVOT by more than one column is not supported");
  }
  const std::vector<Node> aggregates = node.list("aggregates");
  TRIPOS_ASSIGN(const Expression by, expression(pivots[0].list("pivot_expressions")[0], source.scope));
  std::vector<std::string> used;
  collect_columns(pivots[0].list("pivot_expressions")[0], used);
  for (const Node& aggregate : aggregates) {
    collect_columns(aggregate, used);
  }
  Query query;
  std::string groups;
  for (const Column& column : source.scope.star) {
    if (!contains(used, column.name)) {
      mark_read(column.usage);
      groups += (groups.empty() ? "" : ", ") + column.sql;
      add_column(query, column.name, column.type, column.sql);
    }
  }
  for (const Node& entry : pivots[0].list("entries")) {
    const std::vector<Node> values = entry.list("values");
    if (values.size() != 1) {
      return fail(ErrorCode::unsupported, "PIVOT wants its values written out: FOR … IN ('a', 'b')");
    }
    TRIPOS_ASSIGN(const Expression value, constant(values[0]));
    const std::string test = comparison("<=>", by, value).sql;
    const std::string name(entry.text("alias").empty() ? value.title : entry.text("alias"));
    for (const Node& aggregate : aggregates) {
      pivot_filter_ = test;
      Result<Expression> result = expression(aggregate, source.scope);
      pivot_filter_.clear();
      if (!result) {
        return tl::unexpected(std::move(result).error());
      }
      const std::string_view alias = aggregate.text("alias");
      const std::string column = aggregates.size() == 1 ? name : fmt::format("{}_{}", name, alias.empty() ? result->title : alias);
      add_column(query, column, result->type, fmt::format("CASE WHEN count(*) FILTER (WHERE {}) > 0 THEN {} END", test, result->sql));
    }
  }
  query.sql += fmt::format(" FROM {}{}{}", source.sql, groups.empty() ? "" : " GROUP BY ", groups);
  std::string alias(node.text("alias"));
  return subquery_table(std::move(query), node, alias.empty() ? fmt::format("pivot#{}", ++generated_names_) : std::move(alias));
}

// A row for each of the columns, its name and its value in two new columns.
Result<Rewriter::From> Rewriter::unpivot(Node node, const From& source) {
  const std::vector<Node> pivots = node.list("pivots");
  const std::vector<std::string> value_names = node.texts("unpivot_names");
  if (pivots.size() != 1 || value_names.size() != 1 || pivots[0].texts("unpivot_names").size() != 1) {
    return fail(ErrorCode::unsupported, "UNPIVOT into more than one column of values is not supported");
  }
  std::string titles;
  std::vector<Expression> values;
  std::vector<std::string> used;
  SqlType type = SqlKind::void_type;
  for (const Node& entry : pivots[0].list("entries")) {
    const std::vector<Node> columns = entry.list("values");
    if (columns.size() != 1) {
      return fail(ErrorCode::unsupported, "UNPIVOT wants one column for each name: IN (a, b AS c)");
    }
    used.emplace_back(columns[0].text("value"));
    TRIPOS_ASSIGN(const Resolved column, resolve_column(source.scope, {used.back()}));
    mark_read(column.column.usage);
    values.push_back({.sql = column.column.sql, .type = column.column.type, .title = used.back()});
    type = common_type(type, column.column.type);
    titles += (titles.empty() ? "" : ", ") + literal(entry.text("alias").empty() ? column.column.name : entry.text("alias"));
  }
  std::string list;
  for (const Expression& value : values) {
    list += (list.empty() ? "" : ", ") + coerced(value, type).sql;
  }
  Query query;
  for (const Column& column : source.scope.star) {
    if (!contains(used, column.name)) {
      mark_read(column.usage);
      add_column(query, column.name, column.type, column.sql);
    }
  }
  add_column(query, pivots[0].texts("unpivot_names")[0], SqlKind::string, fmt::format("unnest([{}])", titles));
  add_column(query, value_names[0], type, fmt::format("unnest([{}])", list));
  query.sql += " FROM " + source.sql;
  if (!node.flag("include_nulls")) {
    query.sql = fmt::format("SELECT * FROM ({}) WHERE {} IS NOT NULL", query.sql, quoted_name(value_names[0]));
  }
  std::string alias(node.text("alias"));
  return subquery_table(std::move(query), node, alias.empty() ? fmt::format("unpivot#{}", ++generated_names_) : std::move(alias));
}

}  // namespace tripos::worker
