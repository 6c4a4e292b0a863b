// Functions that DuckDB lacks, or has with another meaning, registered with a connection's database: tripos_round, tripos_string,
// tripos_date_format … They are named by the statements that the rewriter makes, never by users.
#pragma once

#include "worker/connection.h"
#include "worker/dialect/rewriter.h"

namespace tripos::worker {

// Once per database.
[[nodiscard]] Result<> register_spark_functions(const Connection& connection);
// Exact division of decimals, rounded half up; NULL by zero. Once per database and pair of scales.
[[nodiscard]] Result<> register_decimal_division(const Connection& connection, const DecimalDivision& division);

// Parts, each in its file.
[[nodiscard]] Result<> register_value_functions(const Connection& connection);
[[nodiscard]] Result<> register_text_functions(const Connection& connection);
[[nodiscard]] Result<> register_time_functions(const Connection& connection);
[[nodiscard]] Result<> register_json_functions(const Connection& connection);
[[nodiscard]] Result<> register_aggregate_functions(const Connection& connection);

}  // namespace tripos::worker
