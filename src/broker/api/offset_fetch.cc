// OffsetFetch: how far groups have come. Only what is durable is shown. require_stable (v7 on): a partition whose offset an open
// transaction may yet change gets UNSTABLE_OFFSET_COMMIT.
#include <optional>
#include <utility>

#include "broker/api/group_handlers.h"
#include "broker/group/coordinator.h"

namespace tripos::broker {

namespace {

constexpr std::int16_t group_error_from = 2;
constexpr std::int16_t several_groups_from = 8;
constexpr std::int64_t no_offset = -1;

template <typename Partition>
Partition to_partition(std::int32_t index, const groups::CommittedOffset* committed) {
  Partition partition;
  partition.partition_index = index;
  partition.committed_offset = committed == nullptr ? no_offset : committed->offset;
  partition.committed_leader_epoch = committed == nullptr ? -1 : committed->leader_epoch;
  partition.metadata = committed == nullptr ? "" : committed->metadata;
  return partition;
}

// `asked`: topics and their partitions; none: all that the group has committed. The same for the two shapes that the versions have.
template <typename AnsweredTopic, typename AnsweredPartition, typename AskedTopics>
std::vector<AnsweredTopic> fetch(RequestContext& context, const std::string& group, const AskedTopics& asked, bool require_stable) {
  static const groups::CommittedOffsets nothing;
  const groups::CommittedOffsets* found = context.broker.groups().find_offsets(group);
  const groups::CommittedOffsets& offsets = found == nullptr ? nothing : *found;
  const auto answer_for = [&offsets, require_stable](const std::string& topic, std::int32_t index) {
    const bool unstable = require_stable && offsets.is_unstable(topic, index);
    auto partition = to_partition<AnsweredPartition>(index, unstable ? nullptr : offsets.find(topic, index));
    if (unstable) partition.error_code = wire::ErrorCode::unstable_offset_commit;
    return partition;
  };
  std::vector<AnsweredTopic> topics;
  if (asked) {
    topics.reserve(asked->size());
    for (const auto& topic : *asked) {
      const bool is_allowed = context.allows(Operation::describe, ResourceType::topic, topic.name);
      auto& answered = topics.emplace_back();
      answered.name = topic.name;
      answered.partitions.reserve(topic.partition_indexes.size());
      for (const std::int32_t index : topic.partition_indexes) {
        if (is_allowed) {
          answered.partitions.push_back(answer_for(topic.name, index));
        } else {
          answered.partitions.push_back(to_partition<AnsweredPartition>(index, nullptr));
          answered.partitions.back().error_code = wire::ErrorCode::topic_authorization_failed;
        }
      }
    }
    return topics;
  }
  for (const auto& [name, partitions] : offsets.all()) {
    if (!context.allows(Operation::describe, ResourceType::topic, name)) continue;
    auto& answered = topics.emplace_back();
    answered.name = name;
    for (const auto& [index, committed] : partitions) answered.partitions.push_back(answer_for(name, index));
  }
  return topics;
}

wire::ErrorCode check_group(RequestContext& context, const std::string& group) {
  if (!context.allows(Operation::describe, ResourceType::group, group)) return wire::ErrorCode::group_authorization_failed;
  return context.broker.groups().check_group(group);
}

wire::OffsetFetchResponse fetch_one(RequestContext& context, const wire::OffsetFetchRequest& request) {
  using Topic = wire::OffsetFetchResponse::OffsetFetchResponseTopic;
  using Partition = wire::OffsetFetchResponse::OffsetFetchResponsePartition;
  wire::OffsetFetchResponse response;
  response.error_code = check_group(context, request.group_id);
  if (response.error_code == wire::ErrorCode::none) {
    response.topics = fetch<Topic, Partition>(context, request.group_id, request.topics, request.require_stable);
    return response;
  }
  if (context.version >= group_error_from || !request.topics) return response;
  for (const auto& topic : *request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const std::int32_t index : topic.partition_indexes) {
      answered.partitions.push_back(to_partition<Partition>(index, nullptr));
      answered.partitions.back().error_code = response.error_code;
    }
  }
  return response;
}

}  // namespace

void handle_offset_fetch(RequestContext& context, const wire::OffsetFetchRequest& request, Reply<wire::OffsetFetchResponse> reply) {
  if (context.version < several_groups_from) return reply(fetch_one(context, request));
  wire::OffsetFetchResponse response;
  response.groups.reserve(request.groups.size());
  for (const auto& group : request.groups) {
    auto& answered = response.groups.emplace_back();
    answered.group_id = group.group_id;
    answered.error_code = check_group(context, group.group_id);
    if (answered.error_code != wire::ErrorCode::none) continue;
    answered.topics = fetch<wire::OffsetFetchResponse::OffsetFetchResponseTopics, wire::OffsetFetchResponse::OffsetFetchResponsePartitions>(
        context, group.group_id, group.topics, request.require_stable);
  }
  reply(response);
}

}  // namespace tripos::broker
