// Expressions: columns, literals, operators, CASE, CAST, subqueries. Functions: rewrite_function.cc.
#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/real_text.h"
#include "worker/dialect/names.h"

namespace tripos::worker {
namespace {

constexpr int expression_nesting_max = 400;
constexpr std::size_t sql_size_max = 4 << 20;  // some operands are repeated: nested, they'd grow without bound

struct OperatorName {
  std::string_view duckdb;
  std::string_view spark;
};

constexpr std::array<OperatorName, 8> comparisons = {{{"COMPARE_EQUAL", "="},
                                                      {"COMPARE_NOTEQUAL", "<>"},
                                                      {"COMPARE_LESSTHAN", "<"},
                                                      {"COMPARE_GREATERTHAN", ">"},
                                                      {"COMPARE_LESSTHANOREQUALTO", "<="},
                                                      {"COMPARE_GREATERTHANOREQUALTO", ">="},
                                                      {"COMPARE_DISTINCT_FROM", "IS DISTINCT FROM"},
                                                      {"COMPARE_NOT_DISTINCT_FROM", "<=>"}}};

std::string_view comparison_name(std::string_view type) {
  const auto* found = std::ranges::find(comparisons, type, &OperatorName::duckdb);
  return found == comparisons.end() ? std::string_view() : found->spark;
}

// 128-bit integers come as their halves.
std::string wide_integer(Node value) {
  __extension__ using Wide = __int128;
  Wide wide = static_cast<Wide>(value["upper"].as_integer()) << 64 | static_cast<Wide>(value["lower"].as_unsigned());
  const bool negative = wide < 0;
  std::string digits;
  do {
    const int digit = static_cast<int>(wide % 10);
    digits.insert(digits.begin(), static_cast<char>('0' + (digit < 0 ? -digit : digit)));
    wide /= 10;
  } while (wide != 0);
  return negative ? '-' + digits : digits;
}

// 1234 with scale 2 is 12.34.
std::string with_scale(std::string digits, int scale) {
  const bool negative = digits.front() == '-';
  if (negative) {
    digits.erase(0, 1);
  }
  if (scale > 0) {
    if (digits.size() <= static_cast<std::size_t>(scale)) {
      digits.insert(0, static_cast<std::size_t>(scale) + 1 - digits.size(), '0');
    }
    digits.insert(digits.size() - static_cast<std::size_t>(scale), ".");
  }
  return negative ? '-' + digits : digits;
}

// The left side of a comparison; of "x IS TRUE", which comes as CAST(x AS BOOLEAN) IS NOT DISTINCT FROM true, x.
Node truth_tested(Node comparison) {
  const Node left = comparison["left"];
  const bool is_test = comparison.text("type").ends_with("DISTINCT_FROM") && left.text("class") == "CAST" && !left.flag("try_cast") &&
                       left["cast_type"].text("id") == "BOOLEAN";
  return is_test && left["child"]["value"]["type"].text("id") != "VARCHAR" ? left["child"] : left;
}

bool is_null_literal(const Expression& expression) { return expression.literal && expression.type.is(SqlKind::void_type); }

}  // namespace

SqlType type_of_node(Node node) {
  const std::string_view id = node.text("id");
  const Node info = node["type_info"];
  static constexpr std::pair<std::string_view, SqlKind> plain[] = {
      {"BOOLEAN", SqlKind::boolean},     {"TINYINT", SqlKind::tiny_integer}, {"SMALLINT", SqlKind::small_integer},
      {"INTEGER", SqlKind::integer},     {"BIGINT", SqlKind::big_integer},   {"FLOAT", SqlKind::real},
      {"DOUBLE", SqlKind::double_float}, {"VARCHAR", SqlKind::string},       {"BLOB", SqlKind::binary},
      {"DATE", SqlKind::date},           {"TIMESTAMP", SqlKind::timestamp},  {"INTERVAL", SqlKind::interval},
      {"NULL", SqlKind::void_type},
  };
  for (const auto& [name, kind] : plain) {
    if (name == id) {
      return kind;
    }
  }
  if (id == "DECIMAL") {
    return SqlType::decimal(static_cast<int>(info["width"].as_integer()), static_cast<int>(info["scale"].as_integer()));
  }
  if (id == "LIST") {
    return SqlType::array(type_of_node(info["child_type"]));
  }
  if (id == "STRUCT") {
    std::vector<SqlField> fields;
    for (const Node& child : info.list("child_types")) {
      fields.push_back({std::string(child.text("first")), type_of_node(child["second"])});
    }
    return SqlType::structure(std::move(fields));
  }
  if (id == "MAP") {
    const SqlType entry = type_of_node(info["child_type"]);
    if (entry.fields().size() == 2) {
      return SqlType::map(entry.fields()[0].type, entry.fields()[1].type);
    }
  }
  return {};
}

Result<Expression> Rewriter::expression(Node node, const Scope& scope) {
  TRIPOS_ASSIGN(Expression result, reference(node, scope));
  mark_read(result.usage);
  result.usage = nullptr;
  if (!result.generated.empty() && result.sql.empty()) {
    if (result.generated.size() > 1) {
      return fail(ErrorCode::query, "{} makes {} columns: it can only be an item of SELECT or stand in LATERAL VIEW", result.title,
                  result.generated.size());
    }
    return fail(ErrorCode::query, "{} makes rows: it can't stand inside of an expression; use LATERAL VIEW", result.title);
  }
  return result;
}

Result<Expression> Rewriter::reference(Node node, const Scope& scope) {
  if (++depth_ > expression_nesting_max) {
    return fail(ErrorCode::query, "the expression nests more than {} levels", expression_nesting_max);
  }
  const std::string_view kind = node.text("class");
  Result<Expression> result = kind == "COLUMN_REF"    ? column(node, scope)
                              : kind == "CONSTANT"    ? constant(node["value"])
                              : kind == "OPERATOR"    ? operation(node, scope)
                              : kind == "COMPARISON"  ? compare(node, scope)
                              : kind == "CONJUNCTION" ? conjunction(node, scope)
                              : kind == "BETWEEN"     ? between(node, scope)
                              : kind == "CASE"        ? case_expression(node, scope)
                              : kind == "CAST"        ? cast(node, scope)
                              : kind == "SUBQUERY"    ? subquery(node, scope)
                              : kind == "FUNCTION"    ? function(node, scope)
                              : kind == "WINDOW"      ? window(node, scope)
                                                      : fail(ErrorCode::unsupported, "{} is not supported here", kind);
  --depth_;
  if (result && result->sql.size() > sql_size_max) {
    return fail(ErrorCode::query, "the expression is too long: {} becomes {} bytes", result->title.substr(0, 100), result->sql.size());
  }
  return result;
}

// A condition: what isn't boolean becomes it.
Result<Expression> Rewriter::condition(Node node, const Scope& scope) {
  TRIPOS_ASSIGN(Expression result, expression(node, scope));
  return result.type.is_known() && !result.type.is(SqlKind::void_type) ? coerced(std::move(result), SqlKind::boolean) : result;
}

Expression Rewriter::field(Expression from, std::string_view name, std::string_view full_title) {
  Expression result;
  result.title = full_title;
  // A field of a list of structures is the list of the fields.
  if (from.type.is(SqlKind::array) && from.type.element().is(SqlKind::structure)) {
    mark_read(from.usage);
    if (const SqlField* found = from.type.element().field(name)) {
      const std::string parameter = quoted_name(fmt::format("element#{}", ++generated_names_));
      result.sql =
          fmt::format("list_transform({}, lambda {}: struct_extract({}, {}))", from.sql, parameter, parameter, literal(found->name));
      result.type = SqlType::array(found->type);
    }
    return result;
  }
  const SqlField* found = from.type.field(name);
  if (found != nullptr) {
    result.sql = fmt::format("struct_extract({}, {})", from.sql, literal(found->name));
    result.type = found->type;
    result.usage = from.usage == nullptr ? nullptr : &from.usage->fields[found->name];
  } else if (from.type.is(SqlKind::map)) {
    mark_read(from.usage);
    result.title = fmt::format("{}[{}]", from.title, name);
    result.sql = fmt::format("element_at({}, {})[1]", from.sql, literal(name));
    result.type = from.type.element();
  } else if (!from.type.is_known()) {
    mark_read(from.usage);
    result.sql = fmt::format("struct_extract({}, {})", from.sql, literal(name));
  }
  return result;  // without SQL: there is no such field
}

Result<Expression> Rewriter::column(Node node, const Scope& scope) {
  const std::vector<std::string> names = node.texts("column_names");
  Result<Resolved> resolved = resolve_column(scope, names);
  if (!resolved) {
    if (names.size() == 1 && (equal_ignoring_case(names[0], "current_date") || equal_ignoring_case(names[0], "current_timestamp") ||
                              equal_ignoring_case(names[0], "now"))) {
      FunctionCall call{.name = lower(names[0])};
      return call_function(*this, call);
    }
    return tl::unexpected(std::move(resolved).error());
  }
  Expression result{.sql = resolved->column.sql,
                    .type = resolved->column.type,
                    .title = resolved->column.title.empty() ? names[resolved->names_used - 1] : resolved->column.title,
                    .usage = resolved->column.usage};
  for (std::size_t i = resolved->names_used; i < names.size(); ++i) {
    const SqlType type = result.type;
    const std::string from_title = result.title;
    result = field(std::move(result), names[i], fmt::format("{}.{}", from_title, names[i]));
    if (result.sql.empty()) {
      return fail(ErrorCode::query, "{} ({}) has no field {}", from_title, type.ddl(), names[i]);
    }
    result.name = names[i];
  }
  return result;
}

Result<Expression> Rewriter::constant(Node value) {
  Expression result{.literal = true};
  result.type = type_of_node(value["type"]);
  const Node content = value["value"];
  if (value.flag("is_null")) {
    result.sql = result.title = "NULL";
    result.type = SqlKind::void_type;
    return result;
  }
  switch (result.type.kind()) {
    case SqlKind::string:
      result.text = std::string(content.as_text());
      result.sql = literal(*result.text);
      result.title = *result.text;
      return result;
    case SqlKind::boolean: result.sql = result.title = content.as_flag() ? "true" : "false"; return result;
    case SqlKind::double_float:
      result.title = real_text(content.as_double());
      result.sql = fmt::format("CAST({} AS DOUBLE)", literal(result.title));
      return result;
    case SqlKind::decimal: {
      const std::string digits = content.is_object() ? wide_integer(content) : fmt::format("{}", content.as_integer());
      result.title = with_scale(digits, result.type.scale());
      // DuckDB counts the 0 before the point as a digit, Spark doesn't.
      const std::size_t digit_count = digits.size() - (digits.front() == '-' ? 1 : 0);
      result.sql = fmt::format("CAST({} AS {})", literal(result.title), result.type.duckdb());
      result.type = SqlType::decimal(std::max(static_cast<int>(digit_count), result.type.scale()), result.type.scale());
      return result;
    }
    case SqlKind::tiny_integer:
    case SqlKind::small_integer:
    case SqlKind::integer:
    case SqlKind::big_integer:
      result.title = fmt::format("{}", content.as_integer());
      result.sql = result.type.is(SqlKind::big_integer) ? fmt::format("CAST({} AS BIGINT)", result.title) : result.title;
      return result;
    default: break;
  }
  if (value["type"].text("id") == "HUGEINT") {
    result.title = wide_integer(content);
    result.type = SqlType::decimal(static_cast<int>(result.title.size() - (result.title.front() == '-' ? 1 : 0)), 0);
    result.sql = fmt::format("CAST({} AS {})", literal(result.title), result.type.duckdb());
    return result;
  }
  return fail(ErrorCode::unsupported, "a literal of the type {} is not supported", value["type"].text("id"));
}

Result<Expression> Rewriter::operation(Node node, const Scope& scope) {
  const std::string_view type = node.text("type");
  const std::vector<Node> children = node.list("children");
  if (type == "ARRAY_EXTRACT" || type == "STRUCT_EXTRACT") {
    return element(node, scope);
  }
  if (type == "COMPARE_IN" || type == "COMPARE_NOT_IN") {
    return in_list(node, scope);
  }
  if (type == "OPERATOR_COALESCE") {
    return coalesce(node, scope);
  }
  if (type == "OPERATOR_NOT") {
    TRIPOS_ASSIGN(const Expression operand, condition(children.at(0), scope));
    return Expression{
        .sql = fmt::format("(NOT {})", operand.sql), .type = SqlKind::boolean, .title = fmt::format("(NOT {})", operand.title)};
  }
  if (type == "OPERATOR_IS_NULL" || type == "OPERATOR_IS_NOT_NULL") {
    const std::string_view test = type == "OPERATOR_IS_NULL" ? "IS NULL" : "IS NOT NULL";
    TRIPOS_ASSIGN(const Expression operand, expression(children.at(0), scope));
    return Expression{
        .sql = fmt::format("({} {})", operand.sql, test), .type = SqlKind::boolean, .title = fmt::format("({} {})", operand.title, test)};
  }
  if (type == "GROUPING_FUNCTION") {
    std::string arguments;
    std::string title;
    for (const Node& child : children) {
      TRIPOS_ASSIGN(const Expression operand, expression(child, scope));
      arguments += (arguments.empty() ? "" : ", ") + operand.sql;
      title += (title.empty() ? "" : ", ") + operand.title;
    }
    return Expression{.sql = fmt::format("CAST(grouping({}) AS TINYINT)", arguments),
                      .type = SqlKind::tiny_integer,
                      .title = fmt::format("grouping({})", title)};
  }
  return fail(ErrorCode::unsupported, "{} is not supported", type);
}

// array[i], map[k], structure['field'], (…).field
Result<Expression> Rewriter::element(Node node, const Scope& scope) {
  const std::vector<Node> children = node.list("children");
  TRIPOS_ASSIGN(Expression from, reference(children.at(0), scope));
  TRIPOS_ASSIGN(const Expression index, expression(children.at(1), scope));
  const bool is_field =
      node.text("type") == "STRUCT_EXTRACT" || (index.text && !from.type.is(SqlKind::map) && !from.type.is(SqlKind::unknown));
  if (is_field) {
    const std::string name = index.text.value_or(index.title);
    const SqlType type = from.type;
    const std::string title = fmt::format("{}.{}", from.title, name);
    Expression result = field(std::move(from), name, title);
    if (result.sql.empty()) {
      return fail(ErrorCode::query, "{} ({}) has no field {}", title.substr(0, title.size() - name.size() - 1), type.ddl(), name);
    }
    return result;
  }
  mark_read(from.usage);
  Expression result{.title = fmt::format("{}[{}]", from.title, index.title)};
  if (from.type.is(SqlKind::map)) {
    result.sql = fmt::format("element_at({}, {})[1]", from.sql, cast_sql(index, from.type.key()));
    result.type = from.type.element();
    return result;
  }
  if (from.type.is_known() && !from.type.is(SqlKind::array)) {
    return fail(ErrorCode::query, "{} is {}: it has no elements", from.title, from.type.ddl());
  }
  if (from.type.is(SqlKind::array)) {
    result.type = from.type.element();
  }
  // Lists count from 0 here, from 1 there, where a negative index counts from the end.
  if (index.literal && index.type.is_integral()) {
    const long long position = std::strtoll(index.title.c_str(), nullptr, 10);
    result.sql = position < 0 ? "NULL" : fmt::format("list_extract({}, {})", from.sql, position + 1);
  } else {
    result.sql = fmt::format("list_extract({}, CASE WHEN {} >= 0 THEN {} + 1 END)", from.sql, index.sql, index.sql);
  }
  return result;
}

Result<Expression> Rewriter::in_list(Node node, const Scope& scope) {
  std::vector<Expression> operands;
  SqlType type = SqlKind::void_type;
  for (const Node& child : node.list("children")) {
    TRIPOS_ASSIGN(Expression operand, expression(child, scope));
    type = operands.empty() ? operand.type : common_type(type, operand.type);
    operands.push_back(std::move(operand));
  }
  const bool negated = node.text("type") == "COMPARE_NOT_IN";
  std::string sql;
  std::string title;
  for (std::size_t i = 1; i < operands.size(); ++i) {
    sql += (i == 1 ? "" : ", ") + coerced(operands[i], type).sql;
    title += (i == 1 ? "" : ", ") + operands[i].title;
  }
  Expression result{.sql = fmt::format("({} IN ({}))", coerced(operands.at(0), type).sql, sql),
                    .type = SqlKind::boolean,
                    .title = fmt::format("({} IN ({}))", operands.at(0).title, title)};
  if (negated) {
    result.sql = fmt::format("(NOT {})", result.sql);
    result.title = fmt::format("(NOT {})", result.title);
  }
  return result;
}

Result<Expression> Rewriter::coalesce(Node node, const Scope& scope) {
  FunctionCall call{.name = "coalesce", .nodes = node.list("children"), .scope = &scope};
  for (const Node& child : call.nodes) {
    TRIPOS_ASSIGN(Expression operand, expression(child, scope));
    call.arguments.push_back(std::move(operand));
  }
  return call_function(*this, call);
}

Result<Expression> Rewriter::compare(Node node, const Scope& scope) {
  const std::string_view operation = comparison_name(node.text("type"));
  if (operation.empty()) {
    return fail(ErrorCode::unsupported, "the comparison {} is not supported", node.text("type"));
  }
  TRIPOS_ASSIGN(Expression left, expression(truth_tested(node), scope));
  TRIPOS_ASSIGN(Expression right, expression(node["right"], scope));
  return comparison(operation, std::move(left), std::move(right));
}

Expression Rewriter::comparison(std::string_view operation, Expression left, Expression right) {
  const std::string title = operation == "<>"                 ? fmt::format("(NOT ({} = {}))", left.title, right.title)
                            : operation == "IS DISTINCT FROM" ? fmt::format("(NOT ({} <=> {}))", left.title, right.title)
                                                              : fmt::format("({} {} {})", left.title, operation, right.title);
  // Unlike kinds: a string becomes what the other side is (a decimal compares as double).
  const auto adapt = [](Expression& text, const Expression& other) {
    if (text.type.is(SqlKind::string) && other.type.is_known() && !other.type.is(SqlKind::string) && other.type.kind() < SqlKind::array &&
        !other.type.is(SqlKind::void_type) && !other.type.is(SqlKind::binary)) {
      text = coerced(std::move(text), other.type.is(SqlKind::decimal) ? SqlType(SqlKind::double_float) : other.type);
    }
  };
  adapt(left, right);
  adapt(right, left);
  // A boolean beside the literal 1 or 0 stands for itself.
  for (const auto& [flag, number] : {std::pair(&left, &right), std::pair(&right, &left)}) {
    if (operation == "=" && flag->type.is(SqlKind::boolean) && number->literal && (number->title == "1" || number->title == "0")) {
      return number->title == "1"
                 ? *flag
                 : Expression{
                       .sql = fmt::format("(NOT {})", flag->sql), .type = SqlKind::boolean, .title = fmt::format("(NOT {})", flag->title)};
    }
  }
  if (left.type.is(SqlKind::boolean) && right.type.is_numeric()) {
    left = coerced(std::move(left), right.type);
  } else if (right.type.is(SqlKind::boolean) && left.type.is_numeric()) {
    right = coerced(std::move(right), left.type);
  }
  const std::string_view sql = operation == "<=>" ? "IS NOT DISTINCT FROM" : operation;
  return Expression{.sql = fmt::format("({} {} {})", left.sql, sql, right.sql), .type = SqlKind::boolean, .title = title};
}

Result<Expression> Rewriter::between(Node node, const Scope& scope) {
  TRIPOS_ASSIGN(const Expression input, expression(node["input"], scope));
  TRIPOS_ASSIGN(const Expression low, expression(node["lower"], scope));
  TRIPOS_ASSIGN(const Expression high, expression(node["upper"], scope));
  return Expression{.sql = fmt::format("({} AND {})", comparison(">=", input, low).sql, comparison("<=", input, high).sql),
                    .type = SqlKind::boolean,
                    .title = fmt::format("between({}, {}, {})", input.title, low.title, high.title)};
}

Result<Expression> Rewriter::conjunction(Node node, const Scope& scope) {
  const std::string_view word = node.text("type") == "CONJUNCTION_AND" ? "AND" : "OR";
  Expression result{.type = SqlKind::boolean};
  for (const Node& child : node.list("children")) {
    TRIPOS_ASSIGN(const Expression operand, condition(child, scope));
    if (result.sql.empty()) {
      result.sql = operand.sql;
      result.title = operand.title;
    } else {
      result.sql = fmt::format("({} {} {})", result.sql, word, operand.sql);
      result.title = fmt::format("({} {} {})", result.title, word, operand.title);
    }
  }
  return result;
}

Result<Expression> Rewriter::case_expression(Node node, const Scope& scope) {
  std::vector<std::pair<Expression, Expression>> branches;
  SqlType type = SqlKind::void_type;
  for (const Node& check : node.list("case_checks")) {
    TRIPOS_ASSIGN(Expression when, condition(check["when_expr"], scope));
    TRIPOS_ASSIGN(Expression then, expression(check["then_expr"], scope));
    type = branches.empty() ? then.type : common_type(type, then.type);
    branches.emplace_back(std::move(when), std::move(then));
  }
  TRIPOS_ASSIGN(const Expression otherwise, expression(node["else_expr"], scope));
  type = common_type(type, otherwise.type);
  Expression result{.sql = "CASE", .type = type, .title = "CASE"};
  for (const auto& [when, then] : branches) {
    result.sql += fmt::format(" WHEN {} THEN {}", when.sql, coerced(then, type).sql);
    result.title += fmt::format(" WHEN {} THEN {}", when.title, then.title);
  }
  if (!is_null_literal(otherwise)) {
    result.title += fmt::format(" ELSE {}", otherwise.title);
  }
  result.sql += fmt::format(" ELSE {} END", coerced(otherwise, type).sql);
  result.title += " END";
  return result;
}

Result<Expression> Rewriter::cast(Node node, const Scope& scope) {
  const Node child = node["child"];
  const SqlType to = type_of_node(node["cast_type"]);
  if (!to.is_known()) {
    return fail(ErrorCode::unsupported, "a cast to {} is not supported", node["cast_type"].text("id"));
  }
  TRIPOS_ASSIGN(Expression from, expression(child, scope));
  if (to.is(SqlKind::boolean) && from.text && !node.flag("try_cast") &&
      (*from.text == "t" || *from.text == "f")) {  // how the parser gives true, false
    const std::string word = *from.text == "t" ? "true" : "false";
    return Expression{.sql = word, .type = SqlKind::boolean, .title = word, .literal = true};
  }
  if (to.is(SqlKind::interval)) {
    return Expression{.sql = fmt::format("CAST({} AS INTERVAL)", from.sql), .type = to, .title = fmt::format("INTERVAL '{}'", from.title)};
  }
  Expression result = coerced(from, to);
  result.type = to;
  result.text.reset();
  result.literal = false;
  result.title = fmt::format("{}({} AS {})", node.flag("try_cast") ? "TRY_CAST" : "CAST", from.title, to.title());
  result.name.reset();
  // A column keeps its name through a cast (a field does not).
  if (child.text("class") == "COLUMN_REF" && !node.flag("try_cast") && !from.name) {
    result.name = from.title;
  }
  return result;
}

Result<Expression> Rewriter::subquery(Node node, const Scope& scope) {
  const std::string_view kind = node.text("subquery_type");
  TRIPOS_ASSIGN(Query inner, query(node["subquery"]["node"], &scope, names_));
  for (const Column& column : inner.columns) {
    mark_read(column.usage);
  }
  if (kind == "EXISTS" || kind == "NOT_EXISTS") {
    const std::string_view negation = kind == "EXISTS" ? "" : "NOT ";
    return Expression{.sql = fmt::format("({}EXISTS ({}))", negation, inner.sql), .type = SqlKind::boolean, .title = "exists()"};
  }
  if (inner.columns.size() != 1) {
    return fail(ErrorCode::query, "a subquery inside of an expression must have one column, this has {}", inner.columns.size());
  }
  if (kind == "SCALAR") {
    return Expression{.sql = fmt::format("({})", inner.sql), .type = inner.columns.front().type, .title = "scalarsubquery()"};
  }
  if (kind != "ANY" || node.text("comparison_type") != "COMPARE_EQUAL") {
    return fail(ErrorCode::unsupported, "a comparison with ANY or ALL of a subquery is not supported");
  }
  TRIPOS_ASSIGN(const Expression operand, expression(node["child"], scope));
  const SqlType type = common_type(operand.type, inner.columns.front().type);
  const Expression value{.sql = inner.columns.front().sql, .type = inner.columns.front().type, .title = ""};
  return Expression{.sql = fmt::format("({} IN (SELECT {} FROM ({})))", coerced(operand, type).sql, coerced(value, type).sql, inner.sql),
                    .type = SqlKind::boolean,
                    .title = fmt::format("({} IN (listquery()))", operand.title)};
}

}  // namespace tripos::worker
