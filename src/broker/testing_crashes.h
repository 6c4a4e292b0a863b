// explore(): a script of clients on a TestBroker, with a crash at every change of its disk (io/sim/crash_explorer.h). For tests.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "broker/testing.h"
#include "io/sim/crash_explorer.h"

namespace tripos::broker {

struct Explored {
  std::string wrong;  // where a check failed; empty: nowhere
  std::uint64_t points = 0;
};

// `script(test, answers)` runs once. `check(test)` looks at a broker that has started on what a crash has left, and at the end at the one
// of the script; it fails as tests fail. Both know what was answered before the crash, and nothing of what comes after it.
template <typename Script, typename Check>
[[nodiscard]] Explored explore(std::uint64_t seed, Script script, Check check) {
  Answers answers;
  auto disk = std::make_unique<io::SimFileSystem>(seed);
  const auto knowledge = [&answers] {
    answers.listen();
    return answers.count();
  };
  io::CrashExplorer explorer({.seed = seed, .knowledge = knowledge}, [&check](auto left, const io::CrashPoint& point) -> std::string {
    SCOPED_TRACE(point.text());
    TestBroker test(TestBrokerOptions{.seed = point.seed, .disk = std::move(left)});
    check(test);
    return testing::Test::HasFailure() ? point.text() : "";
  });
  explorer.watch(*disk);
  TestBroker test(TestBrokerOptions{.seed = seed, .disk = std::move(disk)});
  script(test, answers);
  test.run();
  explorer.look(test.files());
  test.files().before_change(nullptr);
  if (explorer.wrong().empty()) check(test);
  return {.wrong = explorer.wrong(), .points = explorer.points()};
}

}  // namespace tripos::broker
