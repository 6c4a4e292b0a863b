// tripos report: one verb per line of the table of reports (exam/report.h)
#include "exam/report.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "app/cli/command.h"
#include "app/cli/query.h"
#include "app/cli/table_shape.h"
#include "app/cli/terminal.h"
#include "exam/time_text.h"

namespace tripos::app {
namespace {

// What a statement printed; it goes to standard output when it is known to be right.
class PrintedText {
 public:
  PrintedText() : stream_(open_memstream(&text_, &size_)) {}
  ~PrintedText() {
    if (stream_ != nullptr) std::fclose(stream_);
    std::free(text_);
  }
  PrintedText(const PrintedText&) = delete;
  PrintedText& operator=(const PrintedText&) = delete;

  [[nodiscard]] std::FILE* stream() const { return stream_; }
  [[nodiscard]] Result<> print() {
    if (std::fflush(stream_) != 0) return fail(ErrorCode::io, "no memory for the report");
    if (std::fwrite(text_, 1, size_, stdout) != size_) return fail(ErrorCode::io, "standard output can't be written");
    return {};
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* stream_;
};

struct ReportCommand {
  static constexpr CommandInfo info = {"report", "Reports on exams",
                                       "  tripos report popularity -n 10\n"
                                       "  tripos report proficiency --by attempts -o csv\n"
                                       "  tripos report over_time --every week --since 2018-01-01\n"
                                       "  tripos report questions --exam 'Foundations of Logic' --by attempts --at-least 30\n"
                                       "  tripos report options --to options.parquet\n"
                                       "  tripos report popularity --sql              the statement behind it"};
  std::string name;
  std::string table = "exams";
  exam::ReportOptions options;
  std::string since;
  std::string until;
  std::string form_name = "table";
  std::string to;
  bool ascending = false;
  bool descending = false;
  bool show_sql = false;

  void flags(Flags& flags) {
    std::string names;
    for (const exam::Report& report : exam::reports()) names += fmt::format("\n{}: {}", report.name, report.summary);
    const std::vector<std::pair<std::string, exam::CountBy>> by = {{"messages", exam::CountBy::messages},
                                                                   {"attempts", exam::CountBy::attempts}};
    const std::vector<std::pair<std::string, exam::PerExam>> per = {{"name", exam::PerExam::name}, {"id", exam::PerExam::id}};
    const std::vector<std::pair<std::string, exam::MarksFrom>> marks = {{"record", exam::MarksFrom::record},
                                                                        {"rule", exam::MarksFrom::rule}};
    const std::vector<std::pair<std::string, std::optional<exam::Every>>> every = {
        {"day", exam::Every::day}, {"week", exam::Every::week}, {"month", exam::Every::month}};
    flags.option("report", name, "Which:" + names, "REPORT").required();
    flags.option("--table", table, "The table of attempts; exams if not given", "TABLE");
    flags.choice("--by", options.by, "Count messages, or attempts: what was recorded twice is one attempt", by);
    flags.choice("--per", options.per, "An exam is its name, or its id: some names have two", per);
    flags.choice("--marks", options.marks, "Marks and scores as recorded, or by the rule from the checked options", marks);
    flags.option("--exam", options.exam, "Only the exam with this name or id", "NAME|ID");
    flags.option("--since", since, "Only what was taken then or later (UTC): 2018-01-31, 2018-01-31T08:30:00Z", "TIME");
    flags.option("--until", until, "Only what was taken before that", "TIME");
    flags.choice("--every", options.every, "The periods of over_time; day if not given", every);
    flags.option("--at-least", options.at_least, "Only lines that rest on so many messages or attempts", "N");
    flags.option("--id", options.identity, "The field that identifies an attempt; keen_id, else user_exam_id, if not given", "FIELD");
    flags.option("-n,--limit", options.limit, "The first rows only", "N");
    flags.flag("--ascending", ascending, "Least, earliest or hardest first");
    flags.flag("--descending", descending, "Greatest, latest or easiest first");
    flags.option("-o,--output", form_name, output_form_names, "FORM");
    flags.option("--to", to, "Write the report into this file: .parquet, .csv, .jsonl, .json", "FILE");
    flags.flag("--sql", show_sql, "Print the report's statement instead");
  }

  Result<> read_words() {
    if (ascending && descending) return fail(ErrorCode::invalid_argument, "--ascending and --descending: one of them");
    if (options.limit && *options.limit < 0) return fail(ErrorCode::invalid_argument, "-n is a number of rows, not {}", *options.limit);
    if (ascending) options.order = exam::SortOrder::ascending;
    if (descending) options.order = exam::SortOrder::descending;
    if (!since.empty()) {
      TRIPOS_ASSIGN(options.since_ms, exam::parse_time(since));
    }
    if (!until.empty()) {
      TRIPOS_ASSIGN(options.until_ms, exam::parse_time(until));
    }
    if (options.since_ms && options.until_ms && *options.since_ms >= *options.until_ms) {
      return fail(ErrorCode::invalid_argument, "nothing lies between --since {} and --until {}", since, until);
    }
    return {};
  }

  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const exam::Report* report, exam::find_report(name));
    TRIPOS_ASSIGN(const OutputForm form, output_form(form_name));
    TRIPOS_TRY(read_words());
    TRIPOS_ASSIGN(Target * target, session.target());
    TRIPOS_ASSIGN(client::HttpClient http, target->connect_http());
    std::optional<PrintedText> printed;
    std::uint64_t written = 0;  // bytes of the file
    std::uint64_t row_count = 1;
    TRIPOS_TRY(ask_of_shape(http, table, [&](const exam::TableShape& shape) -> Result<> {
      TRIPOS_ASSIGN(const std::string sql, exam::report_sql(*report, shape, options));
      printed.emplace();
      if (printed->stream() == nullptr) return tl::unexpected(os_error(errno, "keeping", "the report"));
      if (show_sql) {
        fmt::print(printed->stream(), "{}\n", sql);
      } else if (!to.empty()) {
        TRIPOS_ASSIGN(written, save_query(http, {.sql = sql}, to));
      } else {
        TRIPOS_ASSIGN(const QueryOutcome outcome, write_query(http, {.sql = sql}, form, printed->stream(), stdout));
        row_count = outcome.row_count;
      }
      return {};
    }));
    TRIPOS_TRY(printed->print());
    if (!to.empty() && !show_sql) fmt::print(stderr, "Wrote {} ({}).\n", to, readable_bytes(written));
    if (row_count == 0 && !options.exam.empty()) {
      fmt::print(stderr,
                 "The table {} has nothing of an exam '{}' that is asked for here; tripos report popularity --per id lists the exams.\n",
                 table, options.exam);
    }
    return {};
  }
};

}  // namespace

void add_report(const Commands& root) { root.add<ReportCommand>(); }

}  // namespace tripos::app
