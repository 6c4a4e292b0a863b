#include "exam/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "exam/report_sql.h"

namespace tripos::exam {
namespace {

constexpr std::array<std::string_view, 1> question_fields = {"sequences.questions[].id"};
constexpr std::array<std::string_view, 3> option_fields = {"sequences.questions[].id", "sequences.questions[].options[].id",
                                                           "sequences.questions[].options[].checked"};
constexpr std::array<std::string_view, 2> answer_fields = {"sequences.questions[].options[].checked",
                                                           "sequences.questions[].options[].correct"};

constexpr std::array<Report, 9> all_reports = {{
    {.name = "popularity", .summary = "how often each exam was taken", .sql = &popularity_sql},
    {.name = "proficiency", .summary = "of each exam's scored attempts, the share that is all correct", .sql = &proficiency_sql},
    {.name = "counts", .summary = "how much there is: messages or attempts, exams, scored ones", .sql = &counts_sql, .is_over_time = true},
    {.name = "over_time", .summary = "how much was taken each day, week or month", .sql = &over_time_sql, .is_over_time = true},
    {.name = "scores", .summary = "each exam's scores: mean, deviation, quartiles", .sql = &scores_sql},
    {.name = "distribution", .summary = "how often each score of an exam was reached", .sql = &distribution_sql},
    {.name = "questions",
     .summary = "each question's marks, its facility, how well it discriminates",
     .sql = &questions_sql,
     .needs = question_fields},
    {.name = "options",
     .summary = "how often each option of a question was chosen, and by whom",
     .sql = &options_sql,
     .needs = option_fields},
    {.name = "time_taken", .summary = "how long an exam took", .sql = &time_taken_sql},
}};

}  // namespace

std::span<const Report> reports() noexcept { return all_reports; }

Result<const Report*> find_report(std::string_view name) {
  std::string wanted(name);
  std::ranges::replace(wanted, '-', '_');
  const auto found = std::ranges::find(all_reports, wanted, &Report::name);
  if (found != all_reports.end()) return &*found;
  std::string names;
  for (const Report& report : all_reports) names.append(names.empty() ? "" : ", ").append(report.name);
  return fail(ErrorCode::not_found, "no report '{}'; there are {}", name, names);
}

Result<std::string> report_sql(const Report& report, const TableShape& shape, const ReportOptions& options) {
  TRIPOS_TRY(shape.require(report.needs));
  if (options.marks == MarksFrom::rule) {
    TRIPOS_TRY(shape.require(answer_fields));
  }
  const std::string_view identity = options.identity;
  if (!identity.empty()) {
    TRIPOS_TRY(shape.require({&identity, 1}));
  }
  if (!options.exam.empty() && !shape.has("exam_name") && !shape.has("base_exam_id")) {
    return fail(ErrorCode::not_found, "the table {} has neither exam_name nor base_exam_id, so no exam can be picked", shape.table());
  }
  if (options.every && report.sql != &over_time_sql) {
    return fail(ErrorCode::invalid_argument, "the report {} has no periods: --every is of over_time", report.name);
  }
  if (options.at_least > 0 && report.is_over_time) {
    return fail(ErrorCode::invalid_argument, "the report {} leaves no line out: --at-least is not of it", report.name);
  }
  return report.sql(ReportSql(shape, options));
}

}  // namespace tripos::exam
