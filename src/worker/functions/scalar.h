// Helpers to write scalar functions for DuckDB's C API: arguments by row, NULL in any argument gives NULL.
#pragma once

#include <duckdb.h>

#include <array>
#include <initializer_list>
#include <vector>

#include "base/bytes.h"
#include "worker/connection.h"

namespace tripos::worker {

// The arguments of a chunk, and its answers.
class Rows {
 public:
  Rows(duckdb_data_chunk input, duckdb_vector output) : output_(output), count_(duckdb_data_chunk_get_size(input)) {
    for (idx_t i = 0; i < duckdb_data_chunk_get_column_count(input); ++i) {
      const duckdb_vector vector = duckdb_data_chunk_get_vector(input, i);
      data_.push_back(duckdb_vector_get_data(vector));
      validity_.push_back(duckdb_vector_get_validity(vector));
    }
    result_ = duckdb_vector_get_data(output);
  }

  [[nodiscard]] idx_t count() const noexcept { return count_; }
  [[nodiscard]] bool is_null(idx_t row) const {
    for (uint64_t* validity : validity_) {
      if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) {
        return true;
      }
    }
    return false;
  }
  template <typename T>
  [[nodiscard]] T get(std::size_t argument, idx_t row) const {
    return static_cast<const T*>(data_[argument])[row];
  }
  [[nodiscard]] Bytes text(std::size_t argument, idx_t row) const {
    auto* cell = static_cast<duckdb_string_t*>(data_[argument]) + row;
    return {duckdb_string_t_data(cell), duckdb_string_t_length(*cell)};
  }
  template <typename T>
  void set(idx_t row, T value) {
    static_cast<T*>(result_)[row] = value;
  }
  void set_text(idx_t row, Bytes text) { duckdb_vector_assign_string_element_len(output_, row, text.data(), text.size()); }
  void set_null(idx_t row) {
    duckdb_vector_ensure_validity_writable(output_);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output_), row);
  }

 private:
  duckdb_vector output_;
  idx_t count_;
  std::vector<void*> data_;
  std::vector<uint64_t*> validity_;
  void* result_;
};

// `each(rows, row)` answers for a row without NULLs; false: NULL.
template <auto each>
void by_row(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
  Rows rows(input, output);
  for (idx_t row = 0; row < rows.count(); ++row) {
    if (rows.is_null(row) || !each(rows, row)) {
      rows.set_null(row);
    }
  }
}

using ScalarFunction = Owner<duckdb_scalar_function, duckdb_destroy_scalar_function>;

[[nodiscard]] ScalarFunction scalar_function(const char* name, std::initializer_list<duckdb_type> arguments, duckdb_type result,
                                             duckdb_scalar_function_t function);
[[nodiscard]] Result<> register_scalar(const Connection& connection, const char* name, std::initializer_list<duckdb_type> arguments,
                                       duckdb_type result, duckdb_scalar_function_t function);

}  // namespace tripos::worker
