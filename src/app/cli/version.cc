// tripos version
#include "app/cli/command.h"

namespace tripos::app {
namespace {

struct Version {
  static constexpr CommandInfo info = {"version", "Which version this is", "  tripos version"};
  void flags(CLI::App&) {}
  Result<> run(Session&) {
    fmt::print("tripos {}\n", TRIPOS_VERSION);
    return {};
  }
};

}  // namespace

void add_version(CLI::App& root, Chosen& chosen) { add_command<Version>(root, chosen); }

}  // namespace tripos::app
