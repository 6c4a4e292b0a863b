// Spark's functions of dates and times. All in UTC.
#include <algorithm>

#include "worker/dialect/catalogue.h"

namespace tripos::worker {
namespace {

constexpr std::string_view default_pattern = "yyyy-MM-dd HH:mm:ss";

bool has_pattern(const FunctionCall& call) { return call.arguments.size() == 2; }

Result<Expression> build_to_timestamp(Rewriter&, FunctionCall& call) {
  const Expression& value = call.arguments[0];
  Expression result{.type = SqlKind::timestamp, .title = call_title(call.name, call.arguments)};
  result.sql = has_pattern(call) && value.type.is(SqlKind::string)
                   ? fmt::format("tripos_parse_timestamp({}, {})", value.sql, call.arguments[1].sql)
                   : coerced(value, SqlKind::timestamp).sql;
  if (call.name == "to_date") {
    result.type = SqlKind::date;
    result.sql = value.type.is(SqlKind::date) ? value.sql : fmt::format("CAST({} AS DATE)", result.sql);
  }
  return result;
}

// unix_timestamp(): now. Of a string by a pattern.
Result<Expression> build_unix_timestamp(Rewriter&, FunctionCall& call) {
  Expression result{.type = SqlKind::big_integer};
  const std::string pattern_title = call.arguments.size() == 2 ? call.arguments[1].title : std::string(default_pattern);
  if (call.arguments.empty()) {
    result.sql = "CAST(floor(epoch(CAST(now() AS TIMESTAMP))) AS BIGINT)";
    result.title = fmt::format("{}(current_timestamp(), {})", call.name, default_pattern);
    return result;
  }
  const Expression& value = call.arguments[0];
  const std::string time = value.type.is(SqlKind::string)
                               ? fmt::format("tripos_parse_timestamp({}, {})", value.sql,
                                             call.arguments.size() == 2 ? call.arguments[1].sql : literal(default_pattern))
                               : coerced(value, SqlKind::timestamp).sql;
  result.sql = fmt::format("CAST(floor(epoch({})) AS BIGINT)", time);
  result.title = fmt::format("{}({}, {})", call.name, value.title, pattern_title);
  return result;
}

Result<Expression> build_from_unixtime(Rewriter&, FunctionCall& call) {
  const Expression seconds = coerced(call.arguments[0], SqlKind::big_integer);
  const std::string pattern = has_pattern(call) ? call.arguments[1].sql : literal(default_pattern);
  return Expression{.sql = fmt::format("tripos_date_format(make_timestamp({} * 1000000), {})", seconds.sql, pattern),
                    .type = SqlKind::string,
                    .title = fmt::format("from_unixtime({}, {})", call.arguments[0].title,
                                         has_pattern(call) ? call.arguments[1].title : std::string(default_pattern))};
}

// The word that names a unit: 'YEAR', 'month' …
Result<std::string> unit_of(const Expression& unit) {
  static constexpr std::pair<std::string_view, std::string_view> units[] = {
      {"year", "year"},
      {"yyyy", "year"},
      {"yy", "year"},
      {"quarter", "quarter"},
      {"month", "month"},
      {"mon", "month"},
      {"mm", "month"},
      {"week", "week"},
      {"day", "day"},
      {"dd", "day"},
      {"hour", "hour"},
      {"minute", "minute"},
      {"second", "second"},
      {"millisecond", "millisecond"},
      {"microsecond", "microsecond"},
      {"dow", "dayofweek"},
      {"dayofweek", "dayofweek"},
      {"doy", "dayofyear"},
      {"days", "day"},
      {"years", "year"},
      {"months", "month"},
      {"hours", "hour"},
      {"minutes", "minute"},
      {"seconds", "second"},
      {"epoch", "epoch"},
  };
  const std::string name = lower(unit.text.value_or(unit.title));
  const auto* found = std::ranges::find(units, name, &std::pair<std::string_view, std::string_view>::first);
  if (found == std::end(units)) {
    return fail(ErrorCode::query, "{} is no unit of time: year, quarter, month, week, day, hour, minute, second", name);
  }
  return std::string(found->second);
}

Result<Expression> build_date_part(Rewriter&, FunctionCall& call) {
  TRIPOS_ASSIGN(const std::string unit, unit_of(call.arguments[0]));
  const Expression time = coerced(call.arguments[1], SqlKind::timestamp);
  Expression result{.type = SqlKind::integer,
                    .title = fmt::format("{}({}, {})", call.name, call.arguments[0].title, call.arguments[1].title)};
  if (call.name == "date_part" && !call.marked) {
    result.title = fmt::format("extract({} FROM {})", call.arguments[0].title, call.arguments[1].title);
  }
  if (unit == "second") {
    result.type = SqlType::decimal(8, 6);
    result.sql = fmt::format("CAST(date_part('microsecond', {}) / 1000000.0 AS DECIMAL(8,6))", time.sql);
  } else {
    result.sql = fmt::format("CAST(date_part('{}', {}){} AS INTEGER)", unit, time.sql, unit == "dayofweek" ? " + 1" : "");
  }
  return result;
}

Result<Expression> build_trunc(Rewriter&, FunctionCall& call) {
  const bool of_date = call.name == "trunc";  // trunc(date, unit), date_trunc(unit, timestamp)
  TRIPOS_ASSIGN(const std::string unit, unit_of(call.arguments[of_date ? 1 : 0]));
  const Expression time = coerced(call.arguments[of_date ? 0 : 1], SqlKind::timestamp);
  return Expression{.sql = fmt::format("CAST(date_trunc('{}', {}) AS {})", unit, time.sql, of_date ? "DATE" : "TIMESTAMP"),
                    .type = of_date ? SqlKind::date : SqlKind::timestamp,
                    .title = call_title(call.name, call.arguments)};
}

// The unit stands as a name: timestampdiff(HOUR, a, b), timestampadd(DAY, 1, t), dateadd(DAY, 1, t).
Result<Expression> build_with_unit(Rewriter& rewriter, FunctionCall& call) {
  if (call.nodes.size() != 3) {
    TRIPOS_ASSIGN(Expression first, rewriter.expression(call.nodes[0], *call.scope));
    TRIPOS_ASSIGN(Expression second, rewriter.expression(call.nodes[1], *call.scope));
    FunctionCall plain{.name = call.name == "dateadd" ? "date_add" : "datediff", .arguments = {std::move(first), std::move(second)}};
    Result<Expression> result = call_function(rewriter, plain);
    if (result && call.name == "date_diff") {
      result->title.insert(4, 1, '_');
    }
    return result;
  }
  const std::vector<std::string> names = call.nodes[0].texts("column_names");
  if (names.size() != 1) {
    return fail(ErrorCode::query, "{} wants a unit of time first: DAY, HOUR …", call.name);
  }
  TRIPOS_ASSIGN(const std::string unit, unit_of({.sql = "", .title = names[0]}));
  TRIPOS_ASSIGN(const Expression first, rewriter.expression(call.nodes[1], *call.scope));
  TRIPOS_ASSIGN(const Expression second, rewriter.expression(call.nodes[2], *call.scope));
  const bool adds = call.name.ends_with("add");
  Expression result{
      .type = adds ? SqlKind::timestamp : SqlKind::big_integer,
      .title = fmt::format("{}({}, {}, {})", adds ? "timestampadd" : "timestampdiff", upper(names[0]), first.title, second.title)};
  const std::string time = coerced(second, SqlKind::timestamp).sql;
  result.sql = adds ? fmt::format("({} + to_{}s({}))", time, unit, coerced(first, SqlKind::integer).sql)
                    : fmt::format("date_sub('{}', {}, {})", unit, coerced(first, SqlKind::timestamp).sql, time);
  return result;
}

// The first day named so after a date.
Result<Expression> build_next_day(Rewriter&, FunctionCall& call) {
  static constexpr std::string_view days[] = {"mo", "tu", "we", "th", "fr", "sa", "su"};
  const std::string name = lower(call.arguments[1].text.value_or("").substr(0, 2));
  const auto* found = std::ranges::find(days, name);
  if (found == std::end(days)) {
    return fail(ErrorCode::query, "next_day wants the name of a day: 'Monday', 'MON' or 'MO'; {} is none", call.arguments[1].title);
  }
  const std::string date = coerced(call.arguments[0], SqlKind::date).sql;
  return Expression{.sql = fmt::format("({0} + CAST(7 - (isodow({0}) + 6 - {1}) % 7 AS INTEGER))", date, found - std::begin(days)),
                    .type = SqlKind::date,
                    .title = call_title("next_day", call.arguments)};
}

Result<Expression> build_now(Rewriter&, FunctionCall& call) {
  const bool date = call.name == "current_date" || call.name == "curdate";
  return Expression{.sql = date ? "CAST(CAST(now() AS TIMESTAMP) AS DATE)" : "CAST(now() AS TIMESTAMP)",
                    .type = date ? SqlKind::date : SqlKind::timestamp,
                    .title = call.name == "curdate" ? "current_date()" : call.name + "()"};
}

template <SqlKind kind>
Result<Expression> build_literal(Rewriter&, FunctionCall& call) {
  const Expression& text = call.arguments[0];
  return Expression{.sql = coerced(text, kind).sql,
                    .type = kind,
                    .title = fmt::format("{} '{}'", kind == SqlKind::date ? "DATE" : "TIMESTAMP", text.title)};
}

constexpr FunctionRule time_rules[] = {
    {"date_literal", 1, 1, "s", "date", "", {}, build_literal<SqlKind::date>},
    {"timestamp_literal", 1, 1, "s", "timestamp", "", {}, build_literal<SqlKind::timestamp>},
    {"current_date", 0, 0, "", "date", "", {}, build_now},
    {"curdate", 0, 0, "", "date", "", {}, build_now},
    {"current_timestamp", 0, 0, "", "timestamp", "", {}, build_now},
    {"now", 0, 0, "", "timestamp", "", {}, build_now},
    {"to_timestamp", 1, 2, "*", "timestamp", "", {}, build_to_timestamp},
    {"to_date", 1, 2, "*", "date", "", {}, build_to_timestamp},
    {"unix_timestamp", 0, 2, "*", "bigint", "", {}, build_unix_timestamp},
    {"to_unix_timestamp", 1, 2, "*", "bigint", "", {}, build_unix_timestamp},
    {"from_unixtime", 1, 2, "*", "string", "", {}, build_from_unixtime},
    {"date_format", 2, 2, "ts", "string", "tripos_date_format({0}, {1})"},
    {"year", 1, 1, "D", "int", "CAST(year({0}) AS INTEGER)"},
    {"quarter", 1, 1, "D", "int", "CAST(quarter({0}) AS INTEGER)"},
    {"month", 1, 1, "D", "int", "CAST(month({0}) AS INTEGER)"},
    {"weekofyear", 1, 1, "D", "int", "CAST(weekofyear({0}) AS INTEGER)"},
    {"day", 1, 1, "D", "int", "CAST(day({0}) AS INTEGER)"},
    {"dayofmonth", 1, 1, "D", "int", "CAST(day({0}) AS INTEGER)"},
    {"dayofweek", 1, 1, "D", "int", "CAST(dayofweek({0}) + 1 AS INTEGER)"},
    {"weekday", 1, 1, "D", "int", "CAST(isodow({0}) - 1 AS INTEGER)"},
    {"dayofyear", 1, 1, "D", "int", "CAST(dayofyear({0}) AS INTEGER)"},
    {"hour", 1, 1, "t", "int", "CAST(hour({0}) AS INTEGER)"},
    {"minute", 1, 1, "t", "int", "CAST(minute({0}) AS INTEGER)"},
    {"second", 1, 1, "t", "int", "CAST(second({0}) AS INTEGER)"},
    {"date_part", 2, 2, "*", "int", "", {}, build_date_part},
    {"datepart", 2, 2, "*", "int", "", {}, build_date_part},
    {"date_add", 2, 2, "Di", "date", "({0} + {1})"},
    {"dateadd", 2, 3, "*", "date", "", {}, build_with_unit},
    {"timestampadd", 3, 3, "*", "timestamp", "", {}, build_with_unit},
    {"timestampdiff", 3, 3, "*", "bigint", "", {}, build_with_unit},
    {"next_day", 2, 2, "*", "date", "", {}, build_next_day},
    {"dayname", 1, 1, "D", "string", "strftime({0}, '%a')"},
    {"monthname", 1, 1, "D", "string", "strftime({0}, '%b')"},
    {"make_timestamp", 6, 6, "iiiiid", "timestamp", "make_timestamp({0}, {1}, {2}, {3}, {4}, {5})"},
    {"date_from_unix_date", 1, 1, "i", "date", "(DATE '1970-01-01' + {0})"},
    {"localtimestamp", 0, 0, "", "timestamp", "CAST(now() AS TIMESTAMP)"},
    {"current_timezone", 0, 0, "", "string", "'UTC'"},
    {"date_sub", 2, 2, "Di", "date", "({0} - {1})"},
    {"datediff", 2, 2, "D", "int", "CAST({0} - {1} AS INTEGER)"},
    {"date_diff", 2, 3, "*", "int", "", {}, build_with_unit},
    {"add_months", 2, 2, "Di", "date", "CAST({0} + to_months({1}) AS DATE)"},
    {"months_between", 2, 2, "t", "double", "tripos_months_between({0}, {1})", "months_between({0}, {1}, true)"},
    {"last_day", 1, 1, "D", "date", "last_day({0})"},
    {"trunc", 2, 2, "*", "date", "", {}, build_trunc},
    {"date_trunc", 2, 2, "*", "timestamp", "", {}, build_trunc},
    {"make_date", 3, 3, "i", "date", "make_date({0}, {1}, {2})"},
    {"timestamp_seconds", 1, 1, "n", "timestamp", "make_timestamp(CAST(CAST({0} AS DECIMAL(38,6)) * 1000000 AS BIGINT))"},
    {"timestamp_millis", 1, 1, "l", "timestamp", "make_timestamp({0} * 1000)"},
    {"timestamp_micros", 1, 1, "l", "timestamp", "make_timestamp({0})"},
    {"unix_seconds", 1, 1, "t", "bigint", "CAST(floor(epoch({0})) AS BIGINT)"},
    {"unix_millis", 1, 1, "t", "bigint", "epoch_ms({0})"},
    {"unix_micros", 1, 1, "t", "bigint", "epoch_us({0})"},
    {"unix_date", 1, 1, "D", "int", "CAST({0} - DATE '1970-01-01' AS INTEGER)"},
};

}  // namespace

std::span<const FunctionRule> time_functions() { return time_rules; }

}  // namespace tripos::worker
