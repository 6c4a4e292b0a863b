#include "app/metrics/consumer_lag.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "broker/broker.h"
#include "broker/group/coordinator.h"
#include "broker/topics.h"

namespace tripos::app {
namespace {

struct Committed {
  const std::string& group;
  const std::string& topic;
  TopicPartition id;
  const broker::Partition& partition;
  Offset offset;
};

// All committed offsets of partitions that are served and in use.
void for_each_committed(broker::Broker& broker, const std::function<void(const Committed&)>& visit) {
  broker.groups().for_each_group([&](const groups::Group& group) {
    const groups::CommittedOffsets* offsets = broker.groups().find_offsets(group.id());
    if (offsets == nullptr) return;
    for (const auto& [name, partitions] : offsets->all()) {
      const broker::Topic* topic = broker.topics().find(name);
      if (topic == nullptr) continue;
      for (const auto& [index, committed] : partitions) {
        if (index < 0 || index >= topic->partition_count()) continue;
        const broker::Partition* partition = topic->partitions[static_cast<std::size_t>(index)].get();
        if (partition == nullptr || partition->log() == nullptr) continue;
        visit({.group = group.id(),
               .topic = name,
               .id = {.topic = topic->id(), .partition = PartitionId(index)},
               .partition = *partition,
               .offset = Offset(committed.offset)});
      }
    }
  });
}

}  // namespace

void EndTimes::see(MonotonicTime now, Offset end) {
  if (!sightings_.empty() && end <= sightings_.back().end) return;
  sightings_.push_back({.time = now, .end = end});
  if (sightings_.size() <= sightings_max) return;
  // The one goes that tells least: whose neighbours are closest to each other for their age. What lies between two is then said to be as
  // young as the later one.
  std::size_t least = 1;
  double least_ratio = std::numeric_limits<double>::max();
  for (std::size_t i = 1; i + 1 < sightings_.size(); ++i) {
    const auto gap = static_cast<double>((sightings_[i + 1].time - sightings_[i - 1].time).count());
    const auto age = static_cast<double>((now - sightings_[i - 1].time).count());
    if (gap < least_ratio * age) {
      least_ratio = gap / age;
      least = i;
    }
  }
  sightings_.erase(sightings_.begin() + static_cast<std::ptrdiff_t>(least));
}

MonotonicClock::duration EndTimes::waiting_since(MonotonicTime now, Offset offset) const {
  const auto first = std::ranges::upper_bound(sightings_, offset, {}, &Sighting::end);
  return first == sightings_.end() ? MonotonicClock::duration::zero() : now - first->time;
}

void ConsumerLag::look() {
  const MonotonicTime now = broker_.environment().clock.monotonic();
  std::map<TopicPartition, EndTimes> seen;
  for_each_committed(broker_, [&](const Committed& committed) {
    if (seen.contains(committed.id)) return;
    EndTimes& times = seen[committed.id] = std::move(ends_[committed.id]);
    times.see(now, committed.partition.durable_end().offset);
  });
  ends_ = std::move(seen);  // of partitions that are gone nothing is kept
}

void ConsumerLag::for_each(const std::function<void(const Position&)>& visit) {
  look();
  const MonotonicTime now = broker_.environment().clock.monotonic();
  for_each_committed(broker_, [&](const Committed& committed) {
    const std::int64_t lag = std::max<std::int64_t>(0, committed.partition.durable_end().offset - committed.offset);
    const auto waiting = ends_[committed.id].waiting_since(now, committed.offset);
    visit({.group = committed.group,
           .topic = committed.topic,
           .partition = committed.id.partition.value(),
           .committed = committed.offset,
           .lag = lag,
           .lag_seconds = lag == 0 ? 0 : std::chrono::duration<double>(waiting).count()});
  });
}

}  // namespace tripos::app
