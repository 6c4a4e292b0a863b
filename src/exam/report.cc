#include "exam/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "exam/sql_text.h"

namespace tripos::exam {
namespace {

// One line per counted unit: exam_name, base_exam_id, all_correct (NULL where the attempt has no counts: it has no score).
// Of an attempt that was recorded more than once one line is left. A message without keen_id is known by its sitting.
std::string units(const ReportOptions& options) {
  const std::string table = quoted_name(options.table);
  if (options.by == CountBy::messages) {
    return fmt::format("SELECT exam_name, base_exam_id, sequences.counts.all_correct AS all_correct FROM {}", table);
  }
  return fmt::format(
      "SELECT min(exam_name) AS exam_name, min(base_exam_id) AS base_exam_id, max(all_correct) AS all_correct "
      "FROM (SELECT keen_id, CASE WHEN keen_id IS NULL THEN user_exam_id END AS sitting, exam_name, base_exam_id, "
      "sequences.counts.all_correct AS all_correct FROM {}) AS recorded GROUP BY keen_id, sitting",
      table);
}

std::string exam_columns(const ReportOptions& options) { return options.per == PerExam::name ? "exam_name" : "base_exam_id, exam_name"; }

std::string ending(const ReportOptions& options, std::string_view column) {
  const std::string limit = options.limit ? fmt::format(" LIMIT {}", *options.limit) : std::string();
  return fmt::format(" ORDER BY {} {}, {}{}", column, options.ascending ? "ASC" : "DESC", exam_columns(options), limit);
}

std::string popularity(const ReportOptions& options) {
  const std::string exam = exam_columns(options);
  return fmt::format("SELECT {}, COUNT(*) AS exam_count FROM ({}) AS units GROUP BY {}{}", exam, units(options), exam,
                     ending(options, "exam_count"));
}

// An exam with attempts of one kind only has 1 or 0, one without any score has NULL.
std::string proficiency(const ReportOptions& options) {
  const std::string exam = exam_columns(options);
  return fmt::format(
      "SELECT {}, All_True, Not_All_True, ROUND(All_True / (All_True + Not_All_True), 2) AS Proficiency FROM ("
      "SELECT {}, COUNT(CASE WHEN all_correct THEN 1 END) AS All_True, COUNT(CASE WHEN NOT all_correct THEN 1 END) AS Not_All_True "
      "FROM ({}) AS units GROUP BY {}) AS scored{}",
      exam, exam, units(options), exam, ending(options, "Proficiency"));
}

std::string counts(const ReportOptions& options) {
  const std::string_view exam = options.per == PerExam::name ? "exam_name" : "base_exam_id";
  return fmt::format("SELECT COUNT(*) AS {}, COUNT(DISTINCT {}) AS exams, COUNT(all_correct) AS scored FROM ({}) AS units",
                     options.by == CountBy::messages ? "messages" : "attempts", exam, units(options));
}

std::string quality(const ReportOptions& options) {
  const std::string table = quoted_name(options.table);
  const std::string rejected = quoted_name(options.table + "_rejected");
  return fmt::format(
      "SELECT messages, attempts, messages - attempts AS recorded_again, without_counts, certification_null, exam_names, exam_ids, "
      "(SELECT COUNT(*) FROM {}) AS rejected FROM (SELECT COUNT(*) AS messages, "
      "COUNT(DISTINCT CASE WHEN keen_id IS NULL THEN user_exam_id ELSE keen_id END) AS attempts, "
      "COUNT(CASE WHEN sequences.counts.total IS NULL THEN 1 END) AS without_counts, "
      "COUNT(CASE WHEN certification IS NULL THEN 1 END) AS certification_null, "
      "COUNT(DISTINCT exam_name) AS exam_names, COUNT(DISTINCT base_exam_id) AS exam_ids FROM {}) AS counted",
      rejected, table);
}

constexpr std::array<Report, 4> all_reports = {{
    {"popularity", "how often each exam was taken", &popularity},
    {"proficiency", "of each exam's scored attempts, the share that is all correct", &proficiency},
    {"counts", "how much there is: messages or attempts, exams, scored ones", &counts},
    {"quality", "what is recorded twice, without counts, without certification, not JSON", &quality},
}};

}  // namespace

std::span<const Report> reports() noexcept { return all_reports; }

Result<const Report*> find_report(std::string_view name) {
  const auto found = std::ranges::find(all_reports, name, &Report::name);
  if (found != all_reports.end()) return &*found;
  std::string names;
  for (const Report& report : all_reports) names.append(names.empty() ? "" : ", ").append(report.name);
  return fail(ErrorCode::not_found, "no report '{}'; there are {}", name, names);
}

}  // namespace tripos::exam
