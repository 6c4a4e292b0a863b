// tripos show, tripos schema
#include "app/render/show.h"

#include <cstdio>

#include "app/cli/command.h"
#include "app/cli/query.h"
#include "app/render/column_type.h"
#include "exam/sql_text.h"

namespace tripos::app {
namespace {

struct Show {
  static constexpr CommandInfo info = {"show", "The first rows of a table, as Spark's show() prints them",
                                       "  tripos show exams\n"
                                       "  tripos show exams_messages -n 5 --full"};
  std::string table;
  std::size_t rows = 20;
  bool full = false;

  void flags(Flags& flags) {
    flags.option("table", table, "The table", "TABLE").required();
    flags.option("-n,--rows", rows, "How many rows; 20 if not given", "N");
    flags.flag("--full", full, "Cut no cell");
  }
  Result<> run(Session& session) {
    TRIPOS_ASSIGN(Target * target, session.target());
    TRIPOS_ASSIGN(client::HttpClient http, target->connect_http());
    TRIPOS_ASSIGN(const Rows result,
                  fetch_rows(http, {.sql = fmt::format("SELECT * FROM {} LIMIT {}", exam::quoted_name(table), rows + 1)}, rows + 1));
    ShowOptions options;
    options.row_count_max = rows;
    if (full) options.cell_length_max = 0;
    fmt::print("{}", show_table(result.titles(), result.rows, options));
    return {};
  }
};

struct Schema {
  static constexpr CommandInfo info = {"schema", "A table's columns, as the tree that Spark's printSchema() prints",
                                       "  tripos schema exams"};
  std::string table;

  void flags(Flags& flags) { flags.option("table", table, "The table", "TABLE").required(); }
  Result<> run(Session& session) {
    TRIPOS_ASSIGN(Target * target, session.target());
    TRIPOS_ASSIGN(client::HttpClient http, target->connect_http());
    TRIPOS_ASSIGN(const Rows result, fetch_rows(http, {.sql = fmt::format("SELECT * FROM {} LIMIT 0", exam::quoted_name(table))}, 0));
    fmt::print("{}", schema_tree(result.columns));
    return {};
  }
};

}  // namespace

void add_show(const Commands& root) { root.add<Show>(); }
void add_schema(const Commands& root) { root.add<Schema>(); }

}  // namespace tripos::app
