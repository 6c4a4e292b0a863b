// Command: what every command of the command line is: a struct whose fields are its flags, with
//
//   static constexpr CommandInfo info   its name, what it does, examples
//   void flags(Flags& flags)            binds the fields to flags
//   Result<> run(Session& session)      does it
//
// The outcome becomes the exit code: 0 done, 1 failed, 2 wrong usage, 10 unhealthy (docs/guide/command_line.md).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/flags.h"
#include "app/config/settings.h"
#include "app/server/target.h"
#include "base/error.h"

namespace tripos::app {

struct CommandInfo {
  const char* name;
  const char* summary;
  const char* examples;
};

// A command's words, for completion.
struct CommandWords {
  std::string path;                   // "topic create"; empty: tripos itself
  std::vector<std::string> commands;  // that may follow
  std::vector<std::string> flags;     // "--topic"
};

// What a command works with.
struct Session {
  GlobalFlags global;
  std::unique_ptr<Target> found;
  std::function<std::vector<CommandWords>()> all_words;
  bool unhealthy = false;  // the command has done what it was asked, and found what must not be

  [[nodiscard]] Result<Settings> settings() const { return read_settings(global); }
  // Where the command's server is; waits for it end when the user interrupts.
  [[nodiscard]] Result<Target*> target();
  [[nodiscard]] Result<client::KafkaConnection> connect_kafka();
};

// A place in the tree of commands.
class Commands {
 public:
  using Run = std::function<Result<>(Session&)>;

  Commands(CLI::App& app, Run& chosen) : app_(app), chosen_(chosen) {}

  // Adds a command here; its own commands are added to what this returns.
  template <typename Command>
  Commands add() const {
    auto command = std::make_shared<Command>();
    const Commands place = add(Command::info, [command](Session& session) { return command->run(session); });
    Flags flags(place.app_);
    command->flags(flags);
    return place;
  }

 private:
  [[nodiscard]] Commands add(const CommandInfo& info, Run run) const;

  CLI::App& app_;
  Run& chosen_;  // what the arguments have chosen
};

// One per file of cli/.
void add_serve(const Commands& root);
void add_topic(const Commands& root);
void add_load(const Commands& root);
void add_produce(const Commands& root);
void add_consume(const Commands& root);
void add_sql(const Commands& root);
void add_schema(const Commands& root);
void add_show(const Commands& root);
void add_report(const Commands& root);
void add_quality(const Commands& root);
void add_batch(const Commands& root);
void add_group(const Commands& root);
void add_txn(const Commands& root);
void add_log(const Commands& root);
void add_status(const Commands& root);
void add_doctor(const Commands& root);
void add_generate(const Commands& root);
void add_demo(const Commands& root);
void add_version(const Commands& root);
void add_completion(const Commands& root);

// Parses, runs, and answers with the exit code.
[[nodiscard]] int run_command_line(int argument_count, const char* const* arguments);

}  // namespace tripos::app
