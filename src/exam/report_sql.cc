#include "exam/report_sql.h"

#include <fmt/format.h>

#include "exam/sql_text.h"

namespace tripos::exam {

std::string rounded_share(std::string_view sql) { return fmt::format("ROUND({}, 4)", sql); }

std::string ReportSql::units(const std::vector<std::string>& columns) const {
  const std::string name = shape_.value("exam_name", "string");
  const std::string id = shape_.value("base_exam_id", "string");
  std::vector<std::string> conditions;
  if (!options_.exam.empty()) conditions.push_back(fmt::format("({0} = {2} OR {1} = {2})", name, id, quoted_text(options_.exam)));
  const auto seconds = [](std::int64_t ms) { return fmt::format("CAST({} AS double) / 1000", ms); };
  if (options_.since_ms) conditions.push_back(fmt::format("{} >= {}", taken(), seconds(*options_.since_ms)));
  if (options_.until_ms) conditions.push_back(fmt::format("{} < {}", taken(), seconds(*options_.until_ms)));
  std::string list = fmt::format("{} AS exam_name, {} AS base_exam_id", name, id);
  for (const std::string& column : columns) list.append(", ").append(column);
  return fmt::format("({}) AS units", attempts_.units(options_.by, list, joined(conditions, " AND ")));
}

std::string ReportSql::exam_grouped() const {
  return options_.per == PerExam::name ? "exam_name" : "base_exam_id, MIN(exam_name) AS exam_name";
}

std::string ReportSql::marks() const { return fmt::format("transform(sequences.questions, q -> {})", attempts_.rule_mark("q")); }

std::string ReportSql::count(std::string_view name) const { return shape_.value(fmt::format("sequences.counts.{}", name), "bigint"); }

std::string ReportSql::correct() const {
  if (options_.marks == MarksFrom::record) return count("correct");
  return fmt::format("CASE WHEN sequences.questions IS NOT NULL THEN size(filter({}, m -> m = 'correct')) END", marks());
}

std::string ReportSql::total() const {
  if (options_.marks == MarksFrom::record) return count("total");
  return "CASE WHEN sequences.questions IS NOT NULL THEN size(sequences.questions) END";
}

std::string ReportSql::all_correct() const {
  std::string follows = fmt::format("({} = {})", correct(), total());
  if (options_.marks == MarksFrom::rule) return follows;
  return fmt::format("coalesce({}, {})", shape_.value("sequences.counts.all_correct", "boolean"), follows);
}

std::string ReportSql::taken() const { return fmt::format("coalesce({}, {})", attempts_.started(), attempts_.recorded()); }

std::string ReportSql::mark(std::string_view q) const {
  if (options_.marks == MarksFrom::rule) return attempts_.rule_mark(q);
  const std::string recorded = shape_.value_in("sequences.questions[]", q, "user_result", "string");
  return fmt::format("CASE WHEN {0} IN ('correct', 'missed_some', 'incorrect', 'unanswered') THEN {0} END", recorded);
}

std::string ReportSql::having_enough() const {
  return options_.at_least > 0 ? fmt::format(" HAVING COUNT(*) >= {}", options_.at_least) : std::string();
}

std::string ReportSql::ending(std::string_view first, SortOrder usual, std::string_view then) const {
  return fmt::format(" ORDER BY {} {}, {}{}", first, direction(usual), then, limit());
}

std::string ReportSql::limit() const { return options_.limit ? fmt::format(" LIMIT {}", *options_.limit) : std::string(); }

}  // namespace tripos::exam
