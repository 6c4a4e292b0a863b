// Aggregates of doubles whose answers do not depend on the order of their rows: tripos_sum, tripos_avg, tripos_var_samp …, tripos_corr …
// Each keeps the sums that its formula needs as ExactSum (exact_sum.h) and rounds once, at the end. NULL arguments are no rows.
#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <type_traits>

#include "worker/functions/exact_sum.h"
#include "worker/functions/scalar.h"
#include "worker/functions/spark_functions.h"

namespace tripos::worker {
namespace {

using AggregateFunction = Owner<duckdb_aggregate_function, duckdb_destroy_aggregate_function>;

struct Total {
  static constexpr std::size_t arguments = 1;
  std::int64_t count = 0;
  ExactSum sum;

  void add(const std::array<double, 1>& row) {
    ++count;
    sum.add(row[0]);
  }
  void combine(const Total& other) {
    count += other.count;
    sum.add(other.sum);
  }
};

struct Moments {
  static constexpr std::size_t arguments = 1;
  std::int64_t count = 0;
  ExactSum sum;
  ExactSum squares;

  void add(const std::array<double, 1>& row) {
    ++count;
    sum.add(row[0]);
    squares.add_product(row[0], row[0]);
  }
  void combine(const Moments& other) {
    count += other.count;
    sum.add(other.sum);
    squares.add(other.squares);
  }
};

// Of two columns; the names follow SQL's corr(y, x), regr_slope(y, x).
struct Comoments {
  static constexpr std::size_t arguments = 2;
  Moments y;
  Moments x;
  ExactSum products;

  void add(const std::array<double, 2>& row) {
    y.add(std::array{row[0]});
    x.add(std::array{row[1]});
    products.add_product(row[0], row[1]);
  }
  void combine(const Comoments& other) {
    y.combine(other.y);
    x.combine(other.x);
    products.add(other.products);
  }
};

// Σ (a - mean a)(b - mean b) = Σab - Σa Σb / n.
double centered(const ExactSum& products, const ExactSum& a, const ExactSum& b, std::int64_t count) {
  return (products - (a * b) / static_cast<double>(count)).value();
}
// NaN stays NaN; a rounding error never makes a sum of squares negative.
double centered_squares(const Moments& moments) {
  const double sum = centered(moments.squares, moments.sum, moments.sum, moments.count);
  return sum < 0 ? 0 : sum;
}
double centered_products(const Comoments& rows) { return centered(rows.products, rows.y.sum, rows.x.sum, rows.x.count); }

// False: NULL. As Spark: nothing of no rows, nor of one where a sample is corrected for its size.
using std::sqrt;
constexpr auto total_sum = [](const Total& rows, double& result) {
  result = rows.sum.value();
  return rows.count > 0;
};
constexpr auto total_average = [](const Total& rows, double& result) {
  result = rows.sum.value() / static_cast<double>(rows.count);
  return rows.count > 0;
};
constexpr auto variance_population = [](const Moments& rows, double& result) {
  result = centered_squares(rows) / static_cast<double>(rows.count);
  return rows.count > 0;
};
constexpr auto variance_sample = [](const Moments& rows, double& result) {
  result = centered_squares(rows) / static_cast<double>(rows.count - 1);
  return rows.count > 1;
};
constexpr auto deviation_population = [](const Moments& rows, double& result) {
  const bool known = variance_population(rows, result);
  result = sqrt(result);
  return known;
};
constexpr auto deviation_sample = [](const Moments& rows, double& result) {
  const bool known = variance_sample(rows, result);
  result = sqrt(result);
  return known;
};
constexpr auto covariance_population = [](const Comoments& rows, double& result) {
  result = centered_products(rows) / static_cast<double>(rows.x.count);
  return rows.x.count > 0;
};
constexpr auto covariance_sample = [](const Comoments& rows, double& result) {
  result = centered_products(rows) / static_cast<double>(rows.x.count - 1);
  return rows.x.count > 1;
};
constexpr auto correlation = [](const Comoments& rows, double& result) {
  const double spread = sqrt(centered_squares(rows.y)) * sqrt(centered_squares(rows.x));
  result = std::clamp(centered_products(rows) / spread, -1.0, 1.0);
  return rows.x.count > 1 && spread != 0;
};
constexpr auto slope = [](const Comoments& rows, double& result) {
  const double spread = centered_squares(rows.x);
  result = centered_products(rows) / spread;
  return rows.x.count > 1 && spread != 0;
};
constexpr auto intercept = [](const Comoments& rows, double& result) {
  const auto count = static_cast<double>(rows.x.count);
  const bool known = slope(rows, result);
  result = rows.y.sum.value() / count - result * (rows.x.sum.value() / count);
  return known;
};
constexpr auto determination = [](const Comoments& rows, double& result) {
  const double spread_x = centered_squares(rows.x);
  const double spread_y = centered_squares(rows.y);
  const double products = centered_products(rows);
  result = spread_y == 0 ? 1 : std::min(products * products / (spread_x * spread_y), 1.0);
  return rows.x.count > 1 && spread_x != 0;
};

template <typename State>
State& state_of(duckdb_aggregate_state state) {
  return *reinterpret_cast<State*>(state);
}

template <typename State>
void update(duckdb_function_info, duckdb_data_chunk input, duckdb_aggregate_state* states) {
  std::array<const double*, State::arguments> columns;
  std::array<uint64_t*, State::arguments> validities;
  for (std::size_t i = 0; i < State::arguments; ++i) {
    const duckdb_vector vector = duckdb_data_chunk_get_vector(input, i);
    columns[i] = static_cast<const double*>(duckdb_vector_get_data(vector));
    validities[i] = duckdb_vector_get_validity(vector);
  }
  const idx_t count = duckdb_data_chunk_get_size(input);
  for (idx_t row = 0; row < count; ++row) {
    std::array<double, State::arguments> values;
    bool present = true;
    for (std::size_t i = 0; i < State::arguments; ++i) {
      present = present && (validities[i] == nullptr || duckdb_validity_row_is_valid(validities[i], row));
      values[i] = columns[i][row];
    }
    if (present) {
      state_of<State>(states[row]).add(values);
    }
  }
}

template <typename State>
void combine(duckdb_function_info, duckdb_aggregate_state* sources, duckdb_aggregate_state* targets, idx_t count) {
  for (idx_t i = 0; i < count; ++i) {
    state_of<State>(targets[i]).combine(state_of<State>(sources[i]));
  }
}

template <typename State, auto result_of>
void finalize(duckdb_function_info, duckdb_aggregate_state* states, duckdb_vector output, idx_t count, idx_t offset) {
  auto* results = static_cast<double*>(duckdb_vector_get_data(output));
  for (idx_t i = 0; i < count; ++i) {
    if (!result_of(state_of<State>(states[i]), results[offset + i])) {
      duckdb_vector_ensure_validity_writable(output);
      duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), offset + i);
    }
  }
}

template <typename State, auto result_of>
Result<> register_aggregate(const Connection& connection, const char* name) {
  // DuckDB keeps states as plain bytes: it moves them, and ends them without a word.
  static_assert(std::is_trivially_copyable_v<State> && std::is_trivially_destructible_v<State>);
  const AggregateFunction function(duckdb_create_aggregate_function());
  duckdb_aggregate_function_set_name(function.get(), name);
  const LogicalType number(duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE));
  for (std::size_t i = 0; i < State::arguments; ++i) {
    duckdb_aggregate_function_add_parameter(function.get(), number.get());
  }
  duckdb_aggregate_function_set_return_type(function.get(), number.get());
  duckdb_aggregate_function_set_functions(
      function.get(), [](duckdb_function_info) -> idx_t { return sizeof(State); },
      [](duckdb_function_info, duckdb_aggregate_state state) { new (state) State(); }, update<State>, combine<State>,
      finalize<State, result_of>);
  if (duckdb_register_aggregate_function(connection.get(), function.get()) != DuckDBSuccess) {
    return fail(ErrorCode::query, "DuckDB refuses the function {}", name);
  }
  return {};
}

}  // namespace

Result<> register_aggregate_functions(const Connection& connection) {
  TRIPOS_TRY((register_aggregate<Total, total_sum>(connection, "tripos_sum")));
  TRIPOS_TRY((register_aggregate<Total, total_average>(connection, "tripos_avg")));
  TRIPOS_TRY((register_aggregate<Moments, variance_population>(connection, "tripos_var_pop")));
  TRIPOS_TRY((register_aggregate<Moments, variance_sample>(connection, "tripos_var_samp")));
  TRIPOS_TRY((register_aggregate<Moments, deviation_population>(connection, "tripos_stddev_pop")));
  TRIPOS_TRY((register_aggregate<Moments, deviation_sample>(connection, "tripos_stddev_samp")));
  TRIPOS_TRY((register_aggregate<Comoments, covariance_population>(connection, "tripos_covar_pop")));
  TRIPOS_TRY((register_aggregate<Comoments, covariance_sample>(connection, "tripos_covar_samp")));
  TRIPOS_TRY((register_aggregate<Comoments, correlation>(connection, "tripos_corr")));
  TRIPOS_TRY((register_aggregate<Comoments, slope>(connection, "tripos_regr_slope")));
  TRIPOS_TRY((register_aggregate<Comoments, intercept>(connection, "tripos_regr_intercept")));
  TRIPOS_TRY((register_aggregate<Comoments, determination>(connection, "tripos_regr_r2")));
  return {};
}

}  // namespace tripos::worker
