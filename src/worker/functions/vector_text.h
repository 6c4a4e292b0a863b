// VectorText: the values of a DuckDB vector as text: cells of an answer (JSON), Spark's CAST to string, Spark's to_json.
//
// JSON cells: numbers, strings, true, false, null; binary as base64; timestamps as "2018-01-28T12:10:51.123000Z"; dates as
// "2018-01-28"; decimals as strings; structures as objects in the order of their fields; arrays; maps as objects; NaN and infinities
// as strings.
// Ownership: a view of the vector. Threads: one at a time.
#pragma once

#include <duckdb.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "worker/dialect/sql_type.h"

namespace tripos::worker {

enum class TextStyle { json_cell, spark_cast, spark_json };

class VectorText {
 public:
  // `type`: the vector's.
  VectorText(duckdb_logical_type type, TextStyle style);

  // The vector whose values are asked for from now on; of the same type.
  void bind(duckdb_vector vector);

  [[nodiscard]] bool is_null(idx_t row) const { return validity_ != nullptr && !duckdb_validity_row_is_valid(validity_, row); }
  // NULL is null in JSON, "null" inside of a CAST's value.
  void append(idx_t row, Buffer& to) const;

  // As Spark names it.
  [[nodiscard]] const SqlType& type() const noexcept { return type_; }

 private:
  void append_json(idx_t row, Buffer& to) const;
  void append_cast(idx_t row, Buffer& to) const;
  void append_number(idx_t row, Buffer& to) const;
  // The entries of a list or map between brackets; `each` writes one, given its row in the children.
  template <typename Each>
  void append_entries(idx_t row, std::string_view brackets, std::string_view separator, Buffer& to, Each each) const {
    const auto entries = value<duckdb_list_entry>(row);
    to += brackets.front();
    for (idx_t i = 0; i < entries.length; ++i) {
      if (i > 0) {
        to += separator;
      }
      each(entries.offset + i);
    }
    to += brackets.back();
  }
  [[nodiscard]] Bytes bytes(idx_t row) const;
  template <typename T>
  [[nodiscard]] T value(idx_t row) const {
    return static_cast<const T*>(data_)[row];
  }

  duckdb_type id_;
  TextStyle style_;
  SqlType type_;
  duckdb_type decimal_storage_ = DUCKDB_TYPE_INVALID;
  std::vector<std::string> names_;  // of a structure's fields
  std::vector<VectorText> children_;
  std::vector<std::string> enumerators_;
  const void* data_ = nullptr;
  uint64_t* validity_ = nullptr;
};

// Spark's name for a DuckDB type; unknown for one that Spark lacks.
[[nodiscard]] SqlType sql_type_of(duckdb_logical_type type);

void append_json_string(Bytes text, Buffer& to);
// UTF-8, what isn't being replaced by U+FFFD.
void append_utf8_lossy(Bytes bytes, Buffer& to);

}  // namespace tripos::worker
