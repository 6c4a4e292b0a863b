#include "worker/lost_values.h"

#include "json/shred.h"
#include "worker/functions/scalar.h"
#include "worker/scan/log_scan.h"
#include "worker/scan/vector_host.h"

namespace tripos::worker {
namespace {

// The shredder's strings point into its input, which ends with the call: each gets a place in the vector.
void own_strings(const json::Column& column, std::uint64_t begin, std::uint64_t end) {
  if (column.kind == json::TypeKind::array) {
    own_strings(column.children.front(), 0, column.size);
    return;
  }
  for (const json::Column& child : column.children) {
    own_strings(child, begin, end);
  }
  if (column.kind != json::TypeKind::string && column.kind != json::TypeKind::null_so_far) {
    return;
  }
  for (std::uint64_t row = begin; row < end; ++row) {
    const std::string_view text = column.is_valid(row) ? column.cell<json::StringCell>(row).view() : std::string_view();
    if (text.size() > json::StringCell::inlined_max) {
      duckdb_vector_assign_string_element_len(static_cast<duckdb_vector>(column.handle), row, text.data(), text.size());
    }
  }
}

void lost_value(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto& type = *static_cast<const json::Type*>(duckdb_scalar_function_get_extra_info(info));
  Rows rows(input, output);
  VectorHost host;
  json::Shredder shredder(type, host);
  shredder.start_chunk();
  json::Column& column = shredder.root().children.front();
  VectorHost::bind(column, output);
  for (idx_t row = 0; row < rows.count(); ++row) {
    if (!shredder.shred(rows.is_null(row) ? Bytes("{}") : rows.text(0, row), row).is_row()) {
      duckdb_scalar_function_set_error(info, "a file's column __tripos_lost is damaged");
      return;
    }
  }
  VectorHost::finish(column);
  own_strings(column, 0, rows.count());
}

}  // namespace

Result<std::string> LostValues::function(const json::Field& field, const SqlType& sql) {
  const auto [entry, added] = names_.try_emplace({field.name, field.type.text(), sql.duckdb()});
  if (!added) {
    return entry->second;
  }
  const std::string name = fmt::format("tripos_lost_{}", names_.size());
  ScalarFunction function = scalar_function(name.c_str(), {DUCKDB_TYPE_VARCHAR}, DUCKDB_TYPE_VARCHAR, lost_value);
  const LogicalType type = logical_type_of(sql);
  duckdb_scalar_function_set_return_type(function.get(), type.get());
  duckdb_scalar_function_set_special_handling(function.get());  // NULL in: it fills the row itself
  duckdb_scalar_function_set_extra_info(function.get(), new json::Type(json::Type::structure({field})),
                                        [](void* owned) { delete static_cast<json::Type*>(owned); });
  if (duckdb_register_scalar_function(connection_.get(), function.get()) != DuckDBSuccess) {
    names_.erase(entry);
    return fail(ErrorCode::query, "DuckDB refuses the function {}", name);
  }
  entry->second = name;
  return name;
}

}  // namespace tripos::worker
