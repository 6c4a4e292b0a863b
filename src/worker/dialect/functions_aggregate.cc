// Spark's aggregate and window functions.
#include <algorithm>

#include "worker/dialect/catalogue.h"

namespace tripos::worker {
namespace {

// count(*), count(1), count(a, b): rows where none of them is NULL.
Result<Expression> build_count(Rewriter&, FunctionCall& call) {
  Expression result{.type = SqlKind::big_integer};
  if (call.arguments.empty()) {
    call.arguments.push_back({.sql = "1", .type = SqlKind::integer, .title = "1", .literal = true});
    result.title = aggregate_title(call);
    result.sql = aggregate_sql(call, "count", "*");
    return result;
  }
  result.title = aggregate_title(call);
  if (call.arguments.size() == 1) {
    result.sql = aggregate_sql(call, "count", call.arguments[0].sql);
    return result;
  }
  std::string present;
  for (const Expression& argument : call.arguments) {
    present += fmt::format("{}{} IS NOT NULL", present.empty() ? "" : " AND ", argument.sql);
  }
  result.sql = aggregate_sql(call, "count", fmt::format("CASE WHEN {} THEN {} END", present, fill("row({,})", call.arguments)));
  return result;
}

Result<Expression> build_sum(Rewriter&, FunctionCall& call) {
  Expression result{.title = aggregate_title(call)};
  Expression value = call.arguments[0];
  if (value.type.is(SqlKind::string)) {
    value = coerced(std::move(value), SqlKind::double_float);
  }
  // Of doubles the sum must not depend on the order of rows.
  const std::string sum = aggregate_sql(call, value.type.is_fraction() ? "tripos_sum" : "sum", value.sql);
  if (value.type.is(SqlKind::decimal)) {
    result.type = bounded_decimal(value.type.precision() + 10, value.type.scale());
    result.sql = fmt::format("CAST({} AS {})", sum, result.type.duckdb());
  } else if (value.type.is_integral()) {
    result.type = SqlKind::big_integer;
    result.sql = fmt::format("CAST({} AS BIGINT)", sum);
  } else {
    result.type = value.type.is_known() ? SqlType(SqlKind::double_float) : SqlType();
    result.sql = sum;
  }
  return result;
}

Result<Expression> build_average(Rewriter& rewriter, FunctionCall& call) {
  Expression result{.title = aggregate_title(call)};
  Expression value = call.arguments[0];
  if (value.type.is(SqlKind::string)) {
    value = coerced(std::move(value), SqlKind::double_float);
  }
  if (!value.type.is(SqlKind::decimal)) {
    result.type = SqlKind::double_float;
    result.sql = aggregate_sql(call, value.type.is_fraction() ? "tripos_avg" : "avg", value.sql);
    return result;
  }
  const SqlType type = bounded_decimal(value.type.precision() + 4, value.type.scale() + 4);
  Expression sum{.sql = aggregate_sql(call, "sum", value.sql), .type = SqlType::decimal(38, value.type.scale()), .title = ""};
  Expression count{.sql = aggregate_sql(call, "count", value.sql), .type = SqlKind::big_integer, .title = ""};
  result.sql = fmt::format("CAST({} AS {})", rewriter.arithmetic("/", std::move(sum), std::move(count)).sql, type.duckdb());
  result.type = type;
  return result;
}

Result<Expression> build_first(Rewriter&, FunctionCall& call) {
  const bool ignore = call.ignore_nulls || (call.arguments.size() == 2 && call.arguments[1].sql == "true");
  Expression result{.type = call.arguments[0].type,
                    .title = fmt::format("{}({}){}", call.name, call.arguments[0].title, call.ignore_nulls ? " ignore nulls" : "")};
  const bool first = call.name.starts_with("first") || call.name == "any_value";
  if (call.over.empty()) {
    result.sql = aggregate_sql(call, first ? "first" : "last", call.arguments[0].sql,
                               ignore ? fmt::format("{} IS NOT NULL", call.arguments[0].sql) : "");
  } else {
    call.ignore_nulls = ignore;
    result.sql = aggregate_sql(call, first ? "first_value" : "last_value", call.arguments[0].sql);
  }
  return result;
}

Result<Expression> build_collect(Rewriter&, FunctionCall& call) {
  const Expression& value = call.arguments[0];
  call.name = call.name == "array_agg" ? "collect_list" : call.name;
  Expression result{.type = SqlType::array(value.type), .title = aggregate_title(call)};
  call.distinct = call.distinct || call.name == "collect_set";
  result.sql = fmt::format("coalesce({}, [])", aggregate_sql(call, "list", value.sql, fmt::format("{} IS NOT NULL", value.sql)));
  return result;
}

// An element of what was seen, by its rank; the answer is exact, whatever accuracy was asked for.
Result<Expression> build_percentile_approx(Rewriter&, FunctionCall& call) {
  if (call.arguments.size() == 2) {
    call.arguments.push_back({.sql = "10000", .type = SqlKind::integer, .title = "10000"});
  }
  const bool several = call.arguments[1].type.is(SqlKind::array);
  Expression value = call.arguments[0].type.is(SqlKind::string) ? coerced(call.arguments[0], SqlKind::double_float) : call.arguments[0];
  return Expression{.sql = aggregate_sql(call, "quantile_disc", fmt::format("{}, {}", value.sql, call.arguments[1].sql)),
                    .type = several ? SqlType::array(value.type) : value.type,
                    .title = aggregate_title(call)};
}

Result<Expression> build_percentile(Rewriter&, FunctionCall& call) {
  const bool several = call.arguments[1].type.is(SqlKind::array);
  call.arguments.push_back({.sql = "1", .type = SqlKind::integer, .title = "1"});
  return Expression{
      .sql = aggregate_sql(call, "quantile_cont",
                           fmt::format("{}, {}", coerced(call.arguments[0], SqlKind::double_float).sql, call.arguments[1].sql)),
      .type = several ? SqlType::array(SqlKind::double_float) : SqlType(SqlKind::double_float),
      .title = aggregate_title(call)};
}

// Spark's skewness is the population's, DuckDB's is corrected for the sample's size.
Result<Expression> build_skewness(Rewriter&, FunctionCall& call) {
  const std::string value = coerced(call.arguments[0], SqlKind::double_float).sql;
  const std::string n = fmt::format("CAST({} AS DOUBLE)", aggregate_sql(call, "count", value));
  const std::string corrected = aggregate_sql(call, "skewness", value);
  const std::string spread = aggregate_sql(call, "var_pop", value);
  return Expression{.sql = fmt::format("CASE WHEN {1} = 0 THEN NULL WHEN {0} = 2 THEN 0.0 ELSE {2} * ({0} - 2) / sqrt({0} * ({0} - 1)) END",
                                       n, spread, corrected),
                    .type = SqlKind::double_float,
                    .title = aggregate_title(call)};
}

Result<Expression> build_count_if(Rewriter&, FunctionCall& call) {
  return Expression{
      .sql = aggregate_sql(call, "count", fmt::format("CASE WHEN {} THEN 1 END", coerced(call.arguments[0], SqlKind::boolean).sql)),
      .type = SqlKind::big_integer,
      .title = aggregate_title(call)};
}

Result<Expression> build_string_agg(Rewriter& rewriter, FunctionCall& call) {
  const std::string separator = call.arguments.size() == 2 ? call.arguments[1].sql : "''";
  if (call.arguments.size() == 1) {
    call.arguments.push_back({.sql = "''", .type = SqlKind::string, .title = "NULL"});
  }
  std::string title = aggregate_title(call);
  for (const Node& order : call.order_nodes) {
    TRIPOS_ASSIGN(const Expression by, rewriter.expression(order["expression"], *call.scope));
    title += (&order == call.order_nodes.data() ? " WITHIN GROUP (ORDER BY " : ", ") + order_title(by.title, order);
  }
  title += call.order_nodes.empty() ? "" : ")";
  return Expression{
      .sql = aggregate_sql(call, "string_agg", fmt::format("{}, {}", coerced(call.arguments[0], SqlKind::string).sql, separator)),
      .type = SqlKind::string,
      .title = title};
}

// percentile_cont(p) WITHIN GROUP (ORDER BY x)
Result<Expression> build_percentile_within(Rewriter& rewriter, FunctionCall& call) {
  if (call.order_nodes.size() != 1) {
    return fail(ErrorCode::query, "{} wants WITHIN GROUP (ORDER BY one column)", call.name);
  }
  const Node order = call.order_nodes.front();
  TRIPOS_ASSIGN(const Expression value, rewriter.expression(order["expression"], *call.scope));
  const bool descending = order.text("type") == "DESCENDING";
  const std::string fraction = coerced(call.arguments[0], SqlKind::double_float).sql;
  call.order.clear();
  Expression result{.type = SqlKind::double_float,
                    .title = fmt::format("{}({}) WITHIN GROUP (ORDER BY {}{})", call.name, call.arguments[0].title, value.title,
                                         descending ? " DESC" : "")};
  const std::string ordered = coerced(value, SqlKind::double_float).sql;
  result.sql = aggregate_sql(call, call.name == "percentile_cont" ? "quantile_cont" : "quantile_disc",
                             descending ? fmt::format("- ({}), {}", ordered, fraction) : fmt::format("{}, {}", ordered, fraction));
  if (descending) {
    result.sql = fmt::format("(- {})", result.sql);
  }
  return result;
}

Result<> needs_window(const FunctionCall& call) {
  return call.over.empty() ? Result<>(fail(ErrorCode::query, "{} needs a window: {}(…) OVER (…)", call.name, call.name)) : Result<>();
}

Result<Expression> build_ranking(Rewriter&, FunctionCall& call) {
  TRIPOS_TRY(needs_window(call));
  const bool fraction = call.name == "percent_rank" || call.name == "cume_dist";
  Expression result{.type = fraction ? SqlKind::double_float : SqlKind::integer, .title = call_title(call.name, call.arguments)};
  const bool shows_order = call.name == "rank" || call.name == "dense_rank" || call.name == "percent_rank";
  if (shows_order) {
    result.title = fmt::format("{}()", upper(call.name));
  }
  const std::string sql = aggregate_sql(call, call.name, fill("{,}", call.arguments));
  result.sql = fraction ? sql : fmt::format("CAST({} AS INTEGER)", sql);
  return result;
}

Result<Expression> build_lag(Rewriter&, FunctionCall& call) {
  TRIPOS_TRY(needs_window(call));
  if (call.arguments.size() == 1) {
    call.arguments.push_back({.sql = "1", .type = SqlKind::integer, .title = "1"});
  }
  if (call.arguments.size() == 2) {
    call.arguments.push_back({.sql = "NULL", .type = SqlKind::void_type, .title = "NULL"});
  }
  Expression result{.type = call.arguments[0].type, .title = call_title(call.name, call.arguments)};
  call.arguments[2] = coerced(std::move(call.arguments[2]), result.type);
  result.sql = aggregate_sql(call, call.name, fill("{,}", call.arguments));
  return result;
}

Result<Expression> build_nth_value(Rewriter&, FunctionCall& call) {
  TRIPOS_TRY(needs_window(call));
  return Expression{.sql = aggregate_sql(call, "nth_value", fill("{,}", call.arguments)),
                    .type = call.arguments[0].type,
                    .title = call_title(call.name, call.arguments)};
}

constexpr AggregateRule aggregate_rules[] = {
    {"count", 0, -1, "*", "bigint", "count", "{,}", "{}", build_count},
    {"sum", 1, 1, "*", "bigint", "sum", "{,}", "{}", build_sum},
    {"avg", 1, 1, "*", "double", "avg", "{,}", "{}", build_average},
    {"mean", 1, 1, "*", "double", "avg", "{,}", "{}", build_average},
    {"min", 1, 1, "*", "=0", "min"},
    {"max", 1, 1, "*", "=0", "max"},
    {"first", 1, 2, "*", "=0", "first", "{,}", "{}", build_first},
    {"first_value", 1, 2, "*", "=0", "first", "{,}", "{}", build_first},
    {"any_value", 1, 2, "*", "=0", "first", "{,}", "{}", build_first},
    {"last", 1, 2, "*", "=0", "last", "{,}", "{}", build_first},
    {"last_value", 1, 2, "*", "=0", "last", "{,}", "{}", build_first},
    {"collect_list", 1, 1, "*", "[]0", "list", "{,}", "{}", build_collect},
    {"array_agg", 1, 1, "*", "[]0", "list", "{,}", "{}", build_collect},
    {"collect_set", 1, 1, "*", "[]0", "list", "{,}", "{}", build_collect},
    {"stddev", 1, 1, "d", "double", "tripos_stddev_samp"},
    {"std", 1, 1, "d", "double", "tripos_stddev_samp"},
    {"stddev_samp", 1, 1, "d", "double", "tripos_stddev_samp"},
    {"stddev_pop", 1, 1, "d", "double", "tripos_stddev_pop"},
    {"variance", 1, 1, "d", "double", "tripos_var_samp"},
    {"var_samp", 1, 1, "d", "double", "tripos_var_samp"},
    {"var_pop", 1, 1, "d", "double", "tripos_var_pop"},
    {"corr", 2, 2, "d", "double", "tripos_corr"},
    {"covar_samp", 2, 2, "d", "double", "tripos_covar_samp"},
    {"covar_pop", 2, 2, "d", "double", "tripos_covar_pop"},
    {"regr_slope", 2, 2, "d", "double", "tripos_regr_slope"},
    {"regr_intercept", 2, 2, "d", "double", "tripos_regr_intercept"},
    {"regr_r2", 2, 2, "d", "double", "tripos_regr_r2"},
    {"skewness", 1, 1, "d", "double", "skewness", "{,}", "{}", build_skewness},
    {"kurtosis", 1, 1, "d", "double", "kurtosis_pop"},
    {"median", 1, 1, "d", "double", "quantile_cont", "{0}, 0.5"},
    {"percentile", 2, 2, "*", "double", "quantile_cont", "{,}", "{}", build_percentile},
    {"percentile_approx", 2, 3, "*", "=0", "quantile_disc", "{,}", "{}", build_percentile_approx},
    {"approx_percentile", 2, 3, "*", "=0", "quantile_disc", "{,}", "{}", build_percentile_approx},
    {"approx_count_distinct", 1, 2, "*", "bigint", "count", "DISTINCT {0}"},
    {"percentile_cont", 1, 1, "*", "double", "quantile_cont", "{,}", "{}", build_percentile_within},
    {"percentile_disc", 1, 1, "*", "double", "quantile_disc", "{,}", "{}", build_percentile_within},
    {"try_sum", 1, 1, "*", "bigint", "sum", "{,}", "{}", build_sum},
    {"try_avg", 1, 1, "*", "double", "avg", "{,}", "{}", build_average},
    {"regr_count", 2, 2, "d", "bigint", "regr_count"},
    {"regr_avgx", 2, 2, "d", "double", "regr_avgx"},
    {"regr_avgy", 2, 2, "d", "double", "regr_avgy"},
    {"regr_sxx", 2, 2, "d", "double", "regr_sxx"},
    {"regr_syy", 2, 2, "d", "double", "regr_syy"},
    {"regr_sxy", 2, 2, "d", "double", "regr_sxy"},
    {"count_if", 1, 1, "*", "bigint", "count", "{,}", "{}", build_count_if},
    {"bool_and", 1, 1, "b", "boolean", "bool_and"},
    {"every", 1, 1, "b", "boolean", "bool_and"},
    {"bool_or", 1, 1, "b", "boolean", "bool_or"},
    {"some", 1, 1, "b", "boolean", "bool_or"},
    {"any", 1, 1, "b", "boolean", "bool_or"},
    {"bit_and", 1, 1, "l", "=0", "bit_and"},
    {"bit_or", 1, 1, "l", "=0", "bit_or"},
    {"bit_xor", 1, 1, "l", "=0", "bit_xor"},
    {"max_by", 2, 2, "*", "=0", "arg_max"},
    {"min_by", 2, 2, "*", "=0", "arg_min"},
    {"mode", 1, 1, "*", "=0", "mode"},
    {"string_agg", 1, 2, "*", "string", "string_agg", "{,}", "{}", build_string_agg},
    {"listagg", 1, 2, "*", "string", "string_agg", "{,}", "{}", build_string_agg},
    {"row_number", 0, 0, "*", "int", "", "{,}", "{}", build_ranking},
    {"rank", 0, 0, "*", "int", "", "{,}", "{}", build_ranking},
    {"dense_rank", 0, 0, "*", "int", "", "{,}", "{}", build_ranking},
    {"percent_rank", 0, 0, "*", "double", "", "{,}", "{}", build_ranking},
    {"cume_dist", 0, 0, "*", "double", "", "{,}", "{}", build_ranking},
    {"ntile", 1, 1, "*", "int", "", "{,}", "{}", build_ranking},
    {"lag", 1, 3, "*", "=0", "", "{,}", "{}", build_lag},
    {"lead", 1, 3, "*", "=0", "", "{,}", "{}", build_lag},
    {"nth_value", 2, 2, "*", "=0", "", "{,}", "{}", build_nth_value},
};

}  // namespace

std::span<const AggregateRule> aggregate_functions() { return aggregate_rules; }

}  // namespace tripos::worker
