// The reports that have a line for each exam, score or period.
#include <fmt/format.h>

#include "exam/report_sql.h"

namespace tripos::exam {
namespace {

// A unit's proportion of right answers; NULL without a score.
std::string score(const ReportSql& sql) { return fmt::format("CASE WHEN {1} > 0 THEN {0} / {1} END AS score", sql.correct(), sql.total()); }

// Smallest, quartiles and largest of a column, rounded: the quartiles by linear interpolation between the closest ranks (type 7 of
// Hyndman and Fan).
std::string five_numbers(std::string_view column, int places) {
  return fmt::format(
      "ROUND(MIN({0}), {1}) AS minimum, ROUND(percentile({0}, 0.25), {1}) AS lower_quartile, ROUND(percentile({0}, 0.5), {1}) AS median, "
      "ROUND(percentile({0}, 0.75), {1}) AS upper_quartile, ROUND(MAX({0}), {1}) AS maximum",
      column, places);
}

// `columns` for each exam, ordered by `first`.
std::string per_exam(const ReportSql& sql, const std::string& columns, const std::string& units, std::string_view first) {
  return fmt::format("SELECT {}, {} FROM {} GROUP BY {}{}{}", sql.exam_grouped(), columns, units, sql.exam_key(), sql.having_enough(),
                     sql.ending(first, SortOrder::descending, sql.exam_columns()));
}

std::string_view unit_of(Every every) {
  switch (every) {
    case Every::day: return "DAY";
    case Every::week: return "WEEK";
    case Every::month: return "MONTH";
  }
  return "DAY";
}

}  // namespace

std::string popularity_sql(const ReportSql& sql) { return per_exam(sql, "COUNT(*) AS exam_count", sql.units({}), "exam_count"); }

// An exam with attempts of one kind only has 1 or 0, one without any score has NULL.
std::string proficiency_sql(const ReportSql& sql) {
  return fmt::format(
      "SELECT {0}, All_True, Not_All_True, ROUND(All_True / (All_True + Not_All_True), 2) AS Proficiency FROM (SELECT {1}, COUNT(CASE WHEN "
      "all_correct THEN 1 END) AS All_True, COUNT(CASE WHEN NOT all_correct THEN 1 END) AS Not_All_True FROM {2} GROUP BY {3}{4}) AS "
      "scored{5}",
      sql.exam_columns(), sql.exam_grouped(), sql.units({fmt::format("{} AS all_correct", sql.all_correct())}), sql.exam_key(),
      sql.having_enough(), sql.ending("Proficiency", SortOrder::descending, sql.exam_columns()));
}

std::string counts_sql(const ReportSql& sql) {
  return fmt::format("SELECT COUNT(*) AS {}, COUNT(DISTINCT {}) AS exams, COUNT(all_correct) AS scored FROM {}", sql.unit_name(),
                     sql.exam_key(), sql.units({fmt::format("{} AS all_correct", sql.all_correct())}));
}

// A period in which nothing was taken is told, too. Not if the times span more than a century: then some are wrong, and there would be
// no end of lines.
std::string over_time_sql(const ReportSql& sql) {
  const std::string_view unit = unit_of(sql.options().every.value_or(Every::day));
  const std::string units =
      sql.units({fmt::format("CAST(date_trunc('{}', timestamp_seconds({})) AS date) AS taken_in", unit, sql.taken()), score(sql)});
  return fmt::format(
      "WITH taken AS (SELECT taken_in, COUNT(*) AS unit_count, COUNT(DISTINCT {0}) AS exams, COUNT(score) AS scored, {1} AS mean_score "
      "FROM "
      "{2} GROUP BY taken_in), calendar AS (SELECT explode(sequence(first_in, CASE WHEN datediff(last_in, first_in) < 36525 THEN last_in "
      "ELSE first_in END, INTERVAL 1 {3})) AS calendar_in FROM (SELECT MIN(taken_in) AS first_in, MAX(taken_in) AS last_in FROM taken) AS "
      "span) SELECT coalesce(taken_in, calendar_in) AS period, coalesce(unit_count, 0) AS {4}, coalesce(exams, 0) AS exams, "
      "coalesce(scored, 0) AS scored, mean_score FROM taken FULL OUTER JOIN calendar ON taken_in = calendar_in ORDER BY period {5}{6}",
      sql.exam_key(), rounded_share("AVG(score)"), units, unit, sql.unit_name(), sql.direction(SortOrder::ascending), sql.limit());
}

std::string scores_sql(const ReportSql& sql) {
  return per_exam(sql,
                  fmt::format("COUNT(*) AS {}, COUNT(score) AS scored, {} AS mean_score, {} AS standard_deviation, {}", sql.unit_name(),
                              rounded_share("AVG(score)"), rounded_share("stddev_samp(score)"), five_numbers("score", 4)),
                  sql.units({score(sql)}), "mean_score");
}

// The line without a score counts what has none.
std::string distribution_sql(const ReportSql& sql) {
  const std::string scored = fmt::format("{} IS NOT NULL AND {} > 0", sql.correct(), sql.total());
  const std::string units = sql.units({fmt::format("CASE WHEN {} THEN {} END AS questions", scored, sql.total()),
                                       fmt::format("CASE WHEN {} THEN {} END AS correct", scored, sql.correct())});
  const std::string reached = fmt::format("SELECT {}, questions, correct, COUNT(*) AS unit_count FROM {} GROUP BY {}, questions, correct",
                                          sql.exam_grouped(), units, sql.exam_key());
  const std::string_view key = sql.exam_key();
  const auto share = [](std::string_view part) {
    return fmt::format("CASE WHEN correct IS NOT NULL THEN {} END", rounded_share(fmt::format("{} / all_count", part)));
  };
  return fmt::format(
      "SELECT {}, questions, correct, unit_count AS {}, {} AS share, {} AS cumulative_share, {} AS percentile_rank FROM (SELECT *, "
      "SUM(unit_count) OVER (PARTITION BY {}, questions) AS all_count, SUM(unit_count) OVER (PARTITION BY {}, questions ORDER BY correct) "
      "AS "
      "up_to FROM ({}) AS reached) AS ranked WHERE all_count >= {} ORDER BY {}, questions, correct {}{}",
      sql.exam_columns(), sql.unit_name(), share("unit_count"), share("up_to"), share("100 * (up_to - unit_count / 2)"), key, key, reached,
      sql.options().at_least, sql.exam_columns(), sql.direction(SortOrder::ascending), sql.limit());
}

std::string time_taken_sql(const ReportSql& sql) {
  const std::string units =
      sql.units({fmt::format("CASE WHEN {1} >= {0} THEN {1} - {0} END AS seconds", sql.attempts().started(), sql.attempts().recorded())});
  return per_exam(sql,
                  fmt::format("COUNT(*) AS {}, COUNT(seconds) AS timed, ROUND(AVG(seconds), 3) AS mean_seconds, {}", sql.unit_name(),
                              five_numbers("seconds", 3)),
                  units, "median");
}

}  // namespace tripos::exam
