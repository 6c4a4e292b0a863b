// Quality: what is odd in a table, as counts (docs/guide/quality.md). One statement asks everything, so that all its counts reflect one
// pin.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exam/table_shape.h"

namespace tripos::exam {

struct QualityOptions {
  std::string identity;                      // the field that identifies an attempt; empty: as AttemptSql chooses
  std::string person;                        // the field that names the person; empty: user_id or person_id, if there
  std::uint64_t attempts_a_day_max = 20;     // more of one person are odd
  std::uint64_t seconds_max = 24 * 60 * 60;  // an attempt that takes longer is odd
};

// One line: a count, and how to see what was counted.
struct QualityCheck {
  std::string name = {};
  std::string meaning = {};
  std::string column = {};         // of the statement's only row; empty: the table lacks `lacking`
  std::string rows_sql = {};       // the statement that shows the rows; empty where there is nothing to see
  std::string lacking = {};        // the field that the check needs and the table does not have
  std::string places_column = {};  // where the first of them are: an array of {partition, offset}; empty: not told
  bool is_fault = true;            // a count above 0 is something to look at; else it tells the size
};

// A leaf of the table's type: how many values it has, how many are null or missing.
struct QualityField {
  std::string path = {};
  std::string type = {};
  std::string values_column = {};  // not null
  std::string total_column = {};   // rows, or elements of the array that it lies in
  std::string rows_sql = {};       // where it is null
};

struct QualityPlan {
  std::string sql;
  std::string identity;
  std::string kinds_column = {};  // what kinds of values fields have: an array of {path, kind, messages}; empty: not told
  std::vector<QualityCheck> checks;
  std::vector<QualityField> fields;
  std::size_t fields_left_out = 0;  // too many fields: the last ones are not counted
};

// The statement that shows the messages in which `path` has a value of this kind.
[[nodiscard]] std::string kind_rows_sql(const TableShape& shape, std::string_view kind, std::string_view path);

// not_found: an option names a field that the table lacks.
[[nodiscard]] Result<QualityPlan> plan_quality(const TableShape& shape, const QualityOptions& options);

}  // namespace tripos::exam
