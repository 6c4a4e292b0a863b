// QualityPlanner: puts the statement of a quality report together: one pass over all rows for what a row alone tells, and a query for each
// thing that several rows tell together. All of them are one-row queries, joined to the statement's one row.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "exam/attempt_sql.h"
#include "exam/quality.h"

namespace tripos::exam {

class QualityPlanner {
 public:
  QualityPlanner(const TableShape& shape, const QualityOptions& options)
      : shape_(shape), options_(options), attempts_(shape, options.identity), table_(attempts_.table()) {}

  [[nodiscard]] QualityPlan plan();

 private:
  // What any table tells (quality.cc).
  void add_sizes();
  void add_rejected();
  void add_kinds();
  void add_fields();
  struct FieldsQuery {
    struct Array {  // of structures
      const TableField* field;
      std::string path;
      std::string sql;
    };
    std::string from;
    std::string element = {};  // of the array that is being looked into
    std::vector<std::string> columns = {};
    std::string total_column;
    std::vector<Array> arrays = {};
  };
  void add_arrays_of(const FieldsQuery& query);
  void count_fields(std::span<const TableField> fields, const std::string& path, const std::string& sql, FieldsQuery& query);

  // What attempts tell (quality_attempts.cc).
  void add_marks();
  void add_times();
  void add_order();
  void add_exams();
  void add_persons();

  // A line about the rows for which `condition` is true. It may name what compute() has defined, if `uses` lists it.
  QualityCheck& check_rows(std::string name, std::string meaning, const std::vector<std::string>& uses, const std::string& condition,
                           const std::string& shown);
  // A line whose count is the number of rows of `rows_sql`.
  QualityCheck& check_query(const std::string& name, std::string meaning, std::string rows_sql);
  // A line whose count, a column of its name, another query of queries_ has.
  QualityCheck& check_counted(const std::string& name, std::string meaning, std::string rows_sql);
  void check_lacks(std::string name, std::string meaning, std::string field);
  void compute(std::string name, std::string sql) { computed_.emplace(std::move(name), std::move(sql)); }

  // The table with what was computed, for FROM.
  [[nodiscard]] std::string source(const std::vector<std::string>& uses) const;
  // "__tripos_partition, __tripos_offset, keen_id, " as far as there.
  [[nodiscard]] std::string shown_first() const;

  const TableShape& shape_;
  const QualityOptions& options_;
  AttemptSql attempts_;
  std::string table_;
  QualityPlan plan_;
  std::map<std::string, std::string> computed_;  // by name
  std::vector<std::string> row_columns_;         // of the pass over all rows
  std::vector<std::string> queries_;             // besides it
  std::vector<std::string> shared_;              // WITH: what several of the queries read
};

}  // namespace tripos::exam
