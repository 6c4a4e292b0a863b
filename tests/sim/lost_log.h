// The worst that can become of a log: a disk that loses what was synced, so that a table's files have more than the log. No offset of
// those may be given out again (rules, 1.7).
#pragma once

#include <memory>
#include <string>

#include "io/sim/sim_file_system.h"

namespace tripos::sim {

// Takes the tails of the logs off that have a manifest, starts on what is left, and writes to each. What is wrong; empty: nothing.
[[nodiscard]] std::string check_lost_log(std::unique_ptr<io::SimFileSystem> disk, std::uint64_t seed);

}  // namespace tripos::sim
