// Spark's functions of arrays, maps and structures, those with lambdas, and generators.
#include <algorithm>

#include "worker/dialect/catalogue.h"

namespace tripos::worker {
namespace {

Result<SqlType> array_type(const FunctionCall& call, const Expression& argument) {
  if (argument.type.is_known() && !argument.type.is(SqlKind::array)) {
    return fail(ErrorCode::query, "{} wants an array; {} is {}", call.name, argument.title, argument.type.ddl());
  }
  return argument.type.is(SqlKind::array) ? argument.type.element() : SqlType();
}

Result<Expression> build_array(Rewriter&, FunctionCall& call) {
  SqlType type = call.arguments.empty() ? SqlType(SqlKind::void_type) : call.arguments.front().type;
  for (const Expression& argument : call.arguments) {
    type = common_type(type, argument.type);
  }
  Expression result{.type = SqlType::array(type), .title = call_title("array", call.arguments)};
  for (Expression& argument : call.arguments) {
    argument = coerced(std::move(argument), type);
  }
  result.sql = call.arguments.empty() ? "[]" : fill("list_value({,})", call.arguments);
  return result;
}

Result<Expression> build_map(Rewriter&, FunctionCall& call) {
  if (call.arguments.size() % 2 != 0) {
    return fail(ErrorCode::query, "map takes keys and values by turns");
  }
  SqlType key = SqlKind::void_type;
  SqlType value = SqlKind::void_type;
  for (std::size_t i = 0; i < call.arguments.size(); i += 2) {
    key = i == 0 ? call.arguments[i].type : common_type(key, call.arguments[i].type);
    value = i == 0 ? call.arguments[i + 1].type : common_type(value, call.arguments[i + 1].type);
  }
  std::string keys;
  std::string values;
  for (std::size_t i = 0; i < call.arguments.size(); i += 2) {
    keys += (i == 0 ? "" : ", ") + coerced(call.arguments[i], key).sql;
    values += (i == 0 ? "" : ", ") + coerced(call.arguments[i + 1], value).sql;
  }
  return Expression{
      .sql = fmt::format("map([{}], [{}])", keys, values), .type = SqlType::map(key, value), .title = call_title("map", call.arguments)};
}

Expression structure(std::vector<std::pair<std::string, Expression>> members, std::string title) {
  std::vector<SqlField> fields;
  std::string list;
  for (auto& [name, value] : members) {
    list += fmt::format("{}{} := {}", list.empty() ? "" : ", ", quoted_name(name), value.sql);
    fields.push_back({name, value.type});
  }
  return Expression{.sql = fmt::format("struct_pack({})", list), .type = SqlType::structure(std::move(fields)), .title = std::move(title)};
}

Result<Expression> build_struct(Rewriter&, FunctionCall& call) {
  std::vector<std::pair<std::string, Expression>> members;
  std::string title;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const std::string_view alias = call.nodes[i].text("alias");
    const bool named = call.nodes[i].text("class") == "COLUMN_REF";
    const std::string name = !alias.empty() ? std::string(alias) : named ? call.arguments[i].column_name() : fmt::format("col{}", i + 1);
    title += (i == 0 ? "" : ", ") + call.arguments[i].title + (alias.empty() ? "" : fmt::format(" AS {}", alias));
    members.emplace_back(name, call.arguments[i]);
  }
  return structure(std::move(members), fmt::format("struct({})", title));
}

Result<Expression> build_named_struct(Rewriter&, FunctionCall& call) {
  std::vector<std::pair<std::string, Expression>> members;
  for (std::size_t i = 0; i + 1 < call.arguments.size(); i += 2) {
    if (!call.arguments[i].text) {
      return fail(ErrorCode::query, "named_struct wants names and values by turns; {} is no string literal", call.arguments[i].title);
    }
    members.emplace_back(*call.arguments[i].text, call.arguments[i + 1]);
  }
  return structure(std::move(members), call_title("named_struct", call.arguments));
}

Result<Expression> build_size(Rewriter&, FunctionCall& call) {
  const Expression& argument = call.arguments[0];
  const std::string_view count = argument.type.is(SqlKind::map) ? "cardinality" : "len";
  return Expression{.sql = fmt::format("{}(CAST({}({}) AS INTEGER){}", call.name == "array_size" ? "" : "coalesce", count, argument.sql,
                                       call.name == "array_size" ? ")" : ", -1)"),
                    .type = SqlKind::integer,
                    .title = call_title(call.name, call.arguments)};
}

// A value of the array's element type beside the array.
Result<Expression> build_with_element(Rewriter&, FunctionCall& call, std::string_view sql, SqlType type) {
  TRIPOS_ASSIGN(const SqlType element, array_type(call, call.arguments[0]));
  const std::string title = call_title(call.name, call.arguments);
  call.arguments[1] = coerced(std::move(call.arguments[1]), element);
  return Expression{.sql = fill(sql, call.arguments), .type = std::move(type), .title = title};
}

Result<Expression> build_array_contains(Rewriter& rewriter, FunctionCall& call) {
  return build_with_element(
      rewriter, call,
      "CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL WHEN list_contains({0}, {1}) THEN true WHEN len(list_filter({0}, "
      "lambda contained: contained IS NULL)) > 0 THEN NULL ELSE false END",
      SqlKind::boolean);
}
Result<Expression> build_array_position(Rewriter& rewriter, FunctionCall& call) {
  return build_with_element(rewriter, call,
                            "CAST(coalesce(list_position({0}, {1}), CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN 0 END) AS BIGINT)",
                            SqlKind::big_integer);
}
Result<Expression> build_array_remove(Rewriter& rewriter, FunctionCall& call) {
  return build_with_element(rewriter, call, "list_filter({0}, lambda kept: kept IS NULL OR kept <> {1})", call.arguments[0].type);
}
Result<Expression> build_array_append(Rewriter& rewriter, FunctionCall& call) {
  return build_with_element(rewriter, call, call.name == "array_append" ? "list_append({0}, {1})" : "list_prepend({1}, {0})",
                            call.arguments[0].type);
}

// Arrays count from 1 here, as in DuckDB; a map's value by key.
Result<Expression> build_element_at(Rewriter&, FunctionCall& call) {
  const SqlType& type = call.arguments[0].type;
  Expression result{.title = call_title(call.name, call.arguments)};
  if (type.is(SqlKind::map)) {
    result.sql = fmt::format("element_at({}, {})[1]", call.arguments[0].sql, coerced(call.arguments[1], type.key()).sql);
    result.type = type.element();
    return result;
  }
  TRIPOS_ASSIGN(result.type, array_type(call, call.arguments[0]));
  result.sql = fill("list_extract({0}, {1})", call.arguments);
  return result;
}

Result<Expression> build_sort_array(Rewriter&, FunctionCall& call) {
  TRIPOS_ASSIGN(const SqlType element, array_type(call, call.arguments[0]));
  const bool descending = call.arguments.size() == 2 && call.arguments[1].sql == "false";
  Expression result{.type = call.arguments[0].type};
  if (call.name == "sort_array") {
    result.sql = descending ? fill("list_sort({0}, 'DESC', 'NULLS LAST')", call.arguments)
                            : fill("list_sort({0}, 'ASC', 'NULLS FIRST')", call.arguments);
    result.title = fmt::format("sort_array({}, {})", call.arguments[0].title, descending ? "false" : "true");
  } else {
    result.sql = fill("list_sort({0}, 'ASC', 'NULLS LAST')", call.arguments);
    result.title = fmt::format(
        "array_sort({}, lambdafunction(CASE WHEN ((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS NULL)) THEN 0 WHEN "
        "(namedlambdavariable() IS NULL) THEN 1 "
        "WHEN (namedlambdavariable() IS NULL) THEN -1 WHEN (namedlambdavariable() < namedlambdavariable()) THEN -1 "
        "WHEN (namedlambdavariable() > namedlambdavariable()) THEN 1 ELSE 0 END, namedlambdavariable(), namedlambdavariable()))",
        call.arguments[0].title);
  }
  return result;
}

Result<Expression> build_sequence(Rewriter&, FunctionCall& call) {
  const std::string title = call_title("sequence", call.arguments);
  SqlType type = common_type(call.arguments[0].type, call.arguments[1].type);
  if (type.is(SqlKind::date) || type.is(SqlKind::timestamp)) {
    if (call.arguments.size() == 2) {
      call.arguments.push_back({.sql = "to_days(1)", .type = SqlKind::interval, .title = ""});
    }
    return Expression{.sql = fill("CAST(generate_series(CAST({0} AS TIMESTAMP), CAST({1} AS TIMESTAMP), {2}) AS ", call.arguments) +
                             type.duckdb() + "[])",
                      .type = SqlType::array(type),
                      .title = title};
  }
  if (call.arguments.size() == 2) {
    call.arguments.push_back(
        {.sql = fill("CASE WHEN {0} <= {1} THEN 1 ELSE -1 END", call.arguments), .type = SqlKind::integer, .title = ""});
  }
  return Expression{.sql = fmt::format("CAST({} AS {}[])", fill("generate_series({0}, {1}, {2})", call.arguments), type.duckdb()),
                    .type = SqlType::array(type),
                    .title = title};
}

Result<Expression> build_map_part(Rewriter&, FunctionCall& call) {
  const SqlType& type = call.arguments[0].type;
  const bool keys = call.name == "map_keys";
  return Expression{.sql = fmt::format("{}({})", call.name, call.arguments[0].sql),
                    .type = type.is(SqlKind::map) ? SqlType::array(keys ? type.key() : type.element()) : SqlType(),
                    .title = call_title(call.name, call.arguments)};
}

// transform(array, x -> …), and those like it.
Result<Expression> build_with_lambda(Rewriter& rewriter, FunctionCall& call) {
  TRIPOS_ASSIGN(const Expression array, rewriter.expression(call.nodes[0], *call.scope));
  TRIPOS_ASSIGN(const SqlType element, array_type(call, array));
  std::vector<SqlType> parameters{element};
  const bool with_index = call.name == "transform" || call.name == "filter";
  if (with_index) {
    parameters.push_back(SqlKind::integer);
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
        "> 0 "
        "THEN NULL ELSE {3} END",
        array.sql, outcomes, all ? "false" : "true", all ? "true" : "false");
    result.type = SqlKind::boolean;
    result.title = fmt::format("{}({}, {})", all ? "forall" : "exists", array.title, body.title);
  }
  return result;
}

Result<Expression> build_aggregate(Rewriter& rewriter, FunctionCall& call) {
  TRIPOS_ASSIGN(const Expression array, rewriter.expression(call.nodes[0], *call.scope));
  TRIPOS_ASSIGN(const SqlType element, array_type(call, array));
  TRIPOS_ASSIGN(const Expression start, rewriter.expression(call.nodes[1], *call.scope));
  TRIPOS_ASSIGN(const Expression merge, rewriter.lambda(call.nodes[2], *call.scope, {start.type, element}));
  Expression result{.type = merge.type,
                    .title = fmt::format("{}({}, {}, {}, lambdafunction(namedlambdavariable(), namedlambdavariable()))", call.name,
                                         array.title, start.title, merge.title)};
  result.sql = fmt::format("list_reduce({}, {}, CAST({} AS {}))", array.sql, merge.sql, start.sql, merge.type.duckdb());
  if (call.nodes.size() == 4) {
    return fail(ErrorCode::unsupported, "{} with a finishing function is not supported; apply it to the result", call.name);
  }
  return result;
}

Result<Expression> build_explode(Rewriter&, FunctionCall& call) {
  const bool outer = call.name.ends_with("_outer");
  const bool position = call.name.starts_with("pos");
  const Expression& argument = call.arguments[0];
  Expression result{.title = call_title(call.name, call.arguments)};
  const auto rows = [&](const std::string& list) {
    return outer ? fmt::format("CASE WHEN len({0}) > 0 THEN {0} ELSE [NULL] END", list) : list;
  };
  if (call.name.starts_with("inline")) {
    TRIPOS_ASSIGN(const SqlType element, array_type(call, argument));
    for (const SqlField& of : element.fields()) {
      result.generated.push_back({of.name, of.type, fmt::format("struct_extract(unnest({}), {})", rows(argument.sql), literal(of.name))});
    }
    return result;
  }
  const std::string list = argument.type.is(SqlKind::map) ? fmt::format("map_keys({})", argument.sql) : argument.sql;
  if (position) {
    const std::string positions = fmt::format("range(len({}))", list);
    result.generated.push_back(
        {"pos", SqlKind::integer,
         fmt::format("CAST(unnest({}) AS INTEGER)",
                     outer ? fmt::format("CASE WHEN len({}) > 0 THEN {} ELSE [NULL] END", list, positions) : positions)});
  }
  if (argument.type.is(SqlKind::map)) {
    result.generated.push_back({"key", argument.type.key(), fmt::format("unnest({})", rows(list))});
    result.generated.push_back(
        {"value", argument.type.element(), fmt::format("unnest({})", rows(fmt::format("map_values({})", argument.sql)))});
    return result;
  }
  TRIPOS_ASSIGN(const SqlType element, array_type(call, argument));
  result.generated.push_back({"col", element, fmt::format("unnest({})", rows(argument.sql))});
  return result;
}

constexpr FunctionRule rules[] = {
    {"array", 0, -1, "*", "unknown", "", {}, build_array},
    {"list_value", 0, -1, "*", "unknown", "", {}, build_array},
    {"map", 0, -1, "*", "unknown", "", {}, build_map},
    {"struct", 1, -1, "*", "unknown", "", {}, build_struct},
    {"row", 1, -1, "*", "unknown", "", {}, build_struct},
    {"named_struct", 2, -1, "*", "unknown", "", {}, build_named_struct},
    {"size", 1, 1, "*", "int", "", {}, build_size},
    {"cardinality", 1, 1, "*", "int", "", {}, build_size},
    {"array_size", 1, 1, "*", "int", "", {}, build_size},
    {"array_contains", 2, 2, "*", "boolean", "", {}, build_array_contains},
    {"array_position", 2, 2, "*", "bigint", "", {}, build_array_position},
    {"array_remove", 2, 2, "*", "=0", "", {}, build_array_remove},
    {"array_append", 2, 2, "*", "=0", "", {}, build_array_append},
    {"array_prepend", 2, 2, "*", "=0", "", {}, build_array_append},
    {"array_distinct", 1, 1, "*", "=0", "tripos_distinct({0})"},
    {"array_compact", 1, 1, "*", "=0", "list_filter({0}, lambda kept: kept IS NOT NULL)"},
    {"array_join", 2, 2, "*s", "string", "array_to_string({0}, {1})"},
    {"array_max", 1, 1, "*", "e0", "list_max({0})"},
    {"array_min", 1, 1, "*", "e0", "list_min({0})"},
    {"array_repeat", 2, 2, "*i", "[]0", "list_transform(range(greatest({1}, 0)), lambda number: {0})"},
    {"array_union", 2, 2, "*", "=0", "tripos_distinct(list_concat({0}, {1}))"},
    {"array_intersect", 2, 2, "*", "=0", "tripos_distinct(list_filter({0}, lambda kept: list_contains({1}, kept)))"},
    {"array_except", 2, 2, "*", "=0", "tripos_distinct(list_filter({0}, lambda kept: NOT list_contains({1}, kept)))"},
    {"arrays_overlap", 2, 2, "*", "boolean", "list_has_any({0}, {1})"},
    {"array_sort", 1, 1, "*", "=0", "", {}, build_sort_array},
    {"sort_array", 1, 2, "*", "=0", "", {}, build_sort_array},
    {"flatten", 1, 1, "*", "e0", "flatten({0})"},
    {"slice", 3, 3, "*ii", "=0", "list_slice({0}, {1}, {1} + {2} - 1)"},
    {"sequence", 2, 3, "*", "unknown", "", {}, build_sequence},
    {"element_at", 2, 2, "*", "e0", "", {}, build_element_at},
    {"try_element_at", 2, 2, "*", "e0", "", {}, build_element_at},
    {"get", 2, 2, "*i", "e0", "list_extract({0}, CASE WHEN {1} >= 0 THEN {1} + 1 END)"},
    {"map_keys", 1, 1, "*", "unknown", "", {}, build_map_part},
    {"map_values", 1, 1, "*", "unknown", "", {}, build_map_part},
    {"map_contains_key", 2, 2, "*", "boolean", "map_contains({0}, {1})"},
    {"transform", 2, 2, "*", "unknown", "", {}, build_with_lambda},
    {"filter", 2, 2, "*", "=0", "", {}, build_with_lambda},
    {"exists", 2, 2, "*", "boolean", "", {}, build_with_lambda},
    {"forall", 2, 2, "*", "boolean", "", {}, build_with_lambda},
    {"aggregate", 3, 4, "*", "unknown", "", {}, build_aggregate},
    {"reduce", 3, 4, "*", "unknown", "", {}, build_aggregate},
    {"explode", 1, 1, "*", "unknown", "", {}, build_explode},
    {"explode_outer", 1, 1, "*", "unknown", "", {}, build_explode},
    {"posexplode", 1, 1, "*", "unknown", "", {}, build_explode},
    {"posexplode_outer", 1, 1, "*", "unknown", "", {}, build_explode},
    {"inline", 1, 1, "*", "unknown", "", {}, build_explode},
    {"inline_outer", 1, 1, "*", "unknown", "", {}, build_explode},
};

}  // namespace

std::span<const FunctionRule> collection_functions() { return rules; }

}  // namespace tripos::worker
