// tripos report: one verb per line of the table of reports (exam/report.h)
#include "exam/report.h"

#include <cstdio>
#include <map>

#include "app/cli/command.h"
#include "app/cli/interrupt.h"
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

  void flags(CLI::App& app) {
    std::string names;
    for (const exam::Report& report : exam::reports()) names += fmt::format("\n{}: {}", report.name, report.summary);
    const std::map<std::string, exam::CountBy> by = {{"messages", exam::CountBy::messages}, {"attempts", exam::CountBy::attempts}};
    const std::map<std::string, exam::PerExam> per = {{"name", exam::PerExam::name}, {"id", exam::PerExam::id}};
    app.add_option("report", name, "Which:" + names)->required()->type_name("REPORT");
    app.add_option("--table", options.table, "The table of attempts; exams if not given")->type_name("TABLE");
    app.add_option("--by", options.by, "Count messages, or attempts: what was recorded twice is one attempt")
        ->transform(CLI::CheckedTransformer(by))
        ->type_name("messages|attempts");
    app.add_option("--per", options.per, "An exam is its name, or its id: some names have two")
        ->transform(CLI::CheckedTransformer(per))
        ->type_name("name|id");
    app.add_option("-n,--limit", options.limit, "The first rows only")->type_name("N");
    app.add_flag("--ascending", options.ascending, "Least first");
    app.add_option("-o,--output", form_name, output_form_names)->type_name("FORM");
    app.add_flag("--sql", show_sql, "Print the report's statement instead");
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
    catch_interrupts();
    target->set_cancelled(&interrupted());
    TRIPOS_ASSIGN(client::HttpClient http, target->connect_http());
    TRIPOS_TRY(write_query(http, {.sql = sql}, form, stdout));
    return {};
  }
};

}  // namespace

void add_report(CLI::App& root, Chosen& chosen) { add_command<ReportCommand>(root, chosen); }

}  // namespace tripos::app
