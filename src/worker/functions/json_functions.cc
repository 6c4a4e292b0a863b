// tripos_json_kinds(value): of a JSON object, its paths and the kinds of values at them (json/kinds.h), as a list of texts; NULL of
// anything else.
#include <string_view>

#include "json/kinds.h"
#include "worker/functions/scalar.h"
#include "worker/functions/spark_functions.h"

namespace tripos::worker {
namespace {

void json_kinds(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  Rows rows(input, output);
  json::FieldKinds kinds;
  const duckdb_vector texts = duckdb_list_vector_get_child(output);
  idx_t used = 0;
  idx_t room = 0;
  bool good = true;
  const auto add = [&](std::string_view text) {
    if (used == room) {
      room = room == 0 ? 1024 : 2 * room;
      good = good && duckdb_list_vector_reserve(output, room) == DuckDBSuccess;
    }
    if (good) duckdb_vector_assign_string_element_len(texts, used++, text.data(), text.size());
  };
  for (idx_t row = 0; row < rows.count() && good; ++row) {
    const idx_t begin = used;
    const bool is_row = !rows.is_null(row) && kinds.read(rows.text(0, row), add).is_row();
    rows.set(row, duckdb_list_entry{.offset = begin, .length = used - begin});
    if (!is_row) rows.set_null(row);
  }
  if (!good || duckdb_list_vector_set_size(output, used) != DuckDBSuccess) {
    duckdb_scalar_function_set_error(info, "json_kinds: no memory for the kinds of a chunk of values");
  }
}

}  // namespace

Result<> register_json_functions(const Connection& connection) {
  const ScalarFunction made(duckdb_create_scalar_function());
  duckdb_scalar_function_set_name(made.get(), "tripos_json_kinds");
  const LogicalType value(duckdb_create_logical_type(DUCKDB_TYPE_BLOB));
  duckdb_scalar_function_add_parameter(made.get(), value.get());
  const LogicalType text(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  const LogicalType texts(duckdb_create_list_type(text.get()));
  duckdb_scalar_function_set_return_type(made.get(), texts.get());
  duckdb_scalar_function_set_function(made.get(), &json_kinds);
  if (duckdb_register_scalar_function(connection.get(), made.get()) != DuckDBSuccess) {
    return fail(ErrorCode::query, "DuckDB refuses the function tripos_json_kinds");
  }
  return {};
}

}  // namespace tripos::worker
