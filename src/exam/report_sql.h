// ReportSql: what the statements of all reports have in common: the attempts that count, their scores, lines per exam, order and limit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exam/attempt_sql.h"
#include "exam/report.h"

namespace tripos::exam {

class ReportSql {
 public:
  ReportSql(const TableShape& shape, const ReportOptions& options) : shape_(shape), options_(options), attempts_(shape, options.identity) {}

  [[nodiscard]] const ReportOptions& options() const noexcept { return options_; }
  [[nodiscard]] const AttemptSql& attempts() const noexcept { return attempts_; }
  [[nodiscard]] const TableShape& shape() const noexcept { return shape_; }

  // A query, in parentheses and named `units`: one row for each message or attempt that counts, with exam_name, base_exam_id and
  // `columns`.
  [[nodiscard]] std::string units(const std::vector<std::string>& columns) const;
  // What one unit is called: "messages", "attempts".
  [[nodiscard]] std::string_view unit_name() const { return options_.by == CountBy::messages ? "messages" : "attempts"; }

  // The column that tells exams apart: "exam_name" or "base_exam_id".
  [[nodiscard]] std::string_view exam_key() const { return options_.per == PerExam::name ? "exam_name" : "base_exam_id"; }
  // Per exam, for the list of a query with GROUP BY: "base_exam_id, MIN(exam_name) AS exam_name"; and of one above it.
  [[nodiscard]] std::string exam_grouped() const;
  [[nodiscard]] std::string_view exam_columns() const { return options_.per == PerExam::name ? "exam_name" : "base_exam_id, exam_name"; }

  // Of a unit. NULL where there is no score.
  [[nodiscard]] std::string correct() const;      // how many questions are right
  [[nodiscard]] std::string total() const;        // of how many
  [[nodiscard]] std::string all_correct() const;  // whether all are
  // When it was taken, in seconds since 1970: its start; where that is not known, its recording.
  [[nodiscard]] std::string taken() const;
  // The mark of question `q`; NULL where it has none.
  [[nodiscard]] std::string mark(std::string_view q) const;

  // " HAVING COUNT(*) >= …", or nothing.
  [[nodiscard]] std::string having_enough() const;
  // " ORDER BY `first` DESC, `then`… LIMIT …".
  [[nodiscard]] std::string ending(std::string_view first, SortOrder usual, std::string_view then) const;
  [[nodiscard]] std::string_view direction(SortOrder usual) const {
    return options_.order.value_or(usual) == SortOrder::ascending ? "ASC" : "DESC";
  }
  [[nodiscard]] std::string limit() const;

 private:
  [[nodiscard]] std::string marks() const;
  [[nodiscard]] std::string count(std::string_view name) const;

  const TableShape& shape_;
  const ReportOptions& options_;
  AttemptSql attempts_;
};

// A share or a score, as reports print it: four places.
[[nodiscard]] std::string rounded_share(std::string_view sql);

// The reports (report_exams.cc, report_questions.cc).
[[nodiscard]] std::string popularity_sql(const ReportSql& sql);
[[nodiscard]] std::string proficiency_sql(const ReportSql& sql);
[[nodiscard]] std::string counts_sql(const ReportSql& sql);
[[nodiscard]] std::string over_time_sql(const ReportSql& sql);
[[nodiscard]] std::string scores_sql(const ReportSql& sql);
[[nodiscard]] std::string distribution_sql(const ReportSql& sql);
[[nodiscard]] std::string time_taken_sql(const ReportSql& sql);
[[nodiscard]] std::string questions_sql(const ReportSql& sql);
[[nodiscard]] std::string options_sql(const ReportSql& sql);

}  // namespace tripos::exam
