#include "app/cli/command.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "app/cli/suggestion.h"

namespace tripos::app {
namespace {

constexpr int exit_done = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_interrupted = 130;

constexpr const char* description =
    "Takes exam events in by Kafka's protocol, never loses one, and answers any question about them in SQL at once.";
constexpr const char* first_examples =
    "Examples:\n"
    "  tripos demo                                    the whole pipeline in a second\n"
    "  tripos serve                                   broker and SQL, on this machine\n"
    "  tripos load exams attempts.json                events from a file\n"
    "  tripos sql \"SELECT COUNT(*) FROM exams\"\n"
    "\n"
    "Commands work on the running server, or on the data directory where none runs.\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage.";

// The command that the words so far have reached.
const CLI::App& innermost(const CLI::App& app) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  return chosen.empty() ? app : innermost(*chosen.front());
}

std::string path_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : path_of(*app.get_parent()) + " " + app.get_name();
}

// The words that may stand where `word` stands.
std::vector<std::string> candidates(const CLI::App& app, std::string_view word) {
  std::vector<std::string> words;
  if (word.starts_with('-')) {
    for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
      for (const CLI::Option* option : level->get_options()) {
        for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
      }
    }
  } else {
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) words.push_back(command->get_name());
  }
  return words;
}

int explain_usage(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App& app = innermost(root);
  std::string message = error.what();
  if (error.get_name() == "ExtrasError" && !root.remaining(true).empty()) {
    const std::string word = root.remaining(true).front();
    const std::string kind = word.starts_with('-')                                               ? "flag"
                             : app.get_subcommands([](const CLI::App*) { return true; }).empty() ? "argument"
                                                                                                 : "command";
    message = fmt::format("there is no {} '{}'", kind, word);
    const std::string close = closest_word(word, candidates(app, word));
    if (!close.empty()) message += fmt::format("; did you mean '{}'?", close);
  }
  fmt::print(stderr, "{}: {}\n{} --help says how.\n", path_of(app), message, path_of(app));
  return exit_usage;
}

}  // namespace

Result<Target*> Session::target() {
  if (!found) {
    TRIPOS_ASSIGN(Settings settings_read, settings());
    found = std::make_unique<Target>(std::move(settings_read));
  }
  return found.get();
}

int run_command_line(int argument_count, const char* const* arguments) {
  Session session;
  Chosen chosen;
  CLI::App root(description, "tripos");
  root.footer(first_examples);
  root.get_formatter()->column_width(34);
  root.set_help_flag("-h,--help", "Say how, with examples");
  root.set_help_all_flag("--help-all", "Say everything of every command")->group("");
  root.add_option("--data", session.global.data, "The data directory (TRIPOS_DATA)")->type_name("DIR");
  root.add_option("--kafka", session.global.kafka, "Where the broker listens (TRIPOS_KAFKA)")->type_name("HOST:PORT");
  root.add_option("--http", session.global.http, "Where HTTP listens (TRIPOS_HTTP)")->type_name("HOST:PORT");
  root.add_option("--config", session.global.config_file, "A configuration file, in place of the usual ones")->type_name("FILE");
  root.add_option("--set", session.global.set, "Sets a broker property, as in num.partitions=3")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->expected(1);
  root.add_option("--allow-files", session.global.allowed_files, "Statements may read files in this directory")
      ->type_name("DIR")
      ->take_all()
      ->expected(1);
  root.add_flag("--no-color", session.global.no_color, "No colour, as with NO_COLOR");
  for (const auto add : {add_serve, add_topic, add_load, add_produce, add_consume, add_sql, add_schema, add_show, add_report, add_batch,
                         add_generate, add_demo, add_version, add_completion}) {
    add(root, chosen);
  }
  // `tripos help topic create` is `tripos topic create --help`.
  std::vector<std::string> words(arguments + 1, arguments + argument_count);
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    root.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", innermost(root).help("", CLI::AppFormatMode::Normal));
    return exit_done;
  } catch (const CLI::CallForAllHelp&) {
    fmt::print("{}", root.help("", CLI::AppFormatMode::All));
    return exit_done;
  } catch (const CLI::ParseError& error) {
    return explain_usage(root, error);
  }
  if (!chosen) {
    fmt::print("{}", innermost(root).help());
    return exit_done;
  }
  const Result<> outcome = chosen(session);
  std::fflush(stdout);
  if (outcome) return exit_done;
  if (!outcome.error().message.empty()) fmt::print(stderr, "tripos: {}\n", outcome.error().message);
  return outcome.error().code == ErrorCode::cancelled ? exit_interrupted : exit_failed;
}

}  // namespace tripos::app
