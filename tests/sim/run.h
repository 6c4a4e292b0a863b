// One run of the simulation: a random workload of some seed, with a crash at each of its changes of the disk, and what is found wrong.
// All that happens follows from the seed, so that the same seed and point find the same again.
// Threads: any; each run is of one thread and shares nothing with others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tripos::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  std::uint64_t points_max = UINT64_MAX;
  std::optional<std::uint64_t> only_point = {};
};

struct RunResult {
  std::string wrong;                         // "check: what"; empty: nothing
  std::optional<std::uint64_t> wrong_point;  // none: found in the workload itself
  std::string where;                         // of it
  std::uint64_t operations = 0;              // of the disk, that changed it
  std::uint64_t points = 0;                  // crashes that were checked
  std::uint64_t repeats = 0;                 // left out: the same disk, and nothing learned since
  std::vector<std::uint64_t> states;         // hashes of distinct disks among the points
  std::uint64_t acknowledged = 0;            // records
  std::uint64_t transactions = 0;            // ended as they were asked to
  std::uint64_t lives = 0;                   // starts within the workload
};

[[nodiscard]] RunResult run(const RunOptions& options);

}  // namespace tripos::sim
