#include "worker/functions/scalar.h"

namespace tripos::worker {

ScalarFunction scalar_function(const char* name, std::initializer_list<duckdb_type> arguments, duckdb_type result,
                               duckdb_scalar_function_t function) {
  ScalarFunction made(duckdb_create_scalar_function());
  duckdb_scalar_function_set_name(made.get(), name);
  for (const duckdb_type argument : arguments) {
    const LogicalType type(duckdb_create_logical_type(argument));
    duckdb_scalar_function_add_parameter(made.get(), type.get());
  }
  const LogicalType type(duckdb_create_logical_type(result));
  duckdb_scalar_function_set_return_type(made.get(), type.get());
  duckdb_scalar_function_set_function(made.get(), function);
  return made;
}

Result<> register_scalar(const Connection& connection, const char* name, std::initializer_list<duckdb_type> arguments, duckdb_type result,
                         duckdb_scalar_function_t function) {
  const ScalarFunction made = scalar_function(name, arguments, result, function);
  if (duckdb_register_scalar_function(connection.get(), made.get()) != DuckDBSuccess) {
    return fail(ErrorCode::query, "DuckDB refuses the function {}", name);
  }
  return {};
}

}  // namespace tripos::worker
