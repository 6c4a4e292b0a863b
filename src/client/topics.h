// Topics of a broker: create, list, describe, delete.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "client/kafka_connection.h"

namespace tripos::client {

struct PartitionMetadata {
  std::int32_t index = 0;
  std::int32_t leader = -1;
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> in_sync_replicas;
};

struct TopicMetadata {
  std::string name;
  Uuid id;
  bool internal = false;
  std::vector<PartitionMetadata> partitions;  // by index
};

struct NewTopic {
  std::string name;
  std::int32_t partition_count = -1;     // -1: the broker's default
  std::int16_t replication_factor = -1;  // as well
  std::vector<std::pair<std::string, std::string>> configs;
};

// already_exists if the topic does.
[[nodiscard]] Result<> create_topic(KafkaConnection& connection, const NewTopic& topic);
// not_found if the topic does not exist.
[[nodiscard]] Result<> delete_topic(KafkaConnection& connection, const std::string& name);
// All topics, by name.
[[nodiscard]] Result<std::vector<TopicMetadata>> list_topics(KafkaConnection& connection);
// `create`: where the topic is missing and the broker allows it.
[[nodiscard]] Result<TopicMetadata> describe_topic(KafkaConnection& connection, const std::string& name, bool create = false);
// The values that the topic itself sets (not those that it has from the broker), by name.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> topic_configs(KafkaConnection& connection, const std::string& name);

enum class OffsetAt : std::int64_t { latest = -1, earliest = -2 };
// What the end is: what is durable (the high watermark), or what no open transaction may yet change (the last stable offset).
enum class Isolation : std::int8_t { read_uncommitted = 0, read_committed = 1 };
// The offsets of each of the given partitions, in their order. `timestamp_ms`: of the first record at or after it; the end where none is.
[[nodiscard]] Result<std::vector<std::int64_t>> list_offsets(KafkaConnection& connection, const std::string& topic,
                                                             const std::vector<std::int32_t>& partitions, std::int64_t timestamp_ms,
                                                             Isolation isolation = Isolation::read_committed);

}  // namespace tripos::client
