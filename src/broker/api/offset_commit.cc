// OffsetCommit: answered when the offsets are durable. Partitions that can't be committed are told so; the others are committed together.
#include <memory>
#include <utility>

#include "broker/api/group_handlers.h"
#include "broker/group/coordinator.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

using Response = wire::OffsetCommitResponse;
using RequestPartition = wire::OffsetCommitRequest::OffsetCommitRequestPartition;

wire::ErrorCode check(RequestContext& context, const std::string& topic_name, const RequestPartition& partition) {
  if (!context.allows(Operation::read, ResourceType::topic, topic_name)) return wire::ErrorCode::topic_authorization_failed;
  const Topic* topic = context.broker.topics().find(topic_name);
  const bool is_there = topic != nullptr && partition.partition_index >= 0 && partition.partition_index < topic->partition_count();
  if (!is_there) return wire::ErrorCode::unknown_topic_or_partition;
  const auto metadata_size = static_cast<std::int64_t>(partition.committed_metadata.value_or("").size());
  if (metadata_size > context.broker.config().integer("offset.metadata.max.bytes")) return wire::ErrorCode::offset_metadata_too_large;
  return wire::ErrorCode::none;
}

// Fills in what is not refused yet.
void set_error(Response& response, wire::ErrorCode code) {
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) {
      if (partition.error_code == wire::ErrorCode::none) partition.error_code = code;
    }
  }
}

}  // namespace

void handle_offset_commit(RequestContext& context, const wire::OffsetCommitRequest& request, Reply<Response> reply) {
  const bool is_allowed = context.allows(Operation::read, ResourceType::group, request.group_id);
  Response response;
  std::vector<groups::GroupCoordinator::NewOffset> offsets;
  response.topics.reserve(request.topics.size());
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    answered.partitions.reserve(topic.partitions.size());
    for (const RequestPartition& asked : topic.partitions) {
      auto& partition = answered.partitions.emplace_back();
      partition.partition_index = asked.partition_index;
      partition.error_code = is_allowed ? check(context, topic.name, asked) : wire::ErrorCode::group_authorization_failed;
      if (partition.error_code != wire::ErrorCode::none) continue;
      offsets.push_back(
          {topic.name, asked.partition_index, asked.committed_offset, asked.committed_leader_epoch, asked.committed_metadata.value_or("")});
    }
  }
  if (offsets.empty()) return reply(response);

  groups::Commit event;
  event.member_id = request.member_id;
  event.instance_id = request.group_instance_id;
  event.generation = request.generation_id_or_member_epoch;
  std::optional<std::chrono::milliseconds> retention;
  if (request.retention_time_ms >= 0) retention = std::chrono::milliseconds(request.retention_time_ms);
  const auto committed = [reply, response = std::make_shared<Response>(std::move(response))](wire::ErrorCode code) {
    set_error(*response, code);
    reply(*response);
  };
  context.broker.groups().commit(request.group_id, std::move(event), std::move(offsets), retention, committed);
}

}  // namespace tripos::broker
