// What OffsetCommit and TxnOffsetCommit share: each partition is checked by itself; those that can be committed are committed together.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "broker/api/request.h"
#include "broker/group/coordinator.h"
#include "broker/topics.h"

namespace tripos::broker {

// NONE, or why an offset can't be committed for the partition.
[[nodiscard]] inline wire::ErrorCode check_offset_commit(RequestContext& context, const std::string& topic_name, std::int32_t partition,
                                                         std::size_t metadata_size) {
  if (!context.allows(Operation::read, ResourceType::topic, topic_name)) return wire::ErrorCode::topic_authorization_failed;
  const Topic* topic = context.broker.topics().find(topic_name);
  const bool is_there = topic != nullptr && partition >= 0 && partition < topic->partition_count();
  if (!is_there) return wire::ErrorCode::unknown_topic_or_partition;
  if (static_cast<std::int64_t>(metadata_size) > context.broker.config().integer("offset.metadata.max.bytes"))
    return wire::ErrorCode::offset_metadata_too_large;
  return wire::ErrorCode::none;
}

// Lays the answer out, `refused` or the partition's own error in it; the offsets of the partitions that have none.
template <typename Topics, typename Response>
[[nodiscard]] std::vector<groups::GroupCoordinator::NewOffset> offsets_to_commit(RequestContext& context, const Topics& topics,
                                                                                 wire::ErrorCode refused, Response& response) {
  std::vector<groups::GroupCoordinator::NewOffset> offsets;
  response.topics.reserve(topics.size());
  for (const auto& topic : topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    answered.partitions.reserve(topic.partitions.size());
    for (const auto& asked : topic.partitions) {
      auto& partition = answered.partitions.emplace_back();
      partition.partition_index = asked.partition_index;
      const auto metadata = asked.committed_metadata.value_or("");
      partition.error_code =
          refused == wire::ErrorCode::none ? check_offset_commit(context, topic.name, asked.partition_index, metadata.size()) : refused;
      if (partition.error_code != wire::ErrorCode::none) continue;
      offsets.push_back({topic.name, asked.partition_index, asked.committed_offset, asked.committed_leader_epoch, std::string(metadata)});
    }
  }
  return offsets;
}

// Fills in what is not refused yet.
template <typename Response>
void set_commit_error(Response& response, wire::ErrorCode code) {
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) {
      if (partition.error_code == wire::ErrorCode::none) partition.error_code = code;
    }
  }
}

}  // namespace tripos::broker
