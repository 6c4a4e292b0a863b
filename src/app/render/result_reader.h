// ResultReader: reads the streamed answer of POST /v1/sql, in slices of any size:
//
//   {"columns":[{"name":…,"type":…},…],"rows":[[…],…],"as_of":{…}}
//
// `"error":{…}` stands in place of "as_of" where the statement failed after the answer had begun.
// Keeps one row (and the head, the tail); rows go on to a sink. Threads: none.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/render/column_type.h"
#include "base/bytes.h"
#include "base/error.h"

namespace tripos::app {

class ResultReader {
 public:
  // Both may refuse, which ends the reading. A row's cells are JSON texts, valid until the sink returns.
  using ColumnsSink = std::function<Result<>(const std::vector<Column>& columns)>;
  using RowSink = std::function<Result<>(const std::vector<std::string_view>& cells)>;

  ResultReader(ColumnsSink on_columns, RowSink on_row) : on_columns_(std::move(on_columns)), on_row_(std::move(on_row)) {}

  [[nodiscard]] Result<> feed(Bytes slice);
  // The answer has ended. The statement's own failure comes out here, as ErrorCode::query.
  [[nodiscard]] Result<> finish();

  [[nodiscard]] const std::vector<Column>& columns() const noexcept { return columns_; }
  [[nodiscard]] std::uint64_t row_count() const noexcept { return row_count_; }
  [[nodiscard]] const std::string& as_of() const noexcept { return as_of_; }  // JSON text; after finish()

 private:
  enum class Part { head, rows, tail };

  [[nodiscard]] Result<> read_head();
  [[nodiscard]] Result<std::size_t> take_rows(Bytes slice);
  [[nodiscard]] Result<> give_row();

  ColumnsSink on_columns_;
  RowSink on_row_;
  Part part_ = Part::head;
  Buffer text_;  // of the head, the row or the tail that is being read
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  std::vector<Column> columns_;
  std::uint64_t row_count_ = 0;
  std::string as_of_;
};

// The error of a body {"error":{"code":…,"message":…}}, or of its "error" member.
[[nodiscard]] Error server_error(std::string_view json);

}  // namespace tripos::app
