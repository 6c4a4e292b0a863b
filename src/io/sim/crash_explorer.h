// CrashExplorer: crashes at every change of a simulated disk, in one run of whatever works on it.
//
// Before each operation that changes the disk (and where look() is called) it takes the disk as each kind of crash would leave it, and
// hands it to the check, which starts whatever it wants on it; then the run goes on as if nothing had happened. So a run of N operations
// costs one run and its checks, not N runs. A disk that was checked already, with nothing learned since, is a repeat and is left out.
// Points are numbered; `only` replays a single one of them.
// Threads: none. Made before the disk's run, outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "io/sim/sim_file_system.h"

namespace tripos::io {

struct CrashPoint {
  std::uint64_t number = 0;     // within the run
  std::uint64_t operation = 0;  // of the disk, that did not come to be
  Survival survival = Survival::nothing;
  std::uint64_t seed = 0;  // the point's own

  [[nodiscard]] std::string text() const;
};

class CrashExplorer {
 public:
  struct Options {
    std::uint64_t seed = 0;
    // The kinds of crash at each operation; one that comes twice is drawn twice.
    std::vector<Survival> survivals = {Survival::killed,    Survival::nothing,   Survival::everything,
                                       Survival::beginning, Survival::selection, Survival::selection};
    std::uint64_t stride = 1;                                     // only each so manieth operation
    std::uint64_t points_max = UINT64_MAX;                        // then it looks no more
    std::optional<std::uint64_t> only = {};                       // only this point
    std::function<std::uint64_t()> knowledge = [] { return 0; };  // grows with what the check knows
  };
  // What is wrong with the disk that is left; empty: nothing.
  using Check = std::function<std::string(std::unique_ptr<SimFileSystem> left, const CrashPoint& point)>;

  CrashExplorer(Options options, Check check) : options_(std::move(options)), check_(std::move(check)) {}
  CrashExplorer(const CrashExplorer&) = delete;
  CrashExplorer& operator=(const CrashExplorer&) = delete;

  // From now on, at each of the disk's changes.
  void watch(SimFileSystem& disk);
  // Now.
  void look(const SimFileSystem& disk);

  // The first thing that was wrong, with its point; nothing is looked at after it.
  [[nodiscard]] const std::string& wrong() const noexcept { return wrong_; }
  [[nodiscard]] const std::optional<CrashPoint>& wrong_point() const noexcept { return wrong_point_; }

  [[nodiscard]] std::uint64_t operations() const noexcept { return operations_; }
  [[nodiscard]] std::uint64_t points() const noexcept { return points_; }    // checked
  [[nodiscard]] std::uint64_t repeats() const noexcept { return repeats_; }  // left out
  // The hashes of the disks that were checked: distinct durable states.
  [[nodiscard]] const std::unordered_set<std::uint64_t>& states() const noexcept { return states_; }

 private:
  void look_once(const SimFileSystem& disk, CrashPoint point);

  Options options_;
  Check check_;
  std::string wrong_;
  std::optional<CrashPoint> wrong_point_;
  std::uint64_t operations_ = 0;
  std::uint64_t points_ = 0;
  std::uint64_t repeats_ = 0;
  std::unordered_set<std::uint64_t> states_;
  std::unordered_set<std::uint64_t> checked_;  // with what was known
};

// Another number, spread over all bits.
[[nodiscard]] std::uint64_t mix_seeds(std::uint64_t first, std::uint64_t second) noexcept;

}  // namespace tripos::io
