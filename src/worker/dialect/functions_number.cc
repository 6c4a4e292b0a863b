// Spark's functions of numbers, and those that choose between values.
#include <algorithm>
#include <charconv>

#include "worker/dialect/catalogue.h"

namespace tripos::worker {
namespace {

Result<Expression> build_round(Rewriter&, FunctionCall& call) {
  Expression value = call.arguments[0];
  if (value.type.is(SqlKind::string)) {
    value = coerced(std::move(value), SqlKind::double_float);
  }
  std::string digits = "0";
  if (call.arguments.size() == 2) {
    digits = call.arguments[1].sql;
  } else {
    call.arguments.push_back({.sql = "0", .type = SqlKind::integer, .title = "0", .literal = true});
  }
  const bool half_even = call.name == "bround";
  Expression result{.type = value.type, .title = call_title(call.name, call.arguments)};
  if (value.type.is(SqlKind::decimal)) {
    int scale = 0;
    const std::string& literal_text = call.arguments[1].title;
    std::from_chars(literal_text.data(), literal_text.data() + literal_text.size(), scale);
    const int kept = std::clamp(scale, 0, value.type.scale());
    result.type = bounded_decimal(value.type.precision() - value.type.scale() + kept + (kept < value.type.scale() ? 1 : 0), kept);
    result.sql = fmt::format("CAST({}({}, {}) AS {})", half_even ? "round_even" : "round", value.sql, scale, result.type.duckdb());
  } else if (value.type.is_integral()) {
    result.sql = fmt::format("CAST({}({}, {}) AS {})", half_even ? "round_even" : "round", value.sql, digits, value.type.duckdb());
  } else {
    if (!value.type.is_known()) {
      value.sql = fmt::format("CAST({} AS DOUBLE)", value.sql);
      result.type = SqlKind::double_float;
    }
    result.sql = fmt::format("{}({}, {})", half_even ? "tripos_bround" : "tripos_round", value.sql, digits);
  }
  return result;
}

// A count of digits is only taken of decimals, as a number.
Result<Expression> build_floor_to(FunctionCall& call, Expression value) {
  int digits = 0;
  const std::string& text = call.arguments[1].title;
  if (std::from_chars(text.data(), text.data() + text.size(), digits).ptr != text.data() + text.size()) {
    return fail(ErrorCode::unsupported, "{} wants the count of digits as a number, not as {}", call.name, text);
  }
  const SqlType exact = value.type.is(SqlKind::decimal) ? value.type
                        : value.type.is_integral()      ? as_decimal(value.type)
                                                        : SqlType::decimal(30, 15);
  const int kept = std::clamp(digits, 0, exact.scale());
  Expression result{.type = bounded_decimal(std::max(exact.precision() - exact.scale() + 1, -digits + 1) + kept, kept),
                    .title = call_title(call.name, call.arguments)};
  const std::string factor = "1" + std::string(static_cast<std::size_t>(std::min(std::abs(digits), 30)), '0');
  const std::string_view up = call.name == "floor" ? "floor" : "ceil";
  result.sql = digits >= 0 ? fmt::format("TRY_CAST(TRY_CAST({}({} * {}) AS DECIMAL(38,0)) AS DECIMAL(38,{})) / {}", up, value.sql, factor,
                                         kept, factor)
                           : fmt::format("TRY_CAST({}({} / {}) AS DECIMAL(38,0)) * {}", up, value.sql, factor, factor);
  result.sql = fmt::format("TRY_CAST({} AS {})", result.sql, result.type.duckdb());
  return result;
}

Result<Expression> build_floor(Rewriter&, FunctionCall& call) {
  Expression value = call.arguments[0];
  if (value.type.is(SqlKind::string)) {
    value = coerced(std::move(value), SqlKind::double_float);
  }
  const bool up = call.name != "floor";
  if (call.arguments.size() == 2) {
    return build_floor_to(call, std::move(value));
  }
  Expression result{.type = SqlKind::big_integer,
                    .title = fmt::format("{}({})",
                                         call.name == "ceil"    ? "CEIL"
                                         : call.name == "floor" ? "FLOOR"
                                                                : "ceiling",
                                         call.arguments[0].title)};
  if (value.type.is(SqlKind::decimal)) {
    result.type = bounded_decimal(value.type.precision() - value.type.scale() + 1, 0);
  }
  result.sql = fmt::format("TRY_CAST({}({}) AS {})", up ? "ceil" : "floor", value.sql, result.type.duckdb());
  return result;
}

Result<Expression> build_if(Rewriter&, FunctionCall& call) {
  const SqlType type = common_type(call.arguments[1].type, call.arguments[2].type);
  return Expression{.sql = fmt::format("CASE WHEN {} THEN {} ELSE {} END", coerced(call.arguments[0], SqlKind::boolean).sql,
                                       coerced(call.arguments[1], type).sql, coerced(call.arguments[2], type).sql),
                    .type = type,
                    .title = fmt::format("(IF({}, {}, {}))", call.arguments[0].title, call.arguments[1].title, call.arguments[2].title)};
}

Result<Expression> build_nvl2(Rewriter&, FunctionCall& call) {
  const SqlType type = common_type(call.arguments[1].type, call.arguments[2].type);
  return Expression{.sql = fmt::format("CASE WHEN {} IS NOT NULL THEN {} ELSE {} END", call.arguments[0].sql,
                                       coerced(call.arguments[1], type).sql, coerced(call.arguments[2], type).sql),
                    .type = type,
                    .title = call_title("nvl2", call.arguments)};
}

Result<Expression> build_nullif(Rewriter& rewriter, FunctionCall& call) {
  const Expression equal = rewriter.comparison("=", call.arguments[0], call.arguments[1]);
  return Expression{.sql = fmt::format("CASE WHEN {} THEN NULL ELSE {} END", equal.sql, call.arguments[0].sql),
                    .type = call.arguments[0].type,
                    .title = call_title("nullif", call.arguments)};
}

Result<Expression> build_mod(Rewriter& rewriter, FunctionCall& call) {
  Expression result = rewriter.arithmetic("%", call.arguments[0], call.arguments[1]);
  result.title = call_title(call.name, call.arguments);
  if (call.name == "pmod") {
    const Expression again = rewriter.arithmetic("+", result, call.arguments[1]);
    const std::string title = call_title("pmod", call.arguments);
    const Expression positive = rewriter.arithmetic("%", again, call.arguments[1]);
    return Expression{.sql = fmt::format("CASE WHEN {} < 0 THEN {} ELSE {} END", result.sql, positive.sql, result.sql),
                      .type = result.type,
                      .title = title};
  }
  return result;
}

template <char operation>
Result<Expression> build_try(Rewriter& rewriter, FunctionCall& call) {
  Expression result = rewriter.arithmetic(std::string(1, operation), call.arguments[0], call.arguments[1]);
  result.title = call_title(call.name, call.arguments);
  return result;
}

Result<Expression> build_log(Rewriter&, FunctionCall& call) {
  std::vector<Expression> doubles;
  for (const Expression& argument : call.arguments) {
    doubles.push_back(coerced(argument, SqlKind::double_float));
  }
  Expression result{.type = SqlKind::double_float};
  if (doubles.size() == 1) {
    result.sql = fill("CASE WHEN {0} > 0 THEN ln({0}) END", doubles);
    result.title = fmt::format("ln({})", call.arguments[0].title);
  } else {
    result.sql = fill("CASE WHEN {0} > 0 AND {1} > 0 THEN ln({1}) / ln({0}) END", doubles);
    result.title = fmt::format("LOG({}, {})", call.arguments[0].title, call.arguments[1].title);
  }
  return result;
}

Result<Expression> build_equal_null(Rewriter& rewriter, FunctionCall& call) {
  Expression result = rewriter.comparison("<=>", call.arguments[0], call.arguments[1]);
  result.title = call_title("equal_null", call.arguments);
  return result;
}

Result<Expression> build_zero_if_null(Rewriter&, FunctionCall& call) {
  const SqlType type = common_type(call.arguments[0].type, SqlKind::integer);
  return Expression{.sql = fmt::format("coalesce({}, CAST(0 AS {}))", coerced(call.arguments[0], type).sql, type.duckdb()),
                    .type = type,
                    .title = call_title("zeroifnull", call.arguments)};
}

Result<Expression> build_typeof(Rewriter&, FunctionCall& call) {
  return Expression{.sql = literal(call.arguments[0].type.ddl()), .type = SqlKind::string, .title = call_title("typeof", call.arguments)};
}

Result<Expression> build_isnan(Rewriter&, FunctionCall& call) {
  return Expression{.sql = fmt::format("coalesce(isnan({}), false)", coerced(call.arguments[0], SqlKind::double_float).sql),
                    .type = SqlKind::boolean,
                    .title = call_title("isnan", call.arguments)};
}

constexpr FunctionRule number_rules[] = {
    {"round", 1, 2, "n", "double", "", {}, build_round},
    {"bround", 1, 2, "n", "double", "", {}, build_round},
    {"floor", 1, 2, "n", "bigint", "", {}, build_floor},
    {"ceil", 1, 2, "n", "bigint", "", {}, build_floor},
    {"ceiling", 1, 2, "n", "bigint", "", {}, build_floor},
    {"abs", 1, 1, "n", "=0", "abs({0})"},
    {"sign", 1, 1, "d", "double", "CAST(sign({0}) AS DOUBLE)"},
    {"signum", 1, 1, "d", "double", "CAST(sign({0}) AS DOUBLE)", "SIGNUM({0})"},
    {"negative", 1, 1, "n", "=0", "(- {0})", "negative({0})"},
    {"positive", 1, 1, "n", "=0", "{0}", "(+ {0})"},
    {"sqrt", 1, 1, "d", "double", "CASE WHEN {0} >= 0 THEN sqrt({0}) WHEN {0} < 0 THEN CAST('NaN' AS DOUBLE) END", "SQRT({0})"},
    {"cbrt", 1, 1, "d", "double", "cbrt({0})", "CBRT({0})"},
    {"exp", 1, 1, "d", "double", "exp({0})", "EXP({0})"},
    {"ln", 1, 1, "d", "double", "CASE WHEN {0} > 0 THEN ln({0}) END"},
    {"log", 1, 2, "d", "double", "", {}, build_log},
    {"log10", 1, 1, "d", "double", "CASE WHEN {0} > 0 THEN log10({0}) END", "LOG10({0})"},
    {"log2", 1, 1, "d", "double", "CASE WHEN {0} > 0 THEN log2({0}) END", "LOG2({0})"},
    {"log1p", 1, 1, "d", "double", "CASE WHEN {0} > -1 THEN ln(1 + {0}) END", "LOG1P({0})"},
    {"pow", 2, 2, "d", "double", "pow({0}, {1})"},
    {"power", 2, 2, "d", "double", "pow({0}, {1})", "POWER({0}, {1})"},
    {"sin", 1, 1, "d", "double", "sin({0})", "SIN({0})"},
    {"cos", 1, 1, "d", "double", "cos({0})", "COS({0})"},
    {"tan", 1, 1, "d", "double", "tan({0})", "TAN({0})"},
    {"asin", 1, 1, "d", "double", "CASE WHEN abs({0}) <= 1 THEN asin({0}) WHEN {0} IS NOT NULL THEN CAST('NaN' AS DOUBLE) END",
     "ASIN({0})"},
    {"acos", 1, 1, "d", "double", "CASE WHEN abs({0}) <= 1 THEN acos({0}) WHEN {0} IS NOT NULL THEN CAST('NaN' AS DOUBLE) END",
     "ACOS({0})"},
    {"atan", 1, 1, "d", "double", "atan({0})", "ATAN({0})"},
    {"atan2", 2, 2, "d", "double", "atan2({0}, {1})", "ATAN2({0}, {1})"},
    {"sinh", 1, 1, "d", "double", "sinh({0})", "SINH({0})"},
    {"cosh", 1, 1, "d", "double", "cosh({0})", "COSH({0})"},
    {"tanh", 1, 1, "d", "double", "tanh({0})", "TANH({0})"},
    {"degrees", 1, 1, "d", "double", "degrees({0})", "DEGREES({0})"},
    {"radians", 1, 1, "d", "double", "radians({0})", "RADIANS({0})"},
    {"hypot", 2, 2, "d", "double", "sqrt({0} * {0} + {1} * {1})", "HYPOT({0}, {1})"},
    {"rint", 1, 1, "d", "double", "round_even({0}, 0)"},
    {"expm1", 1, 1, "d", "double", "(exp({0}) - 1)", "EXPM1({0})"},
    {"cot", 1, 1, "d", "double", "cot({0})", "COT({0})"},
    {"sec", 1, 1, "d", "double", "(1 / cos({0}))", "SEC({0})"},
    {"csc", 1, 1, "d", "double", "(1 / sin({0}))", "CSC({0})"},
    {"asinh", 1, 1, "d", "double", "asinh({0})", "ASINH({0})"},
    {"acosh", 1, 1, "d", "double", "CASE WHEN {0} >= 1 THEN acosh({0}) WHEN {0} < 1 THEN CAST('NaN' AS DOUBLE) END", "ACOSH({0})"},
    {"atanh", 1, 1, "d", "double", "CASE WHEN abs({0}) < 1 THEN atanh({0}) WHEN {0} IS NOT NULL THEN CAST('NaN' AS DOUBLE) END",
     "ATANH({0})"},
    {"bit_count", 1, 1, "l", "int", "CAST(bit_count(CAST({0} AS BIGINT)) AS INTEGER)"},
    {"bit_get", 2, 2, "l", "tinyint", "CAST((CAST({0} AS BIGINT) >> {1}) & 1 AS TINYINT)"},
    {"getbit", 2, 2, "l", "tinyint", "CAST((CAST({0} AS BIGINT) >> {1}) & 1 AS TINYINT)"},
    {"shiftright", 2, 2, "li", "=0", "({0} >> {1})"},
    {"equal_null", 2, 2, "*", "boolean", "", {}, build_equal_null},
    {"zeroifnull", 1, 1, "*", "=0", "", {}, build_zero_if_null},
    {"nullifzero", 1, 1, "n", "=0", "nullif({0}, 0)"},
    {"grouping_id", 1, -1, "*", "bigint", "CAST(grouping({,}) AS BIGINT)"},
    {"pi", 0, 0, "", "double", "pi()", "PI()"},
    {"e", 0, 0, "", "double", "exp(1)", "E()"},
    {"factorial", 1, 1, "i", "bigint", "CASE WHEN {0} BETWEEN 0 AND 20 THEN CAST(factorial({0}) AS BIGINT) END"},
    {"bin", 1, 1, "l", "string", "bin({0})"},
    {"rand", 0, 1, "i", "double", "random()"},
    {"random", 0, 1, "i", "double", "random()"},
    {"isnan", 1, 1, "d", "boolean", "", {}, build_isnan},
    {"nanvl", 2, 2, "d", "double", "CASE WHEN isnan({0}) THEN {1} ELSE {0} END"},
    {"mod", 2, 2, "n", "=0", "", {}, build_mod},
    {"pmod", 2, 2, "n", "=0", "", {}, build_mod},
    {"try_divide", 2, 2, "n", "=0", "", {}, build_try<'/'>},
    {"try_add", 2, 2, "n", "=0", "", {}, build_try<'+'>},
    {"try_subtract", 2, 2, "n", "=0", "", {}, build_try<'-'>},
    {"try_multiply", 2, 2, "n", "=0", "", {}, build_try<'*'>},
    {"greatest", 2, -1, "*", "^", "greatest({,})"},
    {"least", 2, -1, "*", "^", "least({,})"},
    {"coalesce", 1, -1, "*", "^", "coalesce({,})"},
    {"nvl", 2, 2, "*", "^", "coalesce({,})"},
    {"ifnull", 2, 2, "*", "^", "coalesce({,})"},
    {"nvl2", 3, 3, "*", "=1", "", {}, build_nvl2},
    {"nullif", 2, 2, "*", "=0", "", {}, build_nullif},
    {"if", 3, 3, "*", "=1", "", {}, build_if},
    {"isnull", 1, 1, "*", "boolean", "({0} IS NULL)", "({0} IS NULL)"},
    {"isnotnull", 1, 1, "*", "boolean", "({0} IS NOT NULL)", "({0} IS NOT NULL)"},
    {"typeof", 1, 1, "*", "string", "", {}, build_typeof},
    {"current_user", 0, 0, "", "string", "'tripos'"},
    {"version", 0, 0, "", "string", "'tripos'"},
};

}  // namespace

std::span<const FunctionRule> number_functions() { return number_rules; }

}  // namespace tripos::worker
