#include "world.h"

#include <algorithm>
#include <utility>

#include "log/paths.h"

namespace tripos::sim {

namespace {
// What recovery says of an end that no sync has reached, and of the journal.
bool is_expected(std::string_view warning) {
  return (warning.starts_with("recovery cut") && warning.find("never acknowledged") != std::string_view::npos) ||
         warning.starts_with("the journal held");
}
}  // namespace

std::vector<TopicDescription> LoopSource::topics() { return source::describe_topics(*broker_); }

Result<std::vector<PartitionRange>> LoopSource::ranges(std::span<const RangeRequest> requests) {
  return source::read_ranges(*broker_, requests);
}

World::World(std::unique_ptr<io::SimFileSystem> disk, std::uint64_t seed) {
  io::SimFileSystem& files = *disk;
  store_ = std::make_unique<store::LocalStore>(files);
  manifests_ = std::make_unique<lambda::ManifestStore>(*store_, log::topics_directory("data"));
  floors_ = std::make_unique<lambda::OffsetFloors>(*manifests_, [this](const Error& damaged) { complain(damaged.message); });
  broker::TestBrokerOptions options;
  options.config = {{"offsets.topic.num.partitions", "1"}, {"transaction.state.log.num.partitions", "1"}};
  options.seed = seed;
  // One life in four without a journal; of the others one each whose loop waits for all of its rounds, for none, and for the later ones.
  if (seed % 4 == 0) options.journal = {};
  if (seed % 4 == 1) options.journal.quick.before = 0;
  if (seed % 4 == 2) options.journal.quick.limit = {};
  options.disk = std::move(disk);
  options.trim_guard = [this](const auto& leaving, auto allowed) { guard_trim(leaving, std::move(allowed)); };
  options.offset_floor = [this](const TopicPartition& partition) { return floors_->floor(partition); };
  broker_ = std::make_unique<broker::TestBroker>(std::move(options));
  if (!broker_->is_open()) return;
  source_.serve(&broker_->broker());
  columns_ = std::make_unique<lambda::PlainColumnFiles>(files);
  tables_ = std::make_unique<lambda::Tables>(source_, *manifests_);
  rival_tables_ = std::make_unique<lambda::Tables>(source_, *manifests_);
  const auto now = [] { return WallTime(); };
  const lambda::Snapshotter::Limits limits{.parallel_bytes_min = 500, .file_bytes_max = 1000};
  snapshotter_ = std::make_unique<lambda::Snapshotter>(*tables_, *columns_, now, limits);
  rival_ = std::make_unique<lambda::Snapshotter>(*rival_tables_, *columns_, now, limits);
}

std::string World::complaints() const {
  if (!is_open()) return broker_->open_error();
  if (broker_->has_failed()) return "a sync failed";
  if (!complaints_.empty()) return complaints_.front();
  for (const std::string& warning : broker_->warnings()) {
    if (!is_expected(warning)) return warning;
  }
  return "";
}

void World::start_snapshot(Committer committer) {
  lambda::Snapshotter& snapshotter = committer == Committer::server ? *snapshotter_ : *rival_;
  const auto run = [this, &snapshotter] {
    const auto made = snapshotter.run("");
    if (!made && made.error().code != ErrorCode::not_found) complain("a batch run failed: " + made.error().message);
  };
  loop().run(run, [] {});
}

bool World::stop() {
  bool stopped = false;
  broker_->broker().stop([&stopped] { stopped = true; });
  broker_->run();
  return stopped;
}

void World::guard_trim(const broker::LeavingRecords& leaving, std::function<void(const Result<Offset>&)> allowed) {
  const auto result = std::make_shared<Result<Offset>>(Offset(0));
  loop().run([this, leaving, result] { *result = prepare_trim(leaving); }, [result, allowed = std::move(allowed)] { allowed(*result); });
}

Result<Offset> World::prepare_trim(const broker::LeavingRecords& leaving) {
  const auto topics = source_.topics();
  const auto topic = std::ranges::find(topics, leaving.partition.topic, &TopicDescription::id);
  if (topic == topics.end()) return fail(ErrorCode::unavailable, "the topic was deleted");
  if (!topic->table || topic->internal) return leaving.end;
  switch (leaving.trim) {
    case log::Trim::compaction: TRIPOS_TRY(snapshotter_->keep_schema(*topic)); return leaving.end;
    case log::Trim::deletion: return leaving.end;
    case log::Trim::retention:
      return topic->compacted ? leaving.end : snapshotter_->cover(*topic, leaving.partition.partition, leaving.end);
  }
  return leaving.end;
}

}  // namespace tripos::sim
