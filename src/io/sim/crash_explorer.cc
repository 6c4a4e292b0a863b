#include "io/sim/crash_explorer.h"

#include <utility>

namespace tripos::io {

std::uint64_t mix_seeds(std::uint64_t first, std::uint64_t second) noexcept {
  // SplitMix64's finisher.
  std::uint64_t mixed = first * 0x9e3779b97f4a7c15U + second;
  mixed = (mixed ^ mixed >> 30U) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ mixed >> 27U) * 0x94d049bb133111ebU;
  return mixed ^ mixed >> 31U;
}

std::string CrashPoint::text() const { return fmt::format("point {} (before operation {}, {})", number, operation, to_string(survival)); }

void CrashExplorer::watch(SimFileSystem& disk) {
  disk.before_change([this, &disk] { look(disk); });
}

void CrashExplorer::look(const SimFileSystem& disk) {
  const std::uint64_t operation = operations_++;
  if (operation % options_.stride != 0) return;
  for (std::size_t way = 0; way < options_.survivals.size(); ++way) {
    if (!wrong_.empty() || points_ >= options_.points_max) return;
    const std::uint64_t number = operation * options_.survivals.size() + way;
    if (options_.only && *options_.only != number) continue;
    look_once(disk,
              {.number = number, .operation = operation, .survival = options_.survivals[way], .seed = mix_seeds(options_.seed, number)});
  }
}

void CrashExplorer::look_once(const SimFileSystem& disk, CrashPoint point) {
  auto left = disk.after_power_cut(point.survival, point.seed);
  const std::uint64_t hash = left->content_hash();
  if (!checked_.insert(mix_seeds(hash, options_.knowledge())).second) {
    ++repeats_;
    return;
  }
  ++points_;
  states_.insert(hash);
  wrong_ = check_(std::move(left), point);
  if (!wrong_.empty()) wrong_point_ = point;
}

}  // namespace tripos::io
