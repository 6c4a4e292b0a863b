// Functions, infix operators that DuckDB's parser gives as functions, lambdas, windows.
#include <algorithm>

#include "worker/dialect/catalogue.h"
#include "worker/dialect/names.h"

namespace tripos::worker {
namespace {

// INTERVAL n UNIT comes as to_units(CAST(trunc(CAST(n AS DOUBLE)) AS …)).
constexpr std::pair<std::string_view, std::string_view> unit_functions[] = {
    {"to_years", "YEAR"}, {"to_months", "MONTH"},   {"to_weeks", "WEEK"},     {"to_days", "DAY"},
    {"to_hours", "HOUR"}, {"to_minutes", "MINUTE"}, {"to_seconds", "SECOND"},
};

Node innermost_cast_child(Node node) {
  while (true) {
    if (node.text("class") == "CAST") {
      node = node["child"];
    } else if (node.text("class") == "FUNCTION" && node.text("function_name") == "trunc") {
      node = node.list("children").at(0);
    } else {
      return node;
    }
  }
}

// One bound of a window's frame: for DuckDB, and in a title.
Result<std::string> frame_bound(std::string_view bound, Node value) {
  if (bound == "UNBOUNDED_PRECEDING") {
    return std::string("UNBOUNDED PRECEDING");
  }
  if (bound == "UNBOUNDED_FOLLOWING") {
    return std::string("UNBOUNDED FOLLOWING");
  }
  if (bound.starts_with("CURRENT_ROW")) {
    return std::string("CURRENT ROW");
  }
  if (!bound.starts_with("EXPR_") || value.text("class") != "CONSTANT" || !value["value"]["value"].is_integer()) {
    return fail(ErrorCode::unsupported, "a bound of a window's frame must be a whole number of rows");
  }
  return fmt::format("{} {}", value["value"]["value"].as_integer(),
                     bound.find("PRECEDING") != std::string_view::npos ? "PRECEDING" : "FOLLOWING");
}

}  // namespace

std::string DecimalDivision::function() const { return fmt::format("tripos_divide_{}_{}_{}", dividend_scale, divisor_scale, scale); }

Result<Expression> Rewriter::lambda(Node node, const Scope& scope, const std::vector<LambdaParameter>& parameters) {
  if (node.text("class") != "LAMBDA") {
    return fail(ErrorCode::query, "a function such as x -> x + 1 is expected here");
  }
  const Node left = node["lhs"];
  std::vector<std::string> names;
  if (left.text("class") == "COLUMN_REF") {
    names = left.texts("column_names");
  } else {  // (x, y) -> …
    for (const Node& child : left.list("children")) {
      names.push_back(child.texts("column_names").empty() ? "" : child.texts("column_names").front());
    }
  }
  if (names.empty() || names.size() > parameters.size()) {
    return fail(ErrorCode::query, "the function before -> takes {} parameters here", parameters.size());
  }
  Scope inner{&scope, {}, {}};
  std::string list;
  std::string shown;
  std::vector<Expression> own;  // DuckDB's parameters
  for (std::size_t i = 0; i < names.size(); ++i) {
    const LambdaParameter& parameter = parameters[i];
    if (own.empty() || !parameter.shares) {
      own.push_back({.sql = quoted_name(fmt::format("{}#{}", names[i], ++generated_names_)), .title = ""});
      list += (list.empty() ? "" : ", ") + own.back().sql;
    }
    inner.star.push_back({.name = names[i],
                          .type = parameter.type,
                          .sql = parameter.sql.empty() ? own.back().sql : fill(parameter.sql, {&own.back(), 1}),
                          .title = "namedlambdavariable()"});
    shown += ", namedlambdavariable()";
  }
  TRIPOS_ASSIGN(Expression body, expression(node["expr"], inner));
  body.title = fmt::format("lambdafunction({}{})", body.title, shown);
  body.sql = fmt::format("lambda {}: {}", list, body.sql);
  return body;
}

Result<Expression> Rewriter::function(Node node, const Scope& scope) {
  std::string name = lower(node.text("function_name"));
  const std::vector<Node> children = node.list("children");
  if (name.starts_with(marker_prefix)) {
    name.erase(0, marker_prefix.size());
  } else if (node.flag("is_operator")) {
    return infix(name, node, scope);
  }
  if (const auto* unit = std::ranges::find(unit_functions, name, &std::pair<std::string_view, std::string_view>::first);
      unit != std::end(unit_functions)) {
    TRIPOS_ASSIGN(const Expression count, expression(innermost_cast_child(children.at(0)), scope));
    return Expression{
        .sql = fmt::format("{}(CAST({} AS {}))", name, count.sql, name == "to_seconds" ? "DOUBLE" : "INTEGER"),
        .type = SqlKind::interval,
        .title = fmt::format(
            "INTERVAL '{}{}' {}",
            count.title.size() == 1 && (unit->second == "HOUR" || unit->second == "MINUTE" || unit->second == "SECOND") ? "0" : "",
            count.title, unit->second)};
  }
  if (name == "count_star") {
    name = "count";
  }
  const bool reversed = name == "position" && node.text("function_name") == "position";  // position(x IN y): y comes first
  if (reversed) {
    name = "locate";
  }
  FunctionCall call{.name = name, .nodes = children, .distinct = node.flag("distinct"), .scope = &scope};
  call.marked = node.text("function_name").starts_with(marker_prefix);
  if (!keeps_nodes(name)) {
    for (const Node& child : children) {
      TRIPOS_ASSIGN(Expression argument, expression(child, scope));
      call.arguments.push_back(std::move(argument));
    }
  }
  if (reversed && call.arguments.size() == 2) {
    std::swap(call.arguments[0], call.arguments[1]);
  }
  if (node["filter"]) {
    TRIPOS_ASSIGN(const Expression filter, condition(node["filter"], scope));
    call.filter = filter.sql;
    call.filter_title = filter.title;
  }
  call.order_nodes = node["order_bys"].list("orders");
  if (!call.order_nodes.empty()) {
    TRIPOS_ASSIGN(call.order, order_by(call.order_nodes, scope, nullptr));
  }
  if (!pivot_filter_.empty() && is_aggregate(name)) {
    call.filter = call.filter.empty() ? pivot_filter_ : fmt::format("({} AND {})", pivot_filter_, call.filter);
  }
  if ((call.distinct || !call.filter.empty() || !call.order.empty()) && !is_aggregate(name)) {
    return fail(ErrorCode::query, "{} is no aggregate function: it takes no DISTINCT, FILTER or ORDER BY", name);
  }
  return call_function(*this, call);
}

Result<Expression> Rewriter::infix(std::string_view name, Node node, const Scope& scope) {
  const std::vector<Node> children = node.list("children");
  TRIPOS_ASSIGN(Expression left, expression(children.at(0), scope));
  if (children.size() == 2 && children[1].text("function_name").starts_with("tripos_like_")) {
    return like_list(name, std::move(left), children[1], scope);
  }
  if (children.size() == 1) {
    if (name == "-") {
      if (left.literal && left.type.is_numeric()) {
        left.title.insert(0, "-");
        left.sql = fmt::format("(- {})", left.sql);
        return left;
      }
      left = left.type.is(SqlKind::string) ? coerced(std::move(left), SqlKind::double_float) : left;
      return Expression{.sql = fmt::format("(- {})", left.sql), .type = left.type, .title = fmt::format("(- {})", left.title)};
    }
    if (name == "+") {
      return Expression{.sql = left.sql, .type = left.type, .title = fmt::format("(+ {})", left.title)};
    }
    if (name == "~") {
      return Expression{.sql = fmt::format("(~ {})", left.sql), .type = left.type, .title = fmt::format("~{}", left.title)};
    }
    return fail(ErrorCode::unsupported, "the operator {} is not supported", name);
  }
  TRIPOS_ASSIGN(Expression right, expression(children.at(1), scope));
  if (name == "+" || name == "-" || name == "*" || name == "/" || name == "%" || name == "//") {
    return arithmetic(name, std::move(left), std::move(right));
  }
  if (name == "||") {
    FunctionCall call{.name = "concat", .nodes = children, .arguments = {std::move(left), std::move(right)}, .scope = &scope};
    return call_function(*this, call);
  }
  if (name == "&" || name == "|" || name == "<<" || name == ">>") {
    return Expression{.sql = fmt::format("({} {} {})", left.sql, name, right.sql),
                      .type = common_type(left.type, right.type),
                      .title = fmt::format("({} {} {})", left.title, name, right.title)};
  }
  const bool negated = name.starts_with('!');
  if (name.ends_with("~~") || name.ends_with("~~*")) {
    const bool ignores_case = name.ends_with('*');
    FunctionCall call{
        .name = ignores_case ? "ilike" : "like", .nodes = children, .arguments = {std::move(left), std::move(right)}, .scope = &scope};
    TRIPOS_ASSIGN(Expression result, call_function(*this, call));
    if (negated) {
      result.sql = fmt::format("(NOT {})", result.sql);
      result.title = fmt::format("(NOT {})", result.title);
    }
    return result;
  }
  return fail(ErrorCode::unsupported, "the operator {} is not supported", name);
}

// x [NOT] LIKE ANY ('a%', …), ALL (…): `name` is ~~, !~~, ~~* or !~~*.
Result<Expression> Rewriter::like_list(std::string_view name, Expression left, Node list, const Scope& scope) {
  const bool all = list.text("function_name") == "tripos_like_all";
  const bool negated = name.starts_with('!');
  const bool ignores_case = name.ends_with('*');
  Expression result{.type = SqlKind::boolean,
                    .title = fmt::format("{}like{}({}{}{})", negated ? "not" : "", all ? "all" : "any", ignores_case ? "lower(" : "",
                                         left.title, ignores_case ? ")" : "")};
  for (const Node& child : list.list("children")) {
    TRIPOS_ASSIGN(Expression pattern, expression(child, scope));
    FunctionCall call{.name = ignores_case ? "ilike" : "like", .arguments = {left, std::move(pattern)}, .scope = &scope};
    TRIPOS_ASSIGN(const Expression one, call_function(*this, call));
    result.sql += fmt::format("{}{}{}", result.sql.empty() ? "(" : all ? " AND " : " OR ", negated ? "NOT " : "", one.sql);
  }
  if (result.sql.empty()) {
    return fail(ErrorCode::query, "LIKE {} wants patterns in its parentheses", all ? "ALL" : "ANY");
  }
  result.sql += ')';
  return result;
}

Expression Rewriter::arithmetic(std::string_view operation, Expression left, Expression right) {
  const std::string_view shown = operation == "//" ? "div" : operation;
  Expression result{.title = fmt::format("({} {} {})", left.title, shown, right.title)};
  const auto plain = [&](SqlType type) {
    result.sql = fmt::format("({} {} {})", left.sql, operation, right.sql);
    result.type = std::move(type);
    return result;
  };
  const auto is_time = [](const SqlType& type) {
    return type.is(SqlKind::date) || type.is(SqlKind::timestamp) || type.is(SqlKind::interval);
  };
  if (is_time(left.type) || is_time(right.type)) {
    if (left.type.is(SqlKind::date) && right.type.is_integral()) {
      result.title = fmt::format("{}({}, {})", operation == "+" ? "date_add" : "date_sub", left.title, right.title);
      return plain(SqlKind::date);
    }
    if (right.type.is(SqlKind::interval) && !left.type.is(SqlKind::interval)) {
      result.title = fmt::format("{} {} {}", left.title, operation, right.title);
    }
    if (left.type.is(SqlKind::interval) && right.type.is(SqlKind::interval)) {
      return plain(SqlKind::interval);
    }
    if (left.type.is(SqlKind::string)) {
      left = coerced(std::move(left), right.type.is(SqlKind::interval) ? SqlType(SqlKind::timestamp) : right.type);
    }
    if (right.type.is(SqlKind::string)) {
      right = coerced(std::move(right), left.type);
    }
    if (left.type.is(SqlKind::date) && right.type.is(SqlKind::interval) &&
        (right.sql.starts_with("to_days") || right.sql.starts_with("to_months") || right.sql.starts_with("to_years") ||
         right.sql.starts_with("to_weeks"))) {
      result.sql = fmt::format("CAST({} {} {} AS DATE)", left.sql, operation, right.sql);
      if (right.sql.starts_with("to_days")) {
        result.title =
            fmt::format("{}({}, extractansiintervaldays({}))", operation == "+" ? "date_add" : "date_sub", left.title, right.title);
      }
      result.type = SqlKind::date;
      return result;
    }
    if (!left.type.is(SqlKind::interval) && !right.type.is(SqlKind::interval)) {
      result.sql = fmt::format("(CAST({} AS TIMESTAMP) {} CAST({} AS TIMESTAMP))", left.sql, operation, right.sql);
      result.type = SqlKind::interval;
      return result;
    }
    return plain(left.type.is(SqlKind::interval) ? right.type : SqlType(SqlKind::timestamp));
  }
  for (Expression* operand : {&left, &right}) {
    if (operand->type.is(SqlKind::string)) {
      *operand = coerced(std::move(*operand), SqlKind::double_float);
    }
  }
  if (!left.type.is_numeric() || !right.type.is_numeric()) {
    return plain(operation == "/" ? SqlType(SqlKind::double_float) : common_type(left.type, right.type));
  }
  const bool fractions = left.type.is_fraction() || right.type.is_fraction();
  if (operation == "//") {
    if (fractions || left.type.is(SqlKind::decimal) || right.type.is(SqlKind::decimal)) {
      result.sql = fmt::format("TRY_CAST(trunc({} / {}) AS BIGINT)", left.sql, right.sql);
    } else {
      result.sql = fmt::format("CAST({} // {} AS BIGINT)", left.sql, right.sql);
    }
    result.type = SqlKind::big_integer;
    return result;
  }
  if (fractions || (left.type.is_integral() && right.type.is_integral())) {
    return plain(operation == "/" ? SqlType(SqlKind::double_float) : common_type(left.type, right.type));
  }
  // Decimals. A literal integer needs only its own digits.
  const auto decimal_of = [](const Expression& operand) {
    return operand.literal && operand.type.is_integral()
               ? SqlType::decimal(static_cast<int>(operand.title.size() - (operand.title.front() == '-' ? 1 : 0)), 0)
               : as_decimal(operand.type);
  };
  const SqlType a = decimal_of(left);
  const SqlType b = decimal_of(right);
  if (operation == "/") {
    const int scale = std::max(6, a.scale() + b.precision() + 1);
    const SqlType type = bounded_decimal(a.precision() - a.scale() + b.scale() + scale, scale);
    const DecimalDivision division{a.scale(), b.scale(), type.scale()};
    decimal_divisions_.insert(division);
    result.sql = fmt::format("CAST({}(CAST({} AS DECIMAL(38,{})), CAST({} AS DECIMAL(38,{}))) AS {})", division.function(), left.sql,
                             a.scale(), right.sql, b.scale(), type.duckdb());
    result.type = type;
    return result;
  }
  const int scale = std::max(a.scale(), b.scale());
  const int whole = std::max(a.precision() - a.scale(), b.precision() - b.scale());
  const SqlType type = operation == "*"   ? bounded_decimal(a.precision() + b.precision() + 1, a.scale() + b.scale())
                       : operation == "%" ? bounded_decimal(std::min(a.precision() - a.scale(), b.precision() - b.scale()) + scale, scale)
                                          : bounded_decimal(whole + scale + 1, scale);
  result.sql = fmt::format("TRY_CAST(({} {} {}) AS {})", left.sql, operation, right.sql, type.duckdb());
  result.type = type;
  return result;
}

Result<Expression> Rewriter::window(Node node, const Scope& scope) {
  std::string name = lower(node.text("function_name"));
  if (name.starts_with(marker_prefix)) {
    name.erase(0, marker_prefix.size());
  }
  name = name == "count_star" ? "count" : name;
  FunctionCall call{.name = name,
                    .nodes = node.list("children"),
                    .distinct = node.flag("distinct"),
                    .ignore_nulls = node.flag("ignore_nulls"),
                    .scope = &scope};
  for (const std::string_view extra : {"offset_expr", "default_expr"}) {
    if (node[extra]) {
      call.nodes.push_back(node[extra]);
    }
  }
  for (const Node& child : call.nodes) {
    TRIPOS_ASSIGN(Expression argument, expression(child, scope));
    call.arguments.push_back(std::move(argument));
  }
  if (node["filter_expr"]) {
    TRIPOS_ASSIGN(const Expression filter, condition(node["filter_expr"], scope));
    call.filter = filter.sql;
    call.filter_title = filter.title;
  }
  if (node.text("exclude_clause") != "NO_OTHER" && node["exclude_clause"]) {
    return fail(ErrorCode::unsupported, "EXCLUDE in a window is not supported");
  }
  std::string sql;
  std::string title;
  const auto append = [&](const std::string& to_sql, const std::string& to_title) {
    sql += (sql.empty() ? "" : " ") + to_sql;
    title += (title.empty() ? "" : " ") + to_title;
  };
  std::string list;
  std::string list_title;
  for (const Node& partition : node.list("partitions")) {
    TRIPOS_ASSIGN(const Expression by, expression(partition, scope));
    list += (list.empty() ? "" : ", ") + by.sql;
    list_title += (list_title.empty() ? "" : ", ") + by.title;
  }
  if (!list.empty()) {
    append("PARTITION BY " + list, "PARTITION BY " + list_title);
  }
  const std::vector<Node> orders = node.list("orders");
  std::string order_titles;
  for (const Node& order : orders) {
    TRIPOS_ASSIGN(const Expression by, expression(order["expression"], scope));
    order_titles += (order_titles.empty() ? "" : ", ") + order_title(by.title, order);
  }
  if (!orders.empty()) {
    TRIPOS_ASSIGN(const std::string order, order_by(orders, scope, nullptr));
    append("ORDER BY " + order, "ORDER BY " + order_titles);
  }
  static constexpr std::string_view ranking[] = {"row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile"};
  const std::string_view start = node.text("start");
  const std::string_view end = node.text("end");
  TRIPOS_ASSIGN(const std::string start_text, frame_bound(start, node["start_expr"]));
  TRIPOS_ASSIGN(const std::string end_text, frame_bound(end, node["end_expr"]));
  const bool rows = start.ends_with("_ROWS") || end.ends_with("_ROWS");
  if (name == "lag" || name == "lead") {
    const std::string offset = call.arguments.size() > 1 ? call.arguments[1].title : "1";
    const std::string bound = name == "lag" ? (offset.starts_with('-') ? offset.substr(1) : "-" + offset) : offset;
    title += fmt::format(" ROWS BETWEEN {} FOLLOWING AND {} FOLLOWING", bound, bound);
  } else if (std::ranges::find(ranking, name) != std::end(ranking)) {
    title +=
        name == "cume_dist" ? " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW" : " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";
  } else if (orders.empty() && !rows) {
    title += (title.empty() ? "" : " ") + std::string("ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING");
    sql += (sql.empty() ? "" : " ") + std::string("ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING");
  } else {
    const std::string frame = fmt::format("{} BETWEEN {} AND {}", rows ? "ROWS" : "RANGE", start_text, end_text);
    append(frame, frame);
  }
  call.over = sql.empty() ? " " : sql;
  TRIPOS_ASSIGN(Expression result, call_function(*this, call));
  result.title += fmt::format(" OVER ({})", title);
  result.name.reset();
  return result;
}

}  // namespace tripos::worker
