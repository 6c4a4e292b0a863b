// Reports: the questions about exams that come with Tripos, as one statement over a table of attempts (docs/guide/reports.md).
// One table of reports (`reports()`) is the only list: the command line and its help derive from it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "exam/attempt_sql.h"

namespace tripos::exam {

// What makes two attempts be of the same exam. Some exam names stand for two ids.
enum class PerExam { name, id };

// Where marks come from: as they were recorded, or from the checked options by the rule (exam/marking.h).
enum class MarksFrom { record, rule };

enum class Every { day, week, month };

enum class SortOrder { ascending, descending };

struct ReportOptions {
  CountBy by = CountBy::messages;
  PerExam per = PerExam::name;
  MarksFrom marks = MarksFrom::record;
  std::string identity = {};             // the field that identifies an attempt; empty: as AttemptSql chooses
  std::string exam = {};                 // only of the exam with this name or id
  std::optional<std::int64_t> since_ms;  // only what was taken then or later
  std::optional<std::int64_t> until_ms;  // only what was taken before
  std::uint64_t at_least = 0;            // only lines that rest on so many
  std::optional<Every> every;            // day, if not given
  std::optional<SortOrder> order;        // the report's own, if not given
  std::optional<std::int64_t> limit;
};

class ReportSql;

struct Report {
  std::string_view name;
  std::string_view summary;
  std::string (*sql)(const ReportSql&);
  std::span<const std::string_view> needs = {};  // fields without which there is nothing to tell
  bool is_over_time = false;                     // has lines for periods, not for exams
};

[[nodiscard]] std::span<const Report> reports() noexcept;
// "over-time" is over_time. not_found names those that exist.
[[nodiscard]] Result<const Report*> find_report(std::string_view name);

// The report's statement for a table of this shape. not_found: the table lacks a field that the report needs, or that an option names;
// invalid_argument: an option that this report has not.
[[nodiscard]] Result<std::string> report_sql(const Report& report, const TableShape& shape, const ReportOptions& options);

}  // namespace tripos::exam
