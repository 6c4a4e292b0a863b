// Command: what every command of the command line is: a struct whose fields are its flags, with
//
//   static constexpr CommandInfo info   its name, what it does, examples
//   void flags(CLI::App& app)           binds the fields to flags
//   Result<> run(Session& session)      does it
//
// The outcome becomes the exit code: 0 done, 1 failed, 2 wrong usage (docs/guide/command_line.md).
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <functional>
#include <memory>
#include <string>

#include "app/config/settings.h"
#include "app/server/target.h"
#include "base/error.h"

namespace tripos::app {

struct CommandInfo {
  const char* name;
  const char* summary;
  const char* examples;
};

// What a command works with.
struct Session {
  GlobalFlags global;
  // Reads the settings and makes the target when first asked.
  [[nodiscard]] Result<Settings> settings() const { return read_settings(global); }
  [[nodiscard]] Result<Target*> target();

  std::unique_ptr<Target> found;
};

// Which command was chosen, once the arguments are parsed.
using Chosen = std::function<Result<>(Session&)>;

// Adds a command below `parent`. Flags may stand before or after a verb.
template <typename Command>
CLI::App& add_command(CLI::App& parent, Chosen& chosen) {
  const CommandInfo& info = Command::info;
  CLI::App* app = parent.add_subcommand(info.name, info.summary);
  app->footer(std::string("Examples:\n") + info.examples);
  app->fallthrough();
  auto command = std::make_shared<Command>();
  command->flags(*app);
  app->callback([command, &chosen, app] {
    if (!app->get_subcommands().empty()) return;  // that one runs
    chosen = [command](Session& session) { return command->run(session); };
  });
  return *app;
}

// One per file of cli/.
void add_serve(CLI::App& root, Chosen& chosen);
void add_topic(CLI::App& root, Chosen& chosen);
void add_load(CLI::App& root, Chosen& chosen);
void add_produce(CLI::App& root, Chosen& chosen);
void add_consume(CLI::App& root, Chosen& chosen);
void add_sql(CLI::App& root, Chosen& chosen);
void add_schema(CLI::App& root, Chosen& chosen);
void add_show(CLI::App& root, Chosen& chosen);
void add_report(CLI::App& root, Chosen& chosen);
void add_batch(CLI::App& root, Chosen& chosen);
void add_generate(CLI::App& root, Chosen& chosen);
void add_demo(CLI::App& root, Chosen& chosen);
void add_version(CLI::App& root, Chosen& chosen);
void add_completion(CLI::App& root, Chosen& chosen);

// Parses, runs, and answers with the exit code.
[[nodiscard]] int run_command_line(int argument_count, const char* const* arguments);

}  // namespace tripos::app
