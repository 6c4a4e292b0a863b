// EndTimes: when a partition's end was where, as somebody has seen who looked each second; says how long a record waits without trusting
// the times that records bear. ConsumerLag: the same for all partitions that consumer groups have committed offsets of. Bounded: a few
// dozen sightings a partition, the older the sparser. Threads: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/ids.h"

namespace tripos::broker {
class Broker;
}

namespace tripos::app {

class EndTimes {
 public:
  static constexpr std::size_t sightings_max = 64;

  void see(MonotonicTime now, Offset end);
  // How long the record at `offset` has been there, at least; zero if it is not there.
  [[nodiscard]] MonotonicClock::duration waiting_since(MonotonicTime now, Offset offset) const;

 private:
  struct Sighting {
    MonotonicTime time;
    Offset end;
  };
  std::vector<Sighting> sightings_;  // both rise
};

class ConsumerLag {
 public:
  struct Position {
    const std::string& group;
    const std::string& topic;
    std::int32_t partition;
    Offset committed;
    std::int64_t lag;
    double lag_seconds;
  };

  explicit ConsumerLag(broker::Broker& broker) : broker_(broker) {}

  // Looks where the ends are; each second.
  void look();
  // All committed offsets of partitions that are served.
  void for_each(const std::function<void(const Position&)>& visit);

 private:
  broker::Broker& broker_;
  std::map<TopicPartition, EndTimes> ends_;
};

}  // namespace tripos::app
