// The reports that have a line for each question, or for each option of a question: classical item statistics.
#include <fmt/format.h>

#include "exam/report_sql.h"

namespace tripos::exam {
namespace {

// A unit's questions, a row each: `item` with id, mark and what `more` adds; mark_count and correct_count: how many of the unit's
// questions have a mark, and how many of those are right.
std::string items(const ReportSql& sql, const std::string& more) {
  const std::string id = sql.shape().value_in("sequences.questions[]", "q", "id", "string");
  const std::string units = sql.units(
      {fmt::format("transform(sequences.questions, q -> named_struct('id', {}, 'mark', {}{})) AS items", id, sql.mark("q"), more)});
  return fmt::format(
      "(SELECT exam_name, base_exam_id, items, size(filter(items, i -> i.mark IS NOT NULL)) AS mark_count, size(filter(items, i -> i.mark "
      "= "
      "'correct')) AS correct_count FROM {}) AS answered LATERAL VIEW explode(items) item_view AS item",
      units);
}

// 1 or 0 for a question with a mark, else NULL.
constexpr std::string_view item_score =
    "CASE item.mark WHEN 'correct' THEN 1 WHEN 'missed_some' THEN 0 WHEN 'incorrect' THEN 0 WHEN 'unanswered' THEN 0 END";

// The unit's score in its other questions: a question is not to be correlated with itself.
std::string rest_score() {
  return fmt::format("CASE WHEN item.mark IS NOT NULL AND mark_count > 1 THEN (correct_count - {}) / (mark_count - 1) END", item_score);
}

std::string marked_as(std::string_view mark) { return fmt::format("COUNT(CASE WHEN mark = '{0}' THEN 1 END) AS {0}", mark); }

// An end of Wilson's score interval, 95 %, for `correct` of `marked`.
std::string wilson(char sign) {
  static constexpr double z = 1.959963984540054;  // the normal distribution's quantile of 0.975
  return rounded_share(
      fmt::format("CASE WHEN marked > 0 THEN (correct / marked + {0} / (2 * marked) {1} {2} * sqrt(correct / marked * (1 - correct / "
                  "marked) / marked + "
                  "{0} / (4 * marked * marked))) / (1 + {0} / marked) END",
                  z * z, sign, z));
}

}  // namespace

std::string questions_sql(const ReportSql& sql) {
  return fmt::format(
      "SELECT {0}, question_id, presented, marked, correct, missed_some, incorrect, unanswered, {1} AS facility, {2} AS facility_low, {3} "
      "AS "
      "facility_high, {4} AS discrimination FROM (SELECT {5}, question_id, COUNT(*) AS presented, COUNT(mark) AS marked, {6}, {7}, {8}, "
      "{9}, "
      "corr(score, rest_score) AS item_rest FROM (SELECT exam_name, base_exam_id, item.id AS question_id, item.mark AS mark, {10} AS "
      "score, {11} "
      "AS rest_score FROM {12}) AS scored GROUP BY {13}, question_id{14}) AS counted ORDER BY {0}, facility {15}, question_id{16}",
      sql.exam_columns(), rounded_share("correct / marked"), wilson('-'), wilson('+'), rounded_share("item_rest"), sql.exam_grouped(),
      marked_as("correct"), marked_as("missed_some"), marked_as("incorrect"), marked_as("unanswered"), item_score, rest_score(),
      items(sql, ""), sql.exam_key(), sql.having_enough(), sql.direction(SortOrder::descending), sql.limit());
}

std::string options_sql(const ReportSql& sql) {
  const std::string id = sql.shape().value_in("sequences.questions[].options[]", "o", "id", "string");
  const std::string more = fmt::format(", 'options', transform(q.options, o -> named_struct('id', {}, 'is_right', {}, 'chosen', {}))", id,
                                       sql.attempts().is_right("o"), sql.attempts().is_checked("o"));
  return fmt::format(
      "SELECT {0}, question_id, option_id, is_right, presented, chosen, {1} AS share, {2} AS discrimination FROM (SELECT {3}, question_id, "
      "option_id, is_right, COUNT(*) AS presented, SUM(chosen) AS chosen, corr(chosen, rest_score) AS choice_rest FROM (SELECT exam_name, "
      "base_exam_id, item.id AS question_id, option.id AS option_id, option.is_right AS is_right, CASE WHEN option.chosen THEN 1 ELSE 0 "
      "END AS "
      "chosen, {4} AS rest_score FROM {5} LATERAL VIEW explode(item.options) option_view AS option) AS offered GROUP BY {6}, question_id, "
      "option_id, is_right{7}) AS counted ORDER BY {0}, question_id, chosen {8}, option_id, is_right{9}",
      sql.exam_columns(), rounded_share("chosen / presented"), rounded_share("choice_rest"), sql.exam_grouped(), rest_score(),
      items(sql, more), sql.exam_key(), sql.having_enough(), sql.direction(SortOrder::descending), sql.limit());
}

}  // namespace tripos::exam
