// Casts, rounding, decimals.
#include <boost/multiprecision/cpp_int.hpp>
#include <charconv>
#include <cmath>
#include <limits>

#include "worker/functions/scalar.h"
#include "worker/functions/spark_functions.h"
#include "worker/functions/vector_text.h"

namespace tripos::worker {
namespace {

__extension__ using Wide = __int128;

Bytes trimmed(Bytes text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// Whole numbers; a fraction is cut off.
bool to_long(Rows& rows, idx_t row) {
  Bytes text = trimmed(rows.text(0, row));
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) {
      return false;
    }
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const Bytes rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error == std::errc::result_out_of_range) {
    return false;
  }
  const bool only_fraction = error != std::errc() && (text.starts_with('.') || text.starts_with("-."));
  if (error != std::errc() && !only_fraction) {
    return false;
  }
  const Bytes fraction = only_fraction ? text.substr(text.find('.')) : rest;
  if (!fraction.empty() && (fraction.front() != '.' || (only_fraction && fraction.size() == 1) ||
                            fraction.substr(1).find_first_not_of("0123456789") != Bytes::npos)) {
    return false;
  }
  rows.set(row, value);
  return true;
}

bool to_double(Rows& rows, idx_t row) {
  Bytes text = trimmed(rows.text(0, row));
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  Bytes rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error == std::errc::result_out_of_range) {
    value = std::strtod(std::string(text).c_str(), nullptr);
  } else if (error != std::errc()) {
    return false;
  }
  if (rest.size() == 1 && std::string_view("dDfF").find(rest.front()) != std::string_view::npos) {  // as Java reads numbers
    rest = {};
  }
  rows.set(row, value);
  return rest.empty();
}

bool to_boolean(Rows& rows, idx_t row) {
  const std::string text = lower(trimmed(rows.text(0, row)));
  const bool yes = text == "t" || text == "true" || text == "y" || text == "yes" || text == "1";
  rows.set(row, yes);
  return yes || text == "f" || text == "false" || text == "n" || text == "no" || text == "0";
}

// Rounds the shortest decimal that reads back as the double, as Spark (Java's BigDecimal of its text) does: 0.285 to 2 places is
// 0.29, though the double lies below.
double round_decimal(double value, int digits, bool half_even) {
  if (!std::isfinite(value) || value == 0) {
    return value;
  }
  std::array<char, 48> buffer{};
  const auto end = std::to_chars(buffer.begin(), buffer.end(), std::fabs(value), std::chars_format::scientific).ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.begin()));
  const std::size_t e = text.find('e');
  std::string mantissa(1, text[0]);
  if (e > 2) {
    mantissa += text.substr(2, e - 2);
  }
  int exponent = 0;
  const std::string_view exponent_text = text.substr(text[e + 1] == '+' ? e + 2 : e + 1);
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  // value = 0.mantissa × 10^(exponent + 1); digits of the mantissa that stay:
  const long long kept = static_cast<long long>(exponent) + 1 + digits;
  if (kept >= static_cast<long long>(mantissa.size())) {
    return value;
  }
  if (kept < 0) {
    return std::copysign(0.0, value);
  }
  const auto count = static_cast<std::size_t>(kept);
  const bool is_tie = mantissa[count] == '5' && mantissa.find_first_not_of('0', count + 1) == std::string::npos;
  const bool odd = count > 0 && (mantissa[count - 1] - '0') % 2 == 1;
  const bool up = is_tie && half_even ? odd : mantissa[count] >= '5';
  std::string result = "0" + mantissa.substr(0, count);
  if (up) {
    std::size_t at = result.size() - 1;
    while (result[at] == '9') {
      result[at--] = '0';
    }
    ++result[at];
  }
  const std::string number = fmt::format("{}{}e{}", value < 0 ? "-" : "", result, -digits);
  return std::strtod(number.c_str(), nullptr);
}

template <bool half_even>
bool round_row(Rows& rows, idx_t row) {
  rows.set(row, round_decimal(rows.get<double>(0, row), rows.get<std::int32_t>(1, row), half_even));
  return true;
}

void to_text(duckdb_data_chunk input, duckdb_vector output, TextStyle style) {
  const duckdb_vector vector = duckdb_data_chunk_get_vector(input, 0);
  const LogicalType type(duckdb_vector_get_column_type(vector));
  VectorText values(type.get(), style);
  values.bind(vector);
  Rows rows(input, output);
  Buffer text;
  for (idx_t row = 0; row < rows.count(); ++row) {
    if (values.is_null(row)) {
      rows.set_null(row);
      continue;
    }
    text.clear();
    values.append(row, text);
    rows.set_text(row, text);
  }
}

void to_string(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) { to_text(input, output, TextStyle::spark_cast); }
void to_json(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) { to_text(input, output, TextStyle::spark_json); }

void divide(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  using boost::multiprecision::int256_t;
  const auto* division = static_cast<const DecimalDivision*>(duckdb_scalar_function_get_extra_info(info));
  const int shift = division->scale + division->divisor_scale - division->dividend_scale;
  const int256_t factor = boost::multiprecision::pow(int256_t(10), static_cast<unsigned>(std::abs(shift)));
  const int256_t limit = boost::multiprecision::pow(int256_t(10), 38);
  Rows rows(input, output);
  for (idx_t row = 0; row < rows.count(); ++row) {
    if (rows.is_null(row) || rows.get<Wide>(1, row) == 0) {
      rows.set_null(row);
      continue;
    }
    int256_t dividend(rows.get<Wide>(0, row));
    int256_t divisor(rows.get<Wide>(1, row));
    (shift >= 0 ? dividend : divisor) *= factor;
    const bool negative = (dividend < 0) != (divisor < 0);
    dividend = abs(dividend);
    divisor = abs(divisor);
    int256_t quotient = dividend / divisor;
    if ((dividend % divisor) * 2 >= divisor) {
      ++quotient;
    }
    if (quotient >= limit) {
      rows.set_null(row);
      continue;
    }
    const auto exact = static_cast<Wide>(quotient);
    rows.set(row, negative ? -exact : exact);
  }
}

}  // namespace

Result<> register_value_functions(const Connection& connection) {
  TRIPOS_TRY(register_scalar(connection, "tripos_to_long", {DUCKDB_TYPE_VARCHAR}, DUCKDB_TYPE_BIGINT, by_row<to_long>));
  TRIPOS_TRY(register_scalar(connection, "tripos_to_double", {DUCKDB_TYPE_VARCHAR}, DUCKDB_TYPE_DOUBLE, by_row<to_double>));
  TRIPOS_TRY(register_scalar(connection, "tripos_to_boolean", {DUCKDB_TYPE_VARCHAR}, DUCKDB_TYPE_BOOLEAN, by_row<to_boolean>));
  TRIPOS_TRY(
      register_scalar(connection, "tripos_round", {DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_INTEGER}, DUCKDB_TYPE_DOUBLE, by_row<round_row<false>>));
  TRIPOS_TRY(
      register_scalar(connection, "tripos_bround", {DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_INTEGER}, DUCKDB_TYPE_DOUBLE, by_row<round_row<true>>));
  TRIPOS_TRY(register_scalar(connection, "tripos_string", {DUCKDB_TYPE_ANY}, DUCKDB_TYPE_VARCHAR, to_string));
  TRIPOS_TRY(register_scalar(connection, "tripos_to_json", {DUCKDB_TYPE_ANY}, DUCKDB_TYPE_VARCHAR, to_json));
  return {};
}

Result<> register_decimal_division(const Connection& connection, const DecimalDivision& division) {
  ScalarFunction function(duckdb_create_scalar_function());
  duckdb_scalar_function_set_name(function.get(), division.function().c_str());
  const auto decimal = [](int scale) { return LogicalType(duckdb_create_decimal_type(38, static_cast<uint8_t>(scale))); };
  const LogicalType dividend = decimal(division.dividend_scale);
  const LogicalType divisor = decimal(division.divisor_scale);
  const LogicalType quotient = decimal(division.scale);
  duckdb_scalar_function_add_parameter(function.get(), dividend.get());
  duckdb_scalar_function_add_parameter(function.get(), divisor.get());
  duckdb_scalar_function_set_return_type(function.get(), quotient.get());
  duckdb_scalar_function_set_extra_info(function.get(), new DecimalDivision(division),
                                        [](void* owned) { delete static_cast<DecimalDivision*>(owned); });
  duckdb_scalar_function_set_function(function.get(), divide);
  if (duckdb_register_scalar_function(connection.get(), function.get()) != DuckDBSuccess) {
    return fail(ErrorCode::query, "DuckDB refuses the function {}", division.function());
  }
  return {};
}

Result<> register_spark_functions(const Connection& connection) {
  TRIPOS_TRY(register_value_functions(connection));
  TRIPOS_TRY(register_text_functions(connection));
  TRIPOS_TRY(register_time_functions(connection));
  TRIPOS_TRY(register_json_functions(connection));
  TRIPOS_TRY(register_aggregate_functions(connection));
  return {};
}

}  // namespace tripos::worker
