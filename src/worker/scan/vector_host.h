// VectorHost: DuckDB's vectors as the columns of json::Shredder.
#pragma once

#include <duckdb.h>

#include "json/column.h"

namespace tripos::worker {

class VectorHost : public json::ColumnHost {
 public:
  // Puts a column, with all below it, on a fresh vector of the same type.
  static void bind(json::Column& column, duckdb_vector vector);
  // Tells DuckDB how many elements the lists in it hold, once the chunk is filled.
  static void finish(const json::Column& column);

  [[nodiscard]] bool grow(json::Column& list, std::uint64_t capacity) override;
  void make_validity(json::Column& column) override;
};

[[nodiscard]] json::StringCell string_cell(std::string_view text) noexcept;

}  // namespace tripos::worker
