// Spark's functions of arrays, maps and structures, and generators. Those that take functions: functions_lambda.cc.
#include <algorithm>
#include <charconv>

#include "worker/dialect/catalogue.h"

namespace tripos::worker {
namespace {

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

Expression structure(const std::vector<std::pair<std::string, Expression>>& members, std::string title) {
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
  return structure(members, fmt::format("struct({})", title));
}

Result<Expression> build_named_struct(Rewriter&, FunctionCall& call) {
  std::vector<std::pair<std::string, Expression>> members;
  for (std::size_t i = 0; i + 1 < call.arguments.size(); i += 2) {
    if (!call.arguments[i].text) {
      return fail(ErrorCode::query, "named_struct wants names and values by turns; {} is no string literal", call.arguments[i].title);
    }
    members.emplace_back(*call.arguments[i].text, call.arguments[i + 1]);
  }
  return structure(members, call_title("named_struct", call.arguments));
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
        "array_sort({}, lambdafunction((IF(((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS NULL)), 0, "
        "(IF((namedlambdavariable() IS NULL), 1, (IF((namedlambdavariable() IS NULL), -1, (IF((namedlambdavariable() < "
        "namedlambdavariable()), -1, (IF((namedlambdavariable() > namedlambdavariable()), 1, 0)))))))))), namedlambdavariable(), "
        "namedlambdavariable()))",
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
  if (type.is_known() && !type.is(SqlKind::map)) {
    return fail(ErrorCode::query, "{} wants a map; {} is {}", call.name, call.arguments[0].title, type.ddl());
  }
  SqlType part;
  if (type.is(SqlKind::map)) {
    part = SqlType::array(call.name == "map_keys"     ? type.key()
                          : call.name == "map_values" ? type.element()
                                                      : SqlType::structure({{"key", type.key()}, {"value", type.element()}}));
  }
  return Expression{.sql = fmt::format("{}({})", call.name, call.arguments[0].sql),
                    .type = std::move(part),
                    .title = call_title(call.name, call.arguments)};
}

// map_from_arrays(keys, values), map_from_entries(structures of two fields)
Result<Expression> build_map_from(Rewriter&, FunctionCall& call) {
  TRIPOS_ASSIGN(const SqlType first, array_type(call, call.arguments[0]));
  Expression result{.title = call_title(call.name, call.arguments)};
  if (call.name == "map_from_arrays") {
    TRIPOS_ASSIGN(const SqlType second, array_type(call, call.arguments[1]));
    result.sql = fill("map({0}, {1})", call.arguments);
    result.type = SqlType::map(first, second);
    return result;
  }
  if (first.fields().size() != 2) {
    return fail(ErrorCode::query, "map_from_entries wants an array of structures of two fields; {} is {}", call.arguments[0].title,
                call.arguments[0].type.ddl());
  }
  result.sql = fill("map_from_entries({0})", call.arguments);
  result.type = SqlType::map(first.fields()[0].type, first.fields()[1].type);
  return result;
}

Result<Expression> build_str_to_map(Rewriter&, FunctionCall& call) {
  for (const std::string_view mark : {",", ":"}) {
    if (call.arguments.size() < (mark == "," ? 2U : 3U)) {
      call.arguments.push_back({.sql = literal(mark), .type = SqlKind::string, .title = std::string(mark)});
    }
  }
  const std::string title = call_title("str_to_map", call.arguments);
  call.arguments[0] = coerced(std::move(call.arguments[0]), SqlKind::string);
  return Expression{
      .sql = fill("map_from_entries(list_transform(string_split({0}, {1}), lambda pair: struct_pack(key := string_split(pair, "
                  "{2})[1], value := string_split(pair, {2})[2])))",
                  call.arguments),
      .type = SqlType::map(SqlKind::string, SqlKind::string),
      .title = title};
}

// NULLs are left out, or shown as the third argument.
Result<Expression> build_array_join(Rewriter&, FunctionCall& call) {
  const std::string title = call_title("array_join", call.arguments);
  std::string list = call.arguments[0].sql;
  if (call.arguments.size() == 3) {
    list = fmt::format("list_transform({}, lambda member: coalesce(member, {}))", list, call.arguments[2].sql);
  }
  return Expression{.sql = fmt::format("array_to_string({}, {})", list, call.arguments[1].sql), .type = SqlKind::string, .title = title};
}

// At a position that counts from 1, or from the end if it is negative; what lies between is NULL.
Result<Expression> build_array_insert(Rewriter&, FunctionCall& call) {
  TRIPOS_ASSIGN(const SqlType element, array_type(call, call.arguments[0]));
  long long position = 0;
  const std::string& digits = call.arguments[1].title;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), position).ptr != digits.data() + digits.size() || position <= 0) {
    return fail(ErrorCode::unsupported, "array_insert wants its position as a number from 1 on, not as {}", digits);
  }
  const std::string title = call_title("array_insert", call.arguments);
  const std::string value = coerced(call.arguments[2], element).sql;
  return Expression{.sql = fmt::format("list_concat(list_resize(list_slice({0}, 1, {1}), {1}), [{2}], list_slice({0}, {3}, 2147483647))",
                                       call.arguments[0].sql, position - 1, value, position),
                    .type = call.arguments[0].type,
                    .title = title};
}

Result<Expression> build_arrays_zip(Rewriter&, FunctionCall& call) {
  std::vector<SqlField> fields;
  std::string members;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    TRIPOS_ASSIGN(SqlType element, array_type(call, call.arguments[i]));
    const bool named = call.nodes[i].text("class") == "COLUMN_REF";
    fields.push_back({named ? call.arguments[i].column_name() : fmt::format("{}", i), std::move(element)});
    members += fmt::format("{}{} := zipped[{}]", i == 0 ? "" : ", ", quoted_name(fields.back().name), i + 1);
  }
  return Expression{
      .sql = fmt::format("list_transform(list_zip({}), lambda zipped: struct_pack({}))", fill("{,}", call.arguments), members),
      .type = SqlType::array(SqlType::structure(std::move(fields))),
      .title = call_title("arrays_zip", call.arguments)};
}

Result<Expression> build_json_tuple(Rewriter&, FunctionCall& call) {
  Expression result{.title = call_title("json_tuple", call.arguments)};
  for (std::size_t i = 1; i < call.arguments.size(); ++i) {
    result.generated.push_back({fmt::format("c{}", i - 1), SqlKind::string,
                                fmt::format("tripos_get_json_object({}, '$.' || {})", call.arguments[0].sql, call.arguments[i].sql)});
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

constexpr FunctionRule collection_rules[] = {
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
    {"array_join", 2, 3, "*s", "string", "", {}, build_array_join},
    {"array_insert", 3, 3, "*", "=0", "", {}, build_array_insert},
    {"arrays_zip", 1, -1, "*", "unknown", "", {}, build_arrays_zip},
    {"map_from_arrays", 2, 2, "*", "unknown", "", {}, build_map_from},
    {"map_from_entries", 1, 1, "*", "unknown", "", {}, build_map_from},
    {"map_entries", 1, 1, "*", "unknown", "", {}, build_map_part},
    {"map_concat", 1, -1, "*", "^", "map_concat({,})"},
    {"str_to_map", 1, 3, "*", "unknown", "", {}, build_str_to_map},
    {"json_tuple", 2, -1, "*", "unknown", "", {}, build_json_tuple},
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
    {"explode", 1, 1, "*", "unknown", "", {}, build_explode},
    {"explode_outer", 1, 1, "*", "unknown", "", {}, build_explode},
    {"posexplode", 1, 1, "*", "unknown", "", {}, build_explode},
    {"posexplode_outer", 1, 1, "*", "unknown", "", {}, build_explode},
    {"inline", 1, 1, "*", "unknown", "", {}, build_explode},
    {"inline_outer", 1, 1, "*", "unknown", "", {}, build_explode},
};

}  // namespace

std::span<const FunctionRule> collection_functions() { return collection_rules; }

}  // namespace tripos::worker
