// The names of things in a log. Kafka's terms, each a type of its own.
#pragma once

#include <cstdint>
#include <string>

#include "base/strong_id.h"
#include "base/uuid.h"

namespace tripos {

using Offset = StrongId<struct OffsetTag, std::int64_t>;            // of a record in its partition
using PartitionId = StrongId<struct PartitionIdTag, std::int32_t>;  // of a partition in its topic
using ProducerId = StrongId<struct ProducerIdTag, std::int64_t>;
using ProducerEpoch = StrongId<struct ProducerEpochTag, std::int16_t>;
using Sequence = StrongId<struct SequenceTag, std::int32_t>;  // of a record from its producer; wraps to 0 after 2^31-1
using LeaderEpoch = StrongId<struct LeaderEpochTag, std::int32_t>;

inline constexpr ProducerId no_producer_id{-1};
inline constexpr ProducerEpoch no_producer_epoch{-1};
inline constexpr Sequence no_sequence{-1};
inline constexpr Offset offset_max{INT64_MAX};

using TopicId = Uuid;

struct TopicPartition {
  TopicId topic;
  PartitionId partition;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) noexcept = default;
};

}  // namespace tripos

template <>
struct std::hash<tripos::TopicPartition> {
  std::size_t operator()(const tripos::TopicPartition& tp) const noexcept {
    return std::hash<tripos::Uuid>{}(tp.topic) * 31 + std::hash<tripos::PartitionId>{}(tp.partition);
  }
};
