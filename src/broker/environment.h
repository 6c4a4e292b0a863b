// Environment: what the broker's parts stand on. All of it outlives them.
#pragma once

#include <functional>
#include <string>

#include "io/clock.h"
#include "io/executor.h"
#include "io/file_system.h"

namespace tripos::broker {

struct Environment {
  io::FileSystem& files;
  io::Clock& clock;
  io::Executor& executor;
  io::Background& background;
  // A sync failed: what the disk holds is unknown. Ends the process; a simulation may return.
  std::function<void(const Error&)> fatal;
  // For the operator's log: what happened, and what to do.
  std::function<void(std::string_view)> warn;
};

}  // namespace tripos::broker
