// tripos quality
#include "exam/quality.h"

#include <cstdio>
#include <map>
#include <optional>
#include <set>

#include "app/cli/command.h"
#include "app/cli/query.h"
#include "app/cli/table_shape.h"
#include "app/cli/terminal.h"
#include "app/render/cell.h"

namespace tripos::app {
namespace {

// The statement's only row, as JSON texts by their columns' names.
struct Counted {
  struct Kind {  // of a field's values
    std::string path;
    std::string kind;
    std::uint64_t messages = 0;
  };
  std::map<std::string, std::string, std::less<>> cells;
  std::vector<Kind> kinds;
  std::string as_of;

  [[nodiscard]] std::uint64_t number(std::string_view column) const {
    const auto found = cells.find(column);
    return found == cells.end() ? 0 : std::strtoull(found->second.c_str(), nullptr, 10);
  }
};

Result<Counted> count(client::HttpClient& http, const std::string& sql) {
  Counted counted;
  std::vector<std::string> names;
  const auto on_columns = [&](const std::vector<Column>& columns) -> Result<> {
    for (const Column& column : columns) names.push_back(column.name);
    return {};
  };
  const auto on_row = [&](const std::vector<std::string_view>& cells) -> Result<> {
    for (std::size_t i = 0; i < cells.size(); ++i) counted.cells.emplace(names[i], cells[i]);
    return {};
  };
  TRIPOS_ASSIGN(const QueryOutcome outcome, run_query(http, {.sql = sql}, on_columns, on_row));
  counted.as_of = outcome.as_of;
  return counted;
}

Result<std::vector<Counted::Kind>> read_kinds(std::string_view cell) {
  std::vector<Counted::Kind> kinds;
  TRIPOS_ASSIGN(const auto elements, json_elements(cell));
  for (const std::string_view element : elements) {
    TRIPOS_ASSIGN(const auto members, json_members(element));
    if (members.size() != 3) return fail(ErrorCode::malformed, "the server's answer: a kind of {} members", members.size());
    TRIPOS_ASSIGN(std::string path, json_string_value(members[0].value));
    TRIPOS_ASSIGN(std::string kind, json_string_value(members[1].value));
    kinds.push_back({std::move(path), std::move(kind), std::strtoull(std::string(members[2].value).c_str(), nullptr, 10)});
  }
  return kinds;
}

class QualityText {
 public:
  QualityText(const exam::TableShape& shape, const exam::QualityPlan& plan, const Counted& counted)
      : shape_(shape), table_(shape.table()), plan_(plan), counted_(counted) {}

  [[nodiscard]] std::string table() const {
    std::string text = fmt::format("Table {}, attempts told apart by {}\n\n", table_, plan_.identity);
    for (const exam::QualityCheck& check : plan_.checks) {
      if (!check.lacking.empty()) {
        text += fmt::format("  {:<28}{:>14}  {}; the table has no {}\n", check.name, "-", check.meaning, check.lacking);
        continue;
      }
      const std::uint64_t number = counted_.number(check.column);
      text += fmt::format("{} {:<28}{:>14}  {}\n", check.is_fault && number > 0 ? '!' : ' ', check.name, grouped(number), check.meaning);
      if (number > 0 && !check.places_column.empty()) text += fmt::format("{:>46}{}\n", "", places(check));
    }
    text += fmt::format("\n  {:<44}{:<10}{:>14}{:>14}\n", "field", "type", "values", "nulls");
    for (const exam::QualityField& field : plan_.fields) {
      text += fmt::format("  {:<44}{:<10}{:>14}{:>14}\n", field.path, field.type, grouped(counted_.number(field.values_column)),
                          grouped(nulls(field)));
    }
    if (plan_.fields_left_out > 0) text += fmt::format("  and {} fields more, which are not counted\n", grouped(plan_.fields_left_out));
    text += conflicts();
    text += "\nTo see the rows:\n";
    for (const exam::QualityCheck& check : plan_.checks) {
      if (check.is_fault && check.lacking.empty() && counted_.number(check.column) > 0) {
        text += fmt::format("\n-- {}\n{};\n", check.name, check.rows_sql);
      }
    }
    return text + "\nThe statements of all lines: tripos quality -o json\n";
  }

  [[nodiscard]] std::string json() const {
    std::string text = fmt::format(R"({{"table":{},"identity":{})", json_string(table_), json_string(plan_.identity));
    for (const exam::QualityCheck& check : plan_.checks) {
      text += fmt::format(",{}:{}", json_string(check.name), number(check));
      if (!check.places_column.empty()) text += fmt::format(",{}:{}", json_string(check.places_column), cell(check.places_column));
    }
    std::string lines;
    for (const std::string& line : json_lines()) lines += (lines.empty() ? "\n" : ",\n") + line;
    return fmt::format("{},\"fields_left_out\":{},\"lines\":[{}],\n\"as_of\":{}}}\n", text, plan_.fields_left_out, lines, counted_.as_of);
  }

  // An object for each line: those of the checks, then those of the fields.
  [[nodiscard]] std::vector<std::string> json_lines() const {
    std::vector<std::string> lines;
    for (const Line& line : lines_of()) {
      lines.push_back(fmt::format(R"({{"check":{},"field":{},"type":{},"count":{},"of":{},"meaning":{},"lacking":{},"statement":{}}})",
                                  json_string(line.check), text_or_null(line.field), text_or_null(line.type), line.count, line.of,
                                  json_string(line.meaning), text_or_null(line.lacking), text_or_null(line.statement)));
    }
    return lines;
  }

  [[nodiscard]] std::string csv() const {
    std::string text = "check,field,type,count,of,meaning,lacking,statement\r\n";
    for (const Line& line : lines_of()) {
      text += fmt::format("{},{},{},{},{},{},{},{}\r\n", line.check, csv_field(line.field), csv_field(line.type), empty_if_null(line.count),
                          empty_if_null(line.of), csv_field(line.meaning), csv_field(line.lacking), csv_field(line.statement));
    }
    return text;
  }

 private:
  struct Line {
    std::string check, field, type, count, of, meaning, lacking, statement;
  };

  static std::string text_or_null(const std::string& text) { return text.empty() ? "null" : json_string(text); }
  static std::string empty_if_null(const std::string& text) { return text == "null" ? "" : text; }
  [[nodiscard]] std::string cell(const std::string& column) const {
    const auto found = counted_.cells.find(column);
    return found == counted_.cells.end() ? "null" : found->second;
  }
  [[nodiscard]] std::string number(const exam::QualityCheck& check) const { return check.lacking.empty() ? cell(check.column) : "null"; }
  [[nodiscard]] std::uint64_t nulls(const exam::QualityField& field) const {
    return counted_.number(field.total_column) - counted_.number(field.values_column);
  }
  [[nodiscard]] std::string places(const exam::QualityCheck& check) const {
    std::string text;
    const auto elements = json_elements(cell(check.places_column));
    for (const std::string_view element : elements ? *elements : std::vector<std::string_view>()) {
      const auto members = json_members(element);
      if (!members || members->size() != 2) continue;
      text += fmt::format("{}{}:{}", text.empty() ? "at partition:offset " : ", ", (*members)[0].value, (*members)[1].value);
    }
    return text;
  }
  // The fields whose values are of several kinds.
  [[nodiscard]] std::string conflicts() const {
    std::map<std::string_view, std::vector<const Counted::Kind*>> by_path;
    for (const Counted::Kind& kind : counted_.kinds) by_path[kind.path].push_back(&kind);
    std::string text;
    for (const auto& [path, kinds] : by_path) {
      std::set<std::string_view> different;
      std::string told;
      for (const Counted::Kind* kind : kinds) {
        different.insert(kind->kind == "integer" ? std::string_view("number") : kind->kind);
        told += fmt::format("{}{} in {}", told.empty() ? "" : ", ", kind->kind, grouped(kind->messages));
      }
      different.erase("null");
      if (different.size() > 1) text += fmt::format("  {:<44}{}\n", path, told);
    }
    return text.empty() ? text : "\n  fields with values of several kinds, in so many messages\n" + text;
  }
  [[nodiscard]] std::vector<Line> lines_of() const {
    std::vector<Line> lines;
    for (const exam::QualityCheck& check : plan_.checks) {
      lines.push_back({check.name, "", "", number(check), "null", check.meaning, check.lacking, check.rows_sql});
    }
    for (const exam::QualityField& field : plan_.fields) {
      lines.push_back(
          {"nulls", field.path, field.type, fmt::to_string(nulls(field)), cell(field.total_column), "null or missing", "", field.rows_sql});
    }
    for (const Counted::Kind& kind : counted_.kinds) {
      lines.push_back({"kinds", kind.path, kind.kind, fmt::to_string(kind.messages), "null",
                       "messages in the log that have such a value there", "", exam::kind_rows_sql(shape_, kind.kind, kind.path)});
    }
    return lines;
  }

  const exam::TableShape& shape_;
  const std::string& table_;
  const exam::QualityPlan& plan_;
  const Counted& counted_;
};

struct Quality {
  static constexpr CommandInfo info = {"quality", "What is odd in a table: recorded twice, not JSON, without counts, marks that can't be",
                                       "  tripos quality\n"
                                       "  tripos quality attempts -o json\n"
                                       "  tripos quality orders --id order_no              of a table of another shape\n"
                                       "  tripos quality --sql                             the statement behind it"};
  std::string table = "exams";
  std::string form_name = "table";
  exam::QualityOptions options;
  bool show_sql = false;

  void flags(Flags& flags) {
    flags.option("table", table, "The table; exams if not given", "TABLE");
    flags.option("--id", options.identity, "The field that identifies a row; keen_id, user_exam_id or the whole content if not given",
                 "FIELD");
    flags.option("--person", options.person, "The field that names the person; user_id or person_id if not given", "FIELD");
    flags.option("--per-day", options.attempts_a_day_max, "More attempts of a person on one day are odd", "N");
    flags.option("--longest", options.seconds_max, "An attempt that takes longer is odd", "SECONDS");
    flags.option("-o,--output", form_name, "table, json, jsonl or csv", "FORM");
    flags.flag("--sql", show_sql, "Print the statement instead");
  }

  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const OutputForm form, output_form(form_name));
    if (form == OutputForm::show) return fail(ErrorCode::invalid_argument, "output is table, json, jsonl or csv, not 'show'");
    TRIPOS_ASSIGN(Target * target, session.target());
    TRIPOS_ASSIGN(client::HttpClient http, target->connect_http());
    exam::TableShape shape;
    exam::QualityPlan plan;
    Counted counted;
    TRIPOS_TRY(ask_of_shape(http, table, [&](const exam::TableShape& known) -> Result<> {
      shape = known;
      TRIPOS_ASSIGN(plan, exam::plan_quality(shape, options));
      if (show_sql) return {};
      TRIPOS_ASSIGN(counted, count(http, plan.sql));
      if (!plan.kinds_column.empty()) {
        TRIPOS_ASSIGN(counted.kinds, read_kinds(counted.cells[plan.kinds_column]));
      }
      return {};
    }));
    if (show_sql) {
      fmt::print("{}\n", plan.sql);
    } else {
      print(shape, plan, counted, form);
    }
    return {};
  }

  static void print(const exam::TableShape& shape, const exam::QualityPlan& plan, const Counted& counted, OutputForm form) {
    const QualityText text(shape, plan, counted);
    if (form == OutputForm::table) return fmt::print("{}", text.table());
    if (form == OutputForm::json) return fmt::print("{}", text.json());
    if (form == OutputForm::csv) return fmt::print("{}", text.csv());
    for (const std::string& line : text.json_lines()) fmt::print("{}\n", line);
  }
};

}  // namespace

void add_quality(const Commands& root) { root.add<Quality>(); }

}  // namespace tripos::app
