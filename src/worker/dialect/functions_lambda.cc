// Spark's functions that take functions: transform(array, x -> …), aggregate(…), map_filter(…) and those like them.
#include "worker/dialect/catalogue.h"

namespace tripos::worker {
namespace {

// transform, filter, exists, forall
Result<Expression> build_with_lambda(Rewriter& rewriter, FunctionCall& call) {
  TRIPOS_ASSIGN(const Expression array, rewriter.expression(call.nodes[0], *call.scope));
  TRIPOS_ASSIGN(const SqlType element, array_type(call, array));
  std::vector<LambdaParameter> parameters{{element}};
  if (call.name == "transform" || call.name == "filter") {
    parameters.push_back({SqlKind::integer, "CAST({0} - 1 AS INTEGER)"});  // DuckDB counts from 1
  }
  TRIPOS_ASSIGN(const Expression body, rewriter.lambda(call.nodes[1], *call.scope, parameters));
  Expression result{.title = fmt::format("{}({}, {})", call.name, array.title, body.title)};
  if (call.name == "transform") {
    result.sql = fmt::format("list_transform({}, {})", array.sql, body.sql);
    result.type = SqlType::array(body.type);
  } else if (call.name == "filter") {
    result.sql = fmt::format("list_filter({}, {})", array.sql, body.sql);
    result.type = array.type;
  } else {
    // Three-valued: as many true, false and unknown ones as there are decide.
    const bool all = call.name == "forall";
    const std::string outcomes = fmt::format("list_transform({}, {})", array.sql, body.sql);
    result.sql = fmt::format(
        "CASE WHEN {0} IS NULL THEN NULL WHEN list_contains({1}, {2}) THEN {2} WHEN len(list_filter({1}, lambda outcome: outcome IS NULL)) "
        "> 0 THEN NULL ELSE {3} END",
        array.sql, outcomes, all ? "false" : "true", all ? "true" : "false");
    result.type = SqlKind::boolean;
    result.title = fmt::format("{}({}, {})", all ? "forall" : "exists", array.title, body.title);
  }
  return result;
}

// aggregate(array, start, merge[, finish])
Result<Expression> build_aggregate(Rewriter& rewriter, FunctionCall& call) {
  TRIPOS_ASSIGN(const Expression array, rewriter.expression(call.nodes[0], *call.scope));
  TRIPOS_ASSIGN(const SqlType element, array_type(call, array));
  TRIPOS_ASSIGN(const Expression start, rewriter.expression(call.nodes[1], *call.scope));
  TRIPOS_ASSIGN(const Expression merge, rewriter.lambda(call.nodes[2], *call.scope, {{start.type}, {element}}));
  Expression result{.type = merge.type};
  result.sql = fmt::format("list_reduce({}, {}, CAST({} AS {}))", array.sql, merge.sql, start.sql, merge.type.duckdb());
  std::string finish_title = "lambdafunction(namedlambdavariable(), namedlambdavariable())";
  if (call.nodes.size() == 4) {
    TRIPOS_ASSIGN(const Expression finish, rewriter.lambda(call.nodes[3], *call.scope, {{merge.type}}));
    result.sql = fmt::format("list_transform([{}], {})[1]", result.sql, finish.sql);
    result.type = finish.type;
    finish_title = finish.title;
  }
  result.title = fmt::format("{}({}, {}, {}, {})", call.name, array.title, start.title, merge.title, finish_title);
  return result;
}

// The shorter array is filled with NULLs.
Result<Expression> build_zip_with(Rewriter& rewriter, FunctionCall& call) {
  TRIPOS_ASSIGN(const Expression left, rewriter.expression(call.nodes[0], *call.scope));
  TRIPOS_ASSIGN(const Expression right, rewriter.expression(call.nodes[1], *call.scope));
  TRIPOS_ASSIGN(const SqlType left_element, array_type(call, left));
  TRIPOS_ASSIGN(const SqlType right_element, array_type(call, right));
  TRIPOS_ASSIGN(const Expression body,
                rewriter.lambda(call.nodes[2], *call.scope, {{left_element, "{0}[1]"}, {right_element, "{0}[2]", true}}));
  return Expression{.sql = fmt::format("list_transform(list_zip({}, {}), {})", left.sql, right.sql, body.sql),
                    .type = SqlType::array(body.type),
                    .title = fmt::format("zip_with({}, {}, {})", left.title, right.title, body.title)};
}

Result<Expression> map_argument(Rewriter& rewriter, const FunctionCall& call, std::size_t index) {
  TRIPOS_ASSIGN(Expression map, rewriter.expression(call.nodes[index], *call.scope));
  if (!map.type.is(SqlKind::map)) {
    return fail(ErrorCode::query, "{} wants a map; {} is {}", call.name, map.title, map.type.ddl());
  }
  return map;
}

// map_filter, transform_keys, transform_values
Result<Expression> build_of_map(Rewriter& rewriter, FunctionCall& call) {
  TRIPOS_ASSIGN(const Expression map, map_argument(rewriter, call, 0));
  TRIPOS_ASSIGN(const Expression body,
                rewriter.lambda(call.nodes[1], *call.scope, {{map.type.key(), "{0}.key"}, {map.type.element(), "{0}.value", true}}));
  Expression result{.type = map.type, .title = fmt::format("{}({}, {})", call.name, map.title, body.title)};
  if (call.name == "map_filter") {
    result.sql = fmt::format("map_from_entries(list_filter(map_entries({}), {}))", map.sql, body.sql);
    return result;
  }
  const std::string transformed = fmt::format("list_transform(map_entries({}), {})", map.sql, body.sql);
  const bool keys = call.name == "transform_keys";
  result.sql =
      keys ? fmt::format("map({}, map_values({}))", transformed, map.sql) : fmt::format("map(map_keys({}), {})", map.sql, transformed);
  result.type = keys ? SqlType::map(body.type, map.type.element()) : SqlType::map(map.type.key(), body.type);
  return result;
}

Result<Expression> build_map_zip_with(Rewriter& rewriter, FunctionCall& call) {
  TRIPOS_ASSIGN(const Expression left, map_argument(rewriter, call, 0));
  TRIPOS_ASSIGN(const Expression right, map_argument(rewriter, call, 1));
  const auto value_of = [](const Expression& map) { return fmt::format("element_at({}, {{0}})[1]", map.sql); };
  if (left.sql.find('{') != std::string::npos || right.sql.find('{') != std::string::npos) {
    return fail(ErrorCode::unsupported, "map_zip_with of {} is not supported", left.title);
  }
  TRIPOS_ASSIGN(const Expression body, rewriter.lambda(call.nodes[2], *call.scope,
                                                       {{left.type.key(), "{0}"},
                                                        {left.type.element(), value_of(left), true},
                                                        {right.type.element(), value_of(right), true}}));
  const std::string keys = fmt::format("tripos_distinct(list_concat(map_keys({}), map_keys({})))", left.sql, right.sql);
  return Expression{.sql = fmt::format("map({}, list_transform({}, {}))", keys, keys, body.sql),
                    .type = SqlType::map(left.type.key(), body.type),
                    .title = fmt::format("map_zip_with({}, {}, {})", left.title, right.title, body.title)};
}

constexpr FunctionRule lambda_rules[] = {
    {"transform", 2, 2, "*", "unknown", "", {}, build_with_lambda},     {"filter", 2, 2, "*", "=0", "", {}, build_with_lambda},
    {"exists", 2, 2, "*", "boolean", "", {}, build_with_lambda},        {"forall", 2, 2, "*", "boolean", "", {}, build_with_lambda},
    {"aggregate", 3, 4, "*", "unknown", "", {}, build_aggregate},       {"reduce", 3, 4, "*", "unknown", "", {}, build_aggregate},
    {"zip_with", 3, 3, "*", "unknown", "", {}, build_zip_with},         {"map_filter", 2, 2, "*", "unknown", "", {}, build_of_map},
    {"transform_keys", 2, 2, "*", "unknown", "", {}, build_of_map},     {"transform_values", 2, 2, "*", "unknown", "", {}, build_of_map},
    {"map_zip_with", 3, 3, "*", "unknown", "", {}, build_map_zip_with},
};

}  // namespace

std::span<const FunctionRule> lambda_functions() { return lambda_rules; }

}  // namespace tripos::worker
