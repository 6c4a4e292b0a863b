#include <fmt/format.h>

#include "worker/dialect/expression.h"

namespace tripos::worker {
namespace {

std::string to_string_sql(const Expression& from) {
  switch (from.type.kind()) {
    case SqlKind::string: return from.sql;
    case SqlKind::boolean:
    case SqlKind::tiny_integer:
    case SqlKind::small_integer:
    case SqlKind::integer:
    case SqlKind::big_integer:
    case SqlKind::decimal:
    case SqlKind::date:
    case SqlKind::timestamp:
    case SqlKind::void_type: return fmt::format("CAST({} AS VARCHAR)", from.sql);
    default: return fmt::format("tripos_string({})", from.sql);
  }
}

// The low bits of a wider integer, as Java's (byte), (short), (int).
std::string low_bits(const std::string& integer, const SqlType& to) {
  const auto with_sign_bit = [&](std::int64_t sign) {
    return fmt::format("CAST((({0}) & {1}) - (({0}) & {2}) AS {3})", integer, sign - 1, sign, to.duckdb());
  };
  switch (to.kind()) {
    case SqlKind::tiny_integer: return with_sign_bit(1 << 7);
    case SqlKind::small_integer: return with_sign_bit(1 << 15);
    case SqlKind::integer: return with_sign_bit(std::int64_t{1} << 31);
    default: return integer;
  }
}

// What does not fit wraps, as Spark's casts outside of ANSI mode do; a fraction stops at the ends of int or bigint before.
std::string to_integral_sql(const Expression& from, const SqlType& to) {
  const std::string type = to.duckdb();
  switch (from.type.kind()) {
    case SqlKind::string: return fmt::format("TRY_CAST(tripos_to_long({}) AS {})", from.sql, type);
    case SqlKind::real:
    case SqlKind::double_float:
      if (to.is(SqlKind::big_integer)) {
        return fmt::format(
            "coalesce(TRY_CAST(trunc({0}) AS BIGINT), CASE WHEN isnan({0}) THEN 0 WHEN {0} > 0 THEN 9223372036854775807 WHEN {0} < 0 THEN "
            "-9223372036854775808 END)",
            from.sql);
      }
      return low_bits(
          fmt::format("CASE WHEN isnan({0}) THEN 0 ELSE CAST(least(greatest(trunc({0}), -2147483648), 2147483647) AS INTEGER) END",
                      from.sql),
          to.is(SqlKind::integer) ? SqlType(SqlKind::big_integer) : to);
    case SqlKind::decimal: return low_bits(fmt::format("TRY_CAST(trunc({}) AS BIGINT)", from.sql), to);
    case SqlKind::timestamp: return low_bits(fmt::format("TRY_CAST(floor(epoch({})) AS BIGINT)", from.sql), to);
    default:
      return from.type.is_integral() && from.type.kind() > to.kind() ? low_bits(from.sql, to)
                                                                     : fmt::format("TRY_CAST({} AS {})", from.sql, type);
  }
}

std::string to_timestamp_sql(const Expression& from) {
  if (from.type.is(SqlKind::string)) {
    return fmt::format("tripos_to_timestamp({})", from.sql);
  }
  if (from.type.is_integral()) {
    return fmt::format("make_timestamp(CAST({} AS BIGINT) * 1000000)", from.sql);
  }
  if (from.type.is_numeric()) {
    return fmt::format("make_timestamp(CAST(CAST({} AS DECIMAL(38,6)) * 1000000 AS BIGINT))", from.sql);
  }
  return fmt::format("TRY_CAST({} AS TIMESTAMP)", from.sql);
}

}  // namespace

std::string cast_sql(const Expression& from, const SqlType& type) {
  if (from.type == type) {
    return from.sql;
  }
  switch (type.kind()) {
    case SqlKind::string: return to_string_sql(from);
    case SqlKind::tiny_integer:
    case SqlKind::small_integer:
    case SqlKind::integer:
    case SqlKind::big_integer: return to_integral_sql(from, type);
    case SqlKind::real:
    case SqlKind::double_float:
      return from.type.is(SqlKind::timestamp) ? fmt::format("epoch({})", from.sql)
             : from.type.is(SqlKind::string)  ? fmt::format("tripos_to_double({})", from.sql)
                                              : fmt::format("TRY_CAST({} AS {})", from.sql, type.duckdb());
    case SqlKind::boolean:
      return from.type.is(SqlKind::string) ? fmt::format("tripos_to_boolean({})", from.sql)
             : from.type.is_numeric()      ? fmt::format("({} <> 0)", from.sql)
                                           : fmt::format("TRY_CAST({} AS BOOLEAN)", from.sql);
    case SqlKind::timestamp: return to_timestamp_sql(from);
    case SqlKind::date:
      return from.type.is(SqlKind::string) ? fmt::format("CAST(tripos_to_timestamp({}) AS DATE)", from.sql)
                                           : fmt::format("TRY_CAST({} AS DATE)", from.sql);
    case SqlKind::binary:
      return from.type.is(SqlKind::string) ? fmt::format("encode({})", from.sql) : fmt::format("TRY_CAST({} AS BLOB)", from.sql);
    case SqlKind::decimal:
      return from.type.is(SqlKind::string) ? fmt::format("TRY_CAST(trim({}) AS {})", from.sql, type.duckdb())
                                           : fmt::format("TRY_CAST({} AS {})", from.sql, type.duckdb());
    case SqlKind::unknown:
    case SqlKind::void_type: return from.sql;
    default: return fmt::format("TRY_CAST({} AS {})", from.sql, type.duckdb());
  }
}

Expression coerced(Expression expression, const SqlType& type) {
  if (expression.type == type || !type.is_known()) {
    return expression;
  }
  expression.sql = cast_sql(expression, type);
  expression.type = type;
  expression.text.reset();
  return expression;
}

}  // namespace tripos::worker
