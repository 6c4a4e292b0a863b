#include "lost_log.h"

#include <algorithm>
#include <random>
#include <vector>

#include "lambda/testing/exactness.h"
#include "log/paths.h"
#include "world.h"

namespace tripos::sim {

namespace {

struct Lost {
  lambda::Manifest manifest;
  PartitionId partition;
};

// Leaves a piece of the log's first segment, and no checkpoint that would tell of more.
void lose_tail(io::SimFileSystem& disk, const std::string& directory, std::mt19937_64& random) {
  const auto entries = disk.list(directory);
  if (!entries) return;
  bool first = true;
  for (const io::DirectoryEntry& entry : *entries) {
    const std::string path = directory + "/" + entry.name;
    if (first && log::segment_base_offset(entry.name)) {
      first = false;
      const auto file = disk.open(path, io::OpenMode::write);
      const auto size = file ? (*file)->size() : Result<std::uint64_t>(0);
      if (file && size) (void)(*file)->truncate(random() % (*size + 1));
      continue;
    }
    (void)disk.remove(path);
  }
}

std::vector<Lost> lose_tails(io::SimFileSystem& disk, std::mt19937_64& random) {
  store::LocalStore store(disk);
  const lambda::ManifestStore manifests(store, log::topics_directory("data"));
  std::vector<Lost> lost;
  const auto topics = disk.list(log::topics_directory("data"));
  if (!topics) return lost;
  for (const io::DirectoryEntry& entry : *topics) {
    const auto id = TopicId::from_text(entry.name);
    const auto manifest = id ? manifests.load(*id) : Result<lambda::Manifest>(lambda::Manifest());
    if (!manifest || manifest->version == 0) continue;
    for (PartitionId partition(0); partition.value() < 2; ++partition) {
      if (manifest->end_of(partition) == Offset(0) || random() % 3 == 0) continue;
      lose_tail(disk, log::partition_directory("data", {.topic = *id, .partition = partition}), random);
      lost.push_back({.manifest = *manifest, .partition = partition});
    }
  }
  return lost;
}

}  // namespace

std::string check_lost_log(std::unique_ptr<io::SimFileSystem> disk, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::vector<Lost> lost = lose_tails(*disk, random);
  if (lost.empty()) return {};
  World world(std::move(disk), seed);
  if (!world.is_open()) return "open: " + world.complaints();
  for (const Lost& each : lost) {
    const broker::Topic* const topic = world.broker().broker().topics().find(each.manifest.topic_id);
    if (topic == nullptr) continue;
    const Offset floor = each.manifest.end_of(each.partition);
    const Buffer batch = broker::batch_of({R"({"after":true})"}, {}, world.loop().wall().time_since_epoch().count());
    const auto produced = world.broker().produce(topic->name(), batch, each.partition.value());
    if (produced.error_code != wire::ErrorCode::none) {
      return fmt::format("refused: Produce to {}-{}: error {}", topic->name(), each.partition, static_cast<int>(produced.error_code));
    }
    if (produced.base_offset < floor.value()) {
      return fmt::format("offset_twice: {}-{} gives out offset {}; the table's files end at {}", topic->name(), each.partition,
                         produced.base_offset, floor);
    }
    const TopicDescription description{.id = topic->id(), .name = topic->name(), .partition_count = topic->partition_count()};
    const auto pinned = world.tables().pin_rows(description);
    if (!pinned) return "table: no pin: " + pinned.error().message;
    const auto rows = lambda::rows_of(pinned->files(), pinned->ranges, topic->id(), each.partition, world.columns(), world.manifests());
    if (!rows) return "table: " + rows.error().message;
    // An open transaction of what is left of the log may hold it back.
    const auto range = std::ranges::find(pinned->ranges, each.partition, &PartitionRange::partition);
    const bool stable = range != pinned->ranges.end() && range->end.offset.value() > produced.base_offset;
    if (stable && (rows->empty() || rows->back().offset.value() != produced.base_offset)) return "table: the new record is not in it";
    for (std::size_t i = 1; i < rows->size(); ++i) {
      if ((*rows)[i].offset <= (*rows)[i - 1].offset)
        return fmt::format("offset_twice: {}-{} at {}", topic->name(), each.partition, (*rows)[i].offset);
    }
  }
  return {};
}

}  // namespace tripos::sim
