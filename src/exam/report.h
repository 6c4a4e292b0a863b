// Reports: the questions about exams that come with Tripos, as SQL over the table of attempts.
// One table of reports (`reports()`) is the only list: the command line, its help and HTTP derive from it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "exam/attempt_sql.h"

namespace tripos::exam {

// What makes two attempts be of the same exam. Some exam names stand for two ids.
enum class PerExam { name, id };

struct ReportOptions {
  std::string table = "exams";
  CountBy by = CountBy::messages;
  PerExam per = PerExam::name;
  bool ascending = false;
  std::optional<std::int64_t> limit;
};

struct Report {
  std::string_view name;
  std::string_view summary;
  std::string (*sql)(const ReportOptions& options);
};

[[nodiscard]] std::span<const Report> reports() noexcept;
// not_found names those that exist.
[[nodiscard]] Result<const Report*> find_report(std::string_view name);

}  // namespace tripos::exam
