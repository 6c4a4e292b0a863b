// tripos version
#include "app/cli/command.h"

namespace tripos::app {
namespace {

struct Version {
  static constexpr CommandInfo info = {"version", "Which version this is", "  tripos version"};
  void flags(Flags&) {}
  Result<> run(Session&) {
    fmt::print("tripos {}\n", TRIPOS_VERSION);
    return {};
  }
};

}  // namespace

void add_version(const Commands& root) { root.add<Version>(); }

}  // namespace tripos::app
