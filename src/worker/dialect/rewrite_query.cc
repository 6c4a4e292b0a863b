// Queries: SELECT, UNION and the like, WITH, ORDER BY, GROUP BY.
#include <algorithm>

#include "base/check.h"
#include "worker/dialect/names.h"

namespace tripos::worker {
namespace {

constexpr int query_nesting_max = 200;

// Names for DuckDB, unlike each other also where Spark's are alike.
class UniqueNames {
 public:
  std::string add(const std::string& name) {
    std::string unique = name.empty() ? "_" : name;
    for (int i = 1; !taken_.insert(lower(unique)).second; ++i) {
      unique = fmt::format("{}_{}", name, i);
    }
    return unique;
  }

 private:
  std::set<std::string> taken_;
};

bool is_distinct(Node node) {
  const std::vector<Node> modifiers = node.list("modifiers");
  return std::ranges::any_of(modifiers, [](const Node& m) { return m.text("type") == "DISTINCT_MODIFIER"; });
}

// A column reference by one plain name.
std::optional<std::string> single_name(Node node) {
  if (node.text("class") == "COLUMN_REF") {
    std::vector<std::string> names = node.texts("column_names");
    if (names.size() == 1) {
      return std::move(names.front());
    }
  }
  return std::nullopt;
}

// The n of GROUP BY n, ORDER BY n.
std::optional<std::int64_t> ordinal(Node node) {
  if (node.text("class") == "CONSTANT" && node["value"]["value"].is_integer() && node["value"]["type"].text("id") == "INTEGER") {
    return node["value"]["value"].as_integer();
  }
  return std::nullopt;
}

}  // namespace

Result<Query> Rewriter::rewrite(Node node) {
  TRIPOS_ASSIGN(Query result, query(node, nullptr, nullptr));
  for (const Column& column : result.columns) {
    mark_read(column.usage);
  }
  return result;
}

Result<Query> Rewriter::query(Node node, const Scope* outer, const Names* names) {
  if (++depth_ > query_nesting_max) {
    return fail(ErrorCode::query, "the statement nests more than {} queries", query_nesting_max);
  }
  const Names* names_before = names_;
  Result<Query> result = query_body(node, outer, names);
  names_ = names_before;
  --depth_;
  return result;
}

Result<Query> Rewriter::query_body(Node node, const Scope* outer, const Names* names) {
  Names local{names, {}};
  std::string with;
  bool is_recursive = false;
  for (const Node& entry : node["cte_map"].list("map")) {
    const std::string name(entry.text("key"));
    const Node value = entry["value"];
    const Node definition = value["query"]["node"] ? value["query"]["node"] : value["query"];
    const std::string sql_name = fmt::format("{}#{}", name, ++generated_names_);
    Query defined;
    if (definition.text("type") == "RECURSIVE_CTE_NODE") {
      is_recursive = true;
      local.ctes.push_back({name, {}, sql_name});
      Names self{&local, {}};
      TRIPOS_ASSIGN(Query anchor, query(definition["left"], outer, names));
      const std::vector<std::string> aliases = value.texts("aliases");
      for (std::size_t i = 0; i < anchor.columns.size(); ++i) {
        mark_read(anchor.columns[i].usage);
        anchor.columns[i].usage = nullptr;
        if (i < aliases.size()) {
          anchor.columns[i].name = aliases[i];
        }
      }
      local.ctes.back().columns = anchor.columns;
      TRIPOS_ASSIGN(const Query step, query(definition["right"], outer, &self));
      for (const Column& column : step.columns) {
        mark_read(column.usage);
      }
      defined = {fmt::format("({}) UNION {}({})", anchor.sql, definition.flag("union_all") ? "ALL " : "", step.sql), anchor.columns};
    } else {
      TRIPOS_ASSIGN(defined, query(definition, outer, &local));
      const std::vector<std::string> aliases = value.texts("aliases");
      if (!aliases.empty() && aliases.size() != defined.columns.size()) {
        return fail(ErrorCode::query, "WITH {} names {} columns, its query has {}", name, aliases.size(), defined.columns.size());
      }
      for (std::size_t i = 0; i < aliases.size(); ++i) {
        defined.columns[i].name = aliases[i];
      }
      local.ctes.push_back({name, defined.columns, sql_name});
    }
    with += fmt::format("{}{} AS ({})", with.empty() ? "" : ", ", quoted_name(sql_name), defined.sql);
  }
  if (!with.empty()) {
    with = (is_recursive ? "WITH RECURSIVE " : "WITH ") + with + ' ';
  }
  names_ = &local;
  const std::string_view type = node.text("type");
  Result<Query> result = type == "SELECT_NODE"          ? select(node, outer, &local)
                         : type == "SET_OPERATION_NODE" ? set_operation(node, outer, &local)
                                                        : fail(ErrorCode::unsupported, "a query of the kind {} is not supported", type);
  if (result) {
    result->sql.insert(0, with);
  }
  return result;
}

Result<Query> Rewriter::set_operation(Node node, const Scope* outer, const Names* names) {
  TRIPOS_ASSIGN(Query left, query(node["left"], outer, names));
  names_ = names;
  TRIPOS_ASSIGN(const Query right, query(node["right"], outer, names));
  names_ = names;
  if (left.columns.size() != right.columns.size()) {
    return fail(ErrorCode::query, "both sides of {} must have the same number of columns: {} and {}", node.text("setop_type"),
                left.columns.size(), right.columns.size());
  }
  std::vector<Item> items;
  const auto arm = [&](const Query& query) -> Result<std::string> {
    std::string list;
    for (std::size_t i = 0; i < left.columns.size(); ++i) {
      mark_read(query.columns[i].usage);
      const SqlType type = common_type(left.columns[i].type, right.columns[i].type);
      if (!type.is_known() && left.columns[i].type.is_known() && right.columns[i].type.is_known()) {
        return fail(ErrorCode::query, "column {} is {} on one side and {} on the other side of {}", i + 1, left.columns[i].type.ddl(),
                    right.columns[i].type.ddl(), node.text("setop_type"));
      }
      const Expression expression{.sql = query.columns[i].sql, .type = query.columns[i].type, .title = ""};
      list += fmt::format("{}{} AS {}", list.empty() ? "" : ", ", type.is_known() ? cast_sql(expression, type) : expression.sql,
                          left.columns[i].sql);
    }
    return fmt::format("SELECT {} FROM ({})", list, query.sql);
  };
  TRIPOS_ASSIGN(const std::string left_arm, arm(left));
  TRIPOS_ASSIGN(const std::string right_arm, arm(right));
  for (std::size_t i = 0; i < left.columns.size(); ++i) {
    Column& column = left.columns[i];
    column.type = common_type(column.type, right.columns[i].type);
    column.usage = nullptr;
    items.push_back({column.sql, column});
  }
  Scope scope{outer, {}, {}};
  TRIPOS_ASSIGN(const std::string tail, modifiers(node, scope, items));
  left.sql = fmt::format("({}) {}{} ({}){}", left_arm, node.text("setop_type"), node.flag("setop_all") ? " ALL" : "", right_arm, tail);
  return left;
}

Result<Query> Rewriter::select(Node node, const Scope* outer, const Names* names) {
  if (node["qualify"] || node["sample"]) {
    return fail(ErrorCode::unsupported, "QUALIFY and TABLESAMPLE are not supported");
  }
  TRIPOS_ASSIGN(const From source, from(node["from_table"], outer, names));
  names_ = names;
  TRIPOS_ASSIGN(const std::vector<Item> list, items(node, source.scope));
  Query result;
  std::string columns;
  const bool transparent = !is_distinct(node);
  for (const Item& item : list) {
    columns += fmt::format("{}{} AS {}", columns.empty() ? "" : ", ", item.sql, item.column.sql);
    result.columns.push_back(item.column);
    if (!transparent) {
      mark_read(item.column.usage);
      result.columns.back().usage = nullptr;
    }
  }
  result.sql = fmt::format("SELECT {}{}", transparent ? "" : "DISTINCT ", columns);
  if (!source.sql.empty()) {
    result.sql += " FROM " + source.sql;
  }
  if (node["where_clause"]) {
    TRIPOS_ASSIGN(const Expression where, condition(node["where_clause"], source.scope));
    result.sql += " WHERE " + where.sql;
  }
  TRIPOS_ASSIGN(const std::string groups, group_by(node, source.scope, list));
  result.sql += groups;
  if (node["having"]) {
    Scope aliases{outer, {}, {}};
    for (const Item& item : list) {
      aliases.star.push_back(item.column);
      aliases.star.back().sql = item.sql;
    }
    Scope scope = source.scope;
    scope.parent = &aliases;
    TRIPOS_ASSIGN(const Expression having, condition(node["having"], scope));
    result.sql += " HAVING " + having.sql;
  }
  TRIPOS_ASSIGN(const std::string tail, modifiers(node, source.scope, list));
  result.sql += tail;
  return result;
}

Result<std::vector<Rewriter::Item>> Rewriter::items(Node select, const Scope& scope) {
  std::vector<Item> items;
  UniqueNames unique;
  // Items may name earlier items, where no table has a column of that name.
  Scope earlier{scope.parent, {}, {}};
  Scope local = scope;
  local.parent = &earlier;
  const auto add = [&](std::string name, SqlType type, std::string sql, Usage* usage) {
    Column column{.name = std::move(name), .type = std::move(type), .usage = usage};
    column.sql = quoted_name(unique.add(column.name));
    items.push_back({std::move(sql), column});
    column.sql = items.back().sql;
    earlier.star.push_back(std::move(column));
  };
  for (const Node& node : select.list("select_list")) {
    if (node.text("class") == "STAR") {
      TRIPOS_ASSIGN(std::vector<Item> all, star(node, scope));
      for (Item& item : all) {
        add(item.column.name, item.column.type, std::move(item.sql), item.column.usage);
      }
      continue;
    }
    TRIPOS_ASSIGN(Expression expression, reference(node, local));
    const std::string_view alias = node.text("alias");
    if (!expression.generated.empty()) {
      for (const Expression::Generated& generated : expression.generated) {
        add(alias.empty() || expression.generated.size() > 1 ? generated.name : std::string(alias), generated.type, generated.sql, nullptr);
      }
      continue;
    }
    std::string name = alias.empty() ? expression.column_name() : std::string(alias);
    add(std::move(name), std::move(expression.type), std::move(expression.sql), expression.usage);
  }
  if (items.empty()) {
    return fail(ErrorCode::query, "the query selects no columns");
  }
  return items;
}

Result<std::vector<Rewriter::Item>> Rewriter::star(Node node, const Scope& scope) {
  if (node.flag("columns") || node["expr"] || !node.list("replace_list").empty() || !node.list("rename_list").empty()) {
    return fail(ErrorCode::unsupported, "a star with REPLACE, RENAME or COLUMNS is not supported");
  }
  std::vector<Column> columns;
  const std::string relation(node.text("relation_name"));
  if (relation.empty()) {
    if (scope.star.empty()) {
      return fail(ErrorCode::query, "* without a table has no columns");
    }
    columns = scope.star;
  } else if (const Relation* found = find_relation(scope, relation)) {
    columns = found->columns;
  } else {
    TRIPOS_ASSIGN(const Resolved resolved, resolve_column(scope, {relation}));
    if (!resolved.column.type.is(SqlKind::structure)) {
      return fail(ErrorCode::query, "{}.*: {} is neither a table nor a structure", relation, relation);
    }
    const Expression structure{.sql = resolved.column.sql, .type = resolved.column.type, .title = relation, .usage = resolved.column.usage};
    for (const SqlField& of : structure.type.fields()) {
      Expression value = field(structure, of.name, of.name);
      columns.push_back({.name = of.name, .type = value.type, .sql = value.sql, .usage = value.usage});
    }
  }
  const std::vector<std::string> excluded = node.texts("exclude_list");
  std::vector<Item> items;
  for (Column& column : columns) {
    if (std::ranges::none_of(excluded, [&](const std::string& name) { return equal_ignoring_case(name, column.name); })) {
      std::string sql = column.sql;
      items.push_back({std::move(sql), std::move(column)});
    }
  }
  return items;
}

Result<std::string> Rewriter::group_by(Node select, const Scope& scope, const std::vector<Item>& items) {
  if (select.text("aggregate_handling") == "FORCE_AGGREGATES") {
    for (const Item& item : items) {
      mark_read(item.column.usage);
    }
    return std::string(" GROUP BY ALL");
  }
  std::vector<std::string> groups;
  for (const Node& node : select.list("group_expressions")) {
    if (const auto number = ordinal(node)) {
      if (*number < 1 || *number > static_cast<std::int64_t>(items.size())) {
        return fail(ErrorCode::query, "GROUP BY {}: the query has {} columns", *number, items.size());
      }
      const Item& item = items[static_cast<std::size_t>(*number - 1)];
      mark_read(item.column.usage);
      groups.push_back(item.sql);
      continue;
    }
    // A table's column before an item's alias.
    Scope aliases{scope.parent, {}, {}};
    for (const Item& item : items) {
      aliases.star.push_back(item.column);
      aliases.star.back().sql = item.sql;
    }
    Scope local = scope;
    local.parent = &aliases;
    TRIPOS_ASSIGN(const Expression group, expression(node, local));
    groups.push_back(group.sql);
  }
  if (groups.empty()) {
    return std::string();
  }
  const auto list = [&](const std::vector<Node>& members) {
    std::string text;
    for (const Node& member : members) {
      text += (text.empty() ? "" : ", ") + groups[static_cast<std::size_t>(member.as_integer())];
    }
    return text;
  };
  const std::vector<Node> sets = select.list("group_sets");
  if (sets.size() == 1) {
    return " GROUP BY " + list(sets.front().items());
  }
  std::string text;
  for (const Node& set : sets) {
    text += fmt::format("{}({})", text.empty() ? "" : ", ", list(set.items()));
  }
  return fmt::format(" GROUP BY GROUPING SETS ({})", text);
}

Result<std::string> Rewriter::modifiers(Node node, const Scope& scope, const std::vector<Item>& items) {
  std::string text;
  for (const Node& modifier : node.list("modifiers")) {
    const std::string_view type = modifier.text("type");
    if (type == "ORDER_MODIFIER") {
      TRIPOS_ASSIGN(const std::string order, order_by(modifier.list("orders"), scope, &items));
      text += " ORDER BY " + order;
    } else if (type == "LIMIT_MODIFIER") {
      for (const std::string_view part : {"limit", "offset"}) {
        if (modifier[part]) {
          TRIPOS_ASSIGN(const Expression count, expression(modifier[part], Scope{}));
          text += fmt::format(" {} {}", upper(part), count.sql);
        }
      }
    } else if (type == "DISTINCT_MODIFIER") {
      if (!modifier.list("distinct_on_targets").empty()) {
        return fail(ErrorCode::unsupported, "DISTINCT ON is not supported");
      }
    } else {
      return fail(ErrorCode::unsupported, "{} is not supported", type);
    }
  }
  return text;
}

Result<std::string> Rewriter::order_by(const std::vector<Node>& orders, const Scope& scope, const std::vector<Item>* items) {
  // The query's own columns before the tables'.
  Scope own{&scope, {}, {}};
  if (items != nullptr) {
    for (const Item& item : *items) {
      own.star.push_back(item.column);
      own.star.back().sql = item.sql;
    }
  }
  std::string text;
  for (const Node& order : orders) {
    const Node node = order["expression"];
    std::string sql;
    std::int64_t number = items == nullptr ? 0 : ordinal(node).value_or(0);
    if (const auto name = single_name(node); name && items != nullptr) {
      const auto named = [&](const Item& item) { return equal_ignoring_case(item.column.name, *name); };
      if (const auto found = std::ranges::find_if(*items, named);
          found != items->end() &&
          std::all_of(found, items->end(), [&](const Item& item) { return !named(item) || item.sql == found->sql; })) {
        number = found - items->begin() + 1;
      }
    }
    if (number != 0) {
      if (number < 1 || number > static_cast<std::int64_t>(items->size())) {
        return fail(ErrorCode::query, "ORDER BY {}: the query has {} columns", number, items->size());
      }
      mark_read((*items)[static_cast<std::size_t>(number - 1)].column.usage);
      sql = fmt::format("{}", number);
    } else if (node.text("class") == "STAR") {
      sql = "ALL";
    } else {
      TRIPOS_ASSIGN(const Expression expression_of_order, expression(node, items == nullptr ? scope : own));
      sql = expression_of_order.sql;
    }
    const bool descending = order.text("type") == "DESCENDING";
    const std::string_view nulls = order.text("null_order");
    const bool nulls_first = nulls == "NULLS FIRST" || (nulls != "NULLS LAST" && !descending);
    text += fmt::format("{}{} {} NULLS {}", text.empty() ? "" : ", ", sql, descending ? "DESC" : "ASC", nulls_first ? "FIRST" : "LAST");
  }
  return text;
}

}  // namespace tripos::worker
