// The SQL of a pinned table: its Parquet files ∪ the live log, with one type for each column, cut down to the leaves that a statement
// reads.
//
//   (SELECT casts FROM read_parquet([files of one schema]) UNION ALL … UNION ALL SELECT … FROM tripos_scan(n))
//
// Files are read in runs of the same schema, in offset order; every column is cast to the table's type: missing fields are NULL, structures
// are put together field by field, and what a string column once held as a number or structure shows as canonical JSON. Where that
// text would show strings which may have been something else (a string inside of a structure or an array), the file's column
// __tripos_lost has the rows in which they were (ADR 0012).
// Structures hold only the fields that are read, on both sides, since DuckDB pushes no structure's path through UNION ALL.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "worker/dialect/scope.h"
#include "worker/lost_values.h"
#include "worker/scan/log_scan.h"

namespace tripos::worker {

using ColumnUsage = std::map<std::string, Usage, std::less<>>;

class PinnedTableView {
 public:
  // Opens the files and maps the log. `thread_count`: how many threads may scan.
  [[nodiscard]] static Result<PinnedTableView> open(protocol::PinnedTable table, std::span<const protocol::Descriptor> descriptors,
                                                    std::size_t thread_count);

  [[nodiscard]] const std::vector<SqlField>& columns() const noexcept { return columns_; }
  // Of rows: where their record is. A statement that names them finds them; * does not mean them.
  [[nodiscard]] const std::vector<SqlField>& hidden_columns() const noexcept { return hidden_columns_; }

  // The table for a statement that reads no more than `usage`; the live log's scan is added to `scans`.
  [[nodiscard]] Result<std::string> sql(const ColumnUsage& usage, Scans& scans, LostValues& lost_values);

 private:
  protocol::PinnedTable table_;
  json::Type type_;  // of rows, settled
  std::vector<SqlField> columns_;
  std::vector<SqlField> hidden_columns_;
  std::vector<protocol::Descriptor> files_;  // in the order of table_.files
  std::shared_ptr<Scan> scan_;
};

// What is written to files: fields that hold nothing but nulls are left out. An object without fields and an array without elements
// are more than null (their fields and elements may come later): they stay, as struct<> (a boolean in the file) and array<void>.
[[nodiscard]] json::Type without_nulls(const json::Type& type);

// tripos_shown(value, type): what a string column shows of a typed value.
[[nodiscard]] Result<> register_shown_function(const Connection& connection);

}  // namespace tripos::worker
