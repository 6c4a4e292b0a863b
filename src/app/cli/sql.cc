// tripos sql
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <iterator>

#include "app/cli/command.h"
#include "app/cli/query.h"
#include "app/cli/terminal.h"
#include "app/shell/shell.h"

namespace tripos::app {
namespace {

struct Sql {
  static constexpr CommandInfo info = {"sql", "Ask in SQL: statements, standard input, or a shell",
                                       "  tripos sql \"SELECT exam_name, COUNT(*) FROM exams GROUP BY exam_name\"\n"
                                       "  tripos sql -o csv \"SELECT * FROM exams_messages\" > messages.csv\n"
                                       "  tripos sql --to exams.parquet \"SELECT * FROM exams\"\n"
                                       "  tripos sql < statements.sql\n"
                                       "  tripos sql                                       a shell; \\? helps"};

  std::vector<std::string> texts;
  std::string form_name = "table";
  std::string to;
  std::string wait_for;
  bool json = false;

  void flags(Flags& flags) {
    flags.option("statements", texts, "Statements; several are separated by semicolons", "SQL…");
    flags.option("-o,--output", form_name, output_form_names, "FORM");
    flags.flag("--json", json, "The same as -o json");
    flags.option("--to", to, "Write the result into this file: .parquet, .csv, .jsonl, .json", "FILE");
    flags.option("--wait-for", wait_for, "Answer when these records are in the table", "TOPIC:PARTITION:OFFSET,…");
  }

  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const OutputForm form, output_form(json ? "json" : form_name));
    TRIPOS_ASSIGN(Target * target, session.target());
    TRIPOS_ASSIGN(client::HttpClient http, target->connect_http());
    if (texts.empty() && is_terminal(STDIN_FILENO)) return run_shell(http, form);
    if (texts.empty()) texts.emplace_back(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
    std::vector<std::string> statements;
    for (const std::string& text : texts) {
      for (std::string& statement : split_statements(text)) statements.push_back(std::move(statement));
    }
    if (!to.empty() && statements.size() != 1)
      return fail(ErrorCode::invalid_argument, "--to takes the result of one statement, not of {}", statements.size());
    for (const std::string& statement : statements) {
      const Query query{.sql = statement, .wait_for = wait_for};
      if (to.empty()) {
        TRIPOS_TRY(write_query(http, query, form, stdout));
      } else {
        TRIPOS_ASSIGN(const std::uint64_t size, save_query(http, query, to));
        fmt::print(stderr, "Wrote {} ({}).\n", to, readable_bytes(size));
      }
    }
    return {};
  }
};

}  // namespace

void add_sql(const Commands& root) { root.add<Sql>(); }

}  // namespace tripos::app
