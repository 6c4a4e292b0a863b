#include "broker/cleaner.h"

#include <algorithm>
#include <random>
#include <utility>

#include "broker/straddling_transactions.h"
#include "broker/told_once.h"
#include "broker/topics.h"
#include "log/paths.h"

namespace tripos::broker {

namespace {

std::uint64_t random_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

log::CompactionPolicy policy_of(const TopicConfig& config) {
  return {.lag_min_ms = config.compaction_lag_min_ms,
          .lag_max_ms = config.compaction_lag_max_ms,
          .dirty_ratio_min = config.cleanable_ratio_min,
          .delete_retention_ms = config.delete_retention_ms};
}

Result<> remove_cleaned_files(io::FileSystem& files, const std::string& directory) {
  const auto entries = files.list(directory);
  if (!entries) return entries.error().code == ErrorCode::not_found ? Result<>() : tl::unexpected(entries.error());
  for (const io::DirectoryEntry& entry : *entries) {
    if (!entry.name.ends_with(log::cleaned_suffix)) continue;
    if (auto removed = files.remove(directory + "/" + entry.name); !removed && removed.error().code != ErrorCode::not_found) return removed;
  }
  return {};
}

}  // namespace

struct Cleaner::Run {
  TopicPartition id;
  std::string topic;
  std::string directory;
  log::CompactionPlan plan;
  std::unique_ptr<log::Compaction> compaction;
  Result<log::Compaction::State> state = log::Compaction::State::mapping;  // written by the step that is under way
};

Cleaner::Cleaner(Broker& broker) : broker_(broker) { check_later(); }

Cleaner::~Cleaner() {
  *alive_ = false;
  broker_.environment().executor.cancel(timer_);
}

void Cleaner::check_later() {
  const std::chrono::milliseconds backoff(std::max<std::int64_t>(1, broker_.config().integer("log.cleaner.backoff.ms")));
  timer_ = broker_.environment().executor.post_after(backoff, [this] {
    check();
    check_later();
  });
}

void Cleaner::check() {
  if (broker_.stopping() || running_ != nullptr || !broker_.config().boolean("log.cleaner.enable")) return;
  const std::int64_t now_ms = broker_.environment().clock.wall().time_since_epoch().count();
  std::optional<std::pair<TopicPartition, log::CompactionPlan>> dirtiest;
  for (Topic* const topic : broker_.topics().all()) {
    if (!topic->config.compacted) continue;
    for (const auto& partition : topic->partitions) {
      if (partition == nullptr || partition->log() == nullptr || damaged_.contains(partition->id())) continue;
      const auto plan = this->plan(*topic, *partition, now_ms);
      if (plan && (!dirtiest || plan->dirty_ratio() > dirtiest->second.dirty_ratio())) dirtiest = {partition->id(), *plan};
    }
  }
  if (dirtiest) start(dirtiest->first, dirtiest->second);
}

std::optional<log::CompactionPlan> Cleaner::plan(Topic& topic, Partition& partition, std::int64_t now_ms) const {
  log::PartitionLog& log = *partition.log();
  const auto segments = log.segments();
  if (!segments || segments->size() < 2) return std::nullopt;
  const log::CompactionPolicy policy = policy_of(topic.config);
  // Not what straddles: of what it supersedes, readers who are not shown it need the older record.
  const Offset settled = broker_.straddling().settled_end(partition.id(), partition.stable_offset().offset);
  const Offset end = std::min(settled, log.checkpointed_segment());
  const auto plan = log::plan_compaction(*segments, log.compacted_below(), end, policy, now_ms);
  if (!plan) return std::nullopt;
  std::int64_t first_dirty_timestamp_ms = -1;
  const auto first_dirty = std::ranges::find_if(*segments, [&](const auto& each) { return each.end_offset > plan->dirty_from; });
  if (policy.lag_max_ms != std::numeric_limits<std::int64_t>::max() && first_dirty != segments->end()) {
    first_dirty_timestamp_ms = log.first_timestamp(first_dirty->base_offset).value_or(-1);
  }
  return log::is_due(*plan, policy, first_dirty_timestamp_ms, now_ms) ? plan : std::nullopt;
}

Partition* Cleaner::find(const Run& run) const {
  const auto partition = broker_.topics().partition(run.id);
  return partition ? *partition : nullptr;
}

void Cleaner::start(const TopicPartition& id, const log::CompactionPlan& plan) {
  running_ = std::make_shared<Run>();
  const auto run = running_;
  run->id = id;
  run->topic = broker_.topics().find(id.topic)->name();
  run->directory = log::partition_directory(broker_.directory(), id);
  run->plan = plan;
  const auto allowed = [this, alive = alive_, run](const Result<Offset>& allowed_below) {
    if (!*alive) return;
    if (!allowed_below) return end(run, tl::unexpected(allowed_below.error()));
    Partition* const partition = find(*run);
    if (partition == nullptr || *allowed_below < run->plan.end) return end(run, {});  // not yet
    partition->save_producers(run->plan.end, then(run, [this, run] { begin(run); }));
  };
  broker_.ask_trim_guard({.partition = id, .end = plan.end, .trim = log::Trim::compaction}, allowed);
}

std::function<void(const Result<>&)> Cleaner::then(const std::shared_ptr<Run>& run, std::function<void()> next) {
  const auto told = [this, alive = alive_, run, next = std::move(next)](const Result<>& result) {
    if (!*alive) return;
    if (!result) return end(run, result);
    next();
  };
  return told_once<Result<>>(told, fail(ErrorCode::conflict, "the topic was deleted"));
}

void Cleaner::begin(const std::shared_ptr<Run>& run) {
  Partition* const partition = find(*run);
  if (partition == nullptr) return end(run, {});
  log::PartitionLog& log = *partition->log();
  auto segments = log.closed_segments(run->plan.end);
  if (!segments) return end(run, tl::unexpected(segments.error()));
  if (segments->empty()) return end(run, {});  // trimmed meanwhile
  const TopicConfig& config = broker_.topics().find(run->id.topic)->config;
  const log::CompactionOptions options{.segment_bytes = static_cast<std::uint64_t>(config.segment_bytes),
                                       .index_interval_bytes = static_cast<std::uint32_t>(config.index_interval_bytes),
                                       .delete_retention_ms = config.delete_retention_ms,
                                       .map_bytes = static_cast<std::uint64_t>(broker_.config().integer("log.cleaner.dedupe.buffer.size")),
                                       .seed = random_seed()};
  const auto aborted = partition->aborted(segments->front().base, run->plan.end);
  const std::int64_t now_ms = broker_.environment().clock.wall().time_since_epoch().count();
  run->compaction = std::make_unique<log::Compaction>(broker_.environment().files, run->directory, std::move(*segments), log.start_offset(),
                                                      run->plan.dirty_from, aborted, options, now_ms);
  step(run);
}

void Cleaner::step(const std::shared_ptr<Run>& run) {
  if (broker_.stopping() || find(*run) == nullptr) return end(run, {});
  // What goes wrong in a step is the step's: the files it writes count for nothing yet.
  broker_.commit().run_chore(
      [run]() -> Result<> {
        run->state = run->compaction->step();
        return {};
      },
      then(run, [this, run] { stepped(run); }));
}

void Cleaner::stepped(const std::shared_ptr<Run>& run) {
  Partition* const partition = find(*run);
  if (partition == nullptr) return end(run, {});
  if (!run->state) return end(run, tl::unexpected(run->state.error()));
  switch (*run->state) {
    case log::Compaction::State::mapping:
    case log::Compaction::State::writing: return step(run);
    case log::Compaction::State::ready:
      partition->log()->replace(run->compaction->cleaned(), then(run, [this, run] {
                                  if (Partition* const compacted = find(*run)) {
                                    compacted->forget_aborted(run->compaction->cleaned().dropped_markers);
                                  }
                                  step(run);
                                }));
      return;
    case log::Compaction::State::done:
      partition->log()->set_compacted_below(run->compaction->compacted_below(), then(run, [this, run] { end(run, {}); }));
      return;
  }
}

void Cleaner::end(const std::shared_ptr<Run>& run, const Result<>& result) {
  running_ = nullptr;
  if (!result && result.error().code != ErrorCode::conflict) {
    broker_.environment().warn(
        fmt::format("partition {}-{} could not be compacted: {}", run->topic, run->id.partition, result.error().message));
    if (result.error().code == ErrorCode::corrupt || result.error().code == ErrorCode::malformed) damaged_.insert(run->id);
  }
  const bool whole = result && run->state && *run->state == log::Compaction::State::done;
  if (!whole && run->compaction != nullptr) {
    run->compaction.reset();
    // The next run makes them anew, and recovery removes them: left behind they only take space.
    broker_.commit().run_chore(
        [&files = broker_.environment().files, directory = run->directory] { return remove_cleaned_files(files, directory); },
        [](const Result<>&) {});
  }
  // There may be more to do; after a failure not before the next look.
  if (whole) {
    broker_.environment().executor.post([this, alive = alive_] {
      if (*alive) check();
    });
  }
}

}  // namespace tripos::broker
