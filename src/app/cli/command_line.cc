// The only file that knows CLI11: Flags and Commands over it, parsing, help, what is said of wrong usage.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <vector>

#include "app/cli/command.h"
#include "app/cli/interrupt.h"
#include "app/cli/suggestion.h"

namespace tripos::app {
namespace {

constexpr int exit_done = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_unhealthy = 10;
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
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 10 unhealthy.";

// The command that the words so far have reached.
const CLI::App& innermost(const CLI::App& app) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  return chosen.empty() ? app : innermost(*chosen.front());
}

std::string path_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : path_of(*app.get_parent()) + " " + app.get_name();
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

// Of the command and all below it.
void collect_words(const CLI::App& app, const std::string& path, std::vector<CommandWords>& words) {
  CommandWords& own = words.emplace_back(CommandWords{.path = path, .commands = {}, .flags = flags_of(app)});
  for (const CLI::App* command : commands_of(app)) own.commands.push_back(command->get_name());
  for (const CLI::App* command : commands_of(app)) {
    collect_words(*command, path.empty() ? command->get_name() : path + " " + command->get_name(), words);
  }
}

// The words that may stand where `word` stands.
std::vector<std::string> candidates(const CLI::App& app, std::string_view word) {
  std::vector<std::string> words;
  if (word.starts_with('-')) {
    for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
      const std::vector<std::string> flags = flags_of(*level);
      words.insert(words.end(), flags.begin(), flags.end());
    }
  } else {
    for (const CLI::App* command : commands_of(app)) words.push_back(command->get_name());
  }
  return words;
}

int explain_usage(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App& app = innermost(root);
  std::string message = error.what();
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) && !root.remaining(true).empty()) {
    const std::vector<std::string> unknown = root.remaining(true);
    // Of several the command, if it is one: what follows it could not be understood.
    const auto first =
        std::ranges::find_if(unknown, [&](const std::string& word) { return !closest_word(word, candidates(app, word)).empty(); });
    const std::string& word = first == unknown.end() ? unknown.front() : *first;
    const std::string kind = word.starts_with('-') ? "flag" : commands_of(app).empty() ? "argument" : "command";
    message = fmt::format("there is no {} '{}'", kind, word);
    const std::string close = closest_word(word, candidates(app, word));
    if (!close.empty()) message += fmt::format("; did you mean '{}'?", close);
  }
  fmt::print(stderr, "{}: {}\n{} --help says how.\n", path_of(app), message, path_of(app));
  return exit_usage;
}

template <typename Field>
FlagOption add_option(CLI::App& app, const std::string& names, Field& field, const std::string& text, const std::string& type) {
  return FlagOption(app.add_option(names, field, text)->type_name(type));
}

template <typename Field>
FlagOption add_list(CLI::App& app, const std::string& names, std::vector<Field>& field, const std::string& text, const std::string& type) {
  CLI::Option* option = app.add_option(names, field, text)->type_name(type);
  if (names.starts_with('-')) option->take_all()->expected(1);  // --set a=1 --set b=2
  return FlagOption(option);
}

}  // namespace

const FlagOption& FlagOption::required() const {
  option_->required();
  return *this;
}
const FlagOption& FlagOption::group(const std::string& name) const {
  option_->group(name);
  return *this;
}

using Text = const std::string&;
FlagOption Flags::option(Text names, std::string& field, Text text, Text type) { return add_option(app_, names, field, text, type); }
FlagOption Flags::option(Text names, std::int16_t& field, Text text, Text type) { return add_option(app_, names, field, text, type); }
FlagOption Flags::option(Text names, std::int32_t& field, Text text, Text type) { return add_option(app_, names, field, text, type); }
FlagOption Flags::option(Text names, std::uint64_t& field, Text text, Text type) { return add_option(app_, names, field, text, type); }
FlagOption Flags::option(Text names, double& field, Text text, Text type) { return add_option(app_, names, field, text, type); }
FlagOption Flags::option(Text names, std::optional<std::int32_t>& field, Text text, Text type) {
  return add_option(app_, names, field, text, type);
}
FlagOption Flags::option(Text names, std::optional<std::int64_t>& field, Text text, Text type) {
  return add_option(app_, names, field, text, type);
}
FlagOption Flags::option(Text names, std::optional<std::uint64_t>& field, Text text, Text type) {
  return add_option(app_, names, field, text, type);
}
FlagOption Flags::option(Text names, std::vector<std::string>& field, Text text, Text type) {
  return add_list(app_, names, field, text, type);
}
FlagOption Flags::option(Text names, std::vector<std::int32_t>& field, Text text, Text type) {
  return add_list(app_, names, field, text, type);
}
FlagOption Flags::flag(Text names, bool& field, Text text) { return FlagOption(app_.add_flag(names, field, text)); }

FlagOption Flags::choice(Text names, std::string& field, Text text, const std::vector<std::string>& words) {
  return choice(names, text, words, [&field](const std::string& word) { field = word; });
}
FlagOption Flags::choice(Text names, Text text, const std::vector<std::string>& words, const std::function<void(const std::string&)>& set) {
  const std::function<void(const std::string&)> checked = [words, set](const std::string& word) {
    if (std::ranges::find(words, word) == words.end())
      throw CLI::ValidationError(fmt::format("{} is not one of {}", word, fmt::join(words, ", ")));
    set(word);
  };
  return FlagOption(app_.add_option_function<std::string>(names, checked, text)->type_name(fmt::format("{}", fmt::join(words, "|"))));
}

void Flags::require_command() { app_.require_subcommand(1); }

Commands Commands::add(const CommandInfo& info, Run run) const {
  CLI::App* app = app_.add_subcommand(info.name, info.summary);
  app->footer(std::string("Examples:\n") + info.examples);
  app->fallthrough();  // flags may stand before or after a verb
  app->callback([app, run = std::move(run), &chosen = chosen_] {
    if (app->get_subcommands().empty()) chosen = run;  // else that one runs
  });
  return {*app, chosen_};
}

Result<Target*> Session::target() {
  if (!found) {
    TRIPOS_ASSIGN(Settings settings_read, settings());
    found = std::make_unique<Target>(std::move(settings_read));
    catch_interrupts();
    found->set_cancelled(&interrupted());
  }
  return found.get();
}

Result<client::KafkaConnection> Session::connect_kafka() {
  TRIPOS_ASSIGN(Target * server, target());
  return server->connect_kafka();
}

int run_command_line(int argument_count, const char* const* arguments) {
  Session session;
  Commands::Run chosen;
  CLI::App root(description, "tripos");
  root.footer(first_examples);
  root.get_formatter()->column_width(34);
  root.set_help_flag("-h,--help", "Say how, with examples");
  root.set_help_all_flag("--help-all", "Say everything of every command")->group("");
  Flags flags(root);
  flags.option("--data", session.global.data, "The data directory (TRIPOS_DATA)", "DIR");
  flags.option("--kafka", session.global.kafka, "Where the broker listens (TRIPOS_KAFKA)", "HOST:PORT");
  flags.option("--http", session.global.http, "Where HTTP listens (TRIPOS_HTTP)", "HOST:PORT");
  flags.option("--config", session.global.config_file, "A configuration file, in place of the usual ones", "FILE");
  flags.option("--set", session.global.set, "Sets a broker property, as in num.partitions=3", "KEY=VALUE");
  flags.option("--allow-files", session.global.allowed_files, "Statements may read files in this directory", "DIR");
  flags.flag("--no-color", session.global.no_color, "No colour, as with NO_COLOR");
  const Commands commands(root, chosen);
  for (const auto add :
       {add_serve, add_topic, add_load, add_produce, add_consume, add_sql,    add_schema,   add_show, add_report,  add_quality,
        add_batch, add_group, add_txn,  add_log,     add_status,  add_doctor, add_generate, add_demo, add_version, add_completion}) {
    add(commands);
  }
  session.all_words = [&root] {
    std::vector<CommandWords> words;
    collect_words(root, "", words);
    return words;
  };
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
  if (outcome) return session.unhealthy ? exit_unhealthy : exit_done;
  if (!outcome.error().message.empty()) fmt::print(stderr, "tripos: {}\n", outcome.error().message);
  return outcome.error().code == ErrorCode::cancelled ? exit_interrupted : exit_failed;
}

}  // namespace tripos::app
