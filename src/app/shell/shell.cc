#include "app/shell/shell.h"

#include <editline/readline.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "app/cli/interrupt.h"
#include "app/render/column_type.h"
#include "exam/sql_text.h"

namespace tripos::app {
namespace {

constexpr const char* help_text =
    "Statements end with a semicolon and may take several lines. Ctrl-C cancels.\n"
    "  \\d            tables and views\n"
    "  \\d TABLE      its columns\n"
    "  \\o FORM       table, show, json, jsonl or csv\n"
    "  \\timing       tell how long statements take\n"
    "  \\q            leave (Ctrl-D)\n";
constexpr int history_length = 5000;

struct Free {
  void operator()(char* text) const noexcept { std::free(text); }
};

// $XDG_STATE_HOME/tripos/history
std::string history_path() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if ((state == nullptr || *state != '/') && home == nullptr) return {};
  const std::string directory =
      state != nullptr && *state == '/' ? std::string(state) + "/tripos" : std::string(home) + "/.local/state/tripos";
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  return failed ? std::string() : directory + "/history";
}

class Shell {
 public:
  Shell(client::HttpClient& http, OutputForm form) : http_(http), form_(form), history_path_(history_path()) {
    using_history();
    stifle_history(history_length);
    if (!history_path_.empty()) read_history(history_path_.c_str());
  }
  ~Shell() {
    if (!history_path_.empty()) write_history(history_path_.c_str());
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  Result<> run() {
    fmt::print("tripos at http://{}. \\? helps, \\q leaves.\n", http_.address().text());
    std::string text;
    while (true) {
      clear_interrupt();
      const std::unique_ptr<char, Free> line(readline(text.empty() ? "tripos> " : "   ...> "));
      if (interrupted()) {  // Ctrl-C at the prompt: the text so far is dropped
        text.clear();
        fmt::print("\n");
        continue;
      }
      if (!line) break;
      if (text.empty() && line.get()[0] == '\\') {
        add_history(line.get());
        if (!command(line.get())) return {};
        continue;
      }
      text.append(text.empty() ? "" : "\n").append(line.get());
      if (is_unfinished(text)) continue;
      if (!text.empty()) add_history(text.c_str());
      for (const std::string& statement : split_statements(text)) ask(statement);
      text.clear();
    }
    fmt::print("\n");
    return {};
  }

 private:
  // False: leave.
  bool command(std::string_view text) {
    while (text.ends_with(' ')) text.remove_suffix(1);
    const std::size_t space = text.find(' ');
    const std::string_view name = text.substr(0, space);
    const std::string argument(space == std::string_view::npos ? std::string_view() : text.substr(text.find_first_not_of(' ', space)));
    if (name == "\\q") return false;
    if (name == "\\?" || name == "\\h") {
      fmt::print("{}", help_text);
    } else if (name == "\\timing") {
      timing_ = !timing_;
      fmt::print("Timing is {}.\n", timing_ ? "on" : "off");
    } else if (name == "\\o") {
      const auto form = output_form(argument);
      if (form) {
        form_ = *form;
      } else {
        complain(form.error());
      }
    } else if (name == "\\d" && argument.empty()) {
      ask("SHOW TABLES");
    } else if (name == "\\d") {
      const auto rows = fetch_rows(http_, {.sql = fmt::format("SELECT * FROM {} LIMIT 0", exam::quoted_name(argument))}, 0);
      if (rows) {
        fmt::print("{}", schema_tree(rows->columns));
      } else {
        complain(rows.error());
      }
    } else {
      fmt::print(stderr, "there is no command {}; \\? helps\n", name);
    }
    return true;
  }

  void ask(const std::string& statement) {
    const auto started = std::chrono::steady_clock::now();
    const auto outcome = write_query(http_, {.sql = statement}, form_, stdout);
    std::fflush(stdout);
    if (!outcome) complain(outcome.error());
    const double milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started).count();
    if (timing_) fmt::print("Time: {:.1f} ms\n", milliseconds);
    clear_interrupt();
  }

  static void complain(const Error& error) { fmt::print(stderr, "{}\n", error.message); }

  client::HttpClient& http_;
  OutputForm form_;
  bool timing_ = false;
  std::string history_path_;
};

}  // namespace

Result<> run_shell(client::HttpClient& http, OutputForm form) { return Shell(http, form).run(); }

}  // namespace tripos::app
