// tripos report: one verb per line of the table of reports (exam/report.h)
#include "exam/report.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "app/cli/command.h"
#include "app/cli/query.h"

namespace tripos::app {
namespace {

struct ReportCommand {
  static constexpr CommandInfo info = {"report", "Reports on exams",
                                       "  tripos report popularity -n 10\n"
                                       "  tripos report proficiency --by attempts -o csv\n"
                                       "  tripos report popularity --sql              the statement behind it"};
  std::string name;
  exam::ReportOptions options;
  std::string form_name = "table";
  bool show_sql = false;

  void flags(Flags& flags) {
    std::string names;
    for (const exam::Report& report : exam::reports()) names += fmt::format("\n{}: {}", report.name, report.summary);
    const std::vector<std::pair<std::string, exam::CountBy>> by = {{"messages", exam::CountBy::messages},
                                                                   {"attempts", exam::CountBy::attempts}};
    const std::vector<std::pair<std::string, exam::PerExam>> per = {{"name", exam::PerExam::name}, {"id", exam::PerExam::id}};
    flags.option("report", name, "Which:" + names, "REPORT").required();
    flags.option("--table", options.table, "The table of attempts; exams if not given", "TABLE");
    flags.choice("--by", options.by, "Count messages, or attempts: what was recorded twice is one attempt", by);
    flags.choice("--per", options.per, "An exam is its name, or its id: some names have two", per);
    flags.option("-n,--limit", options.limit, "The first rows only", "N");
    flags.flag("--ascending", options.ascending, "Least first");
    flags.option("-o,--output", form_name, output_form_names, "FORM");
    flags.flag("--sql", show_sql, "Print the report's statement instead");
  }

  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const exam::Report* report, exam::find_report(name));
    TRIPOS_ASSIGN(const OutputForm form, output_form(form_name));
    const std::string sql = report->sql(options);
    if (show_sql) {
      fmt::print("{}\n", sql);
      return {};
    }
    TRIPOS_ASSIGN(Target * target, session.target());
    TRIPOS_ASSIGN(client::HttpClient http, target->connect_http());
    TRIPOS_TRY(write_query(http, {.sql = sql}, form, stdout));
    return {};
  }
};

}  // namespace

void add_report(const Commands& root) { root.add<ReportCommand>(); }

}  // namespace tripos::app
