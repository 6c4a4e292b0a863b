// OffsetFetch: how far groups have come. Only what is durable is shown; no transaction ever holds an offset back (require_stable), since
// there are none yet.
#include <optional>
#include <utility>

#include "broker/api/group_handlers.h"
#include "broker/group/coordinator.h"

namespace tripos::broker {

namespace {

using Response = wire::OffsetFetchResponse;

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
std::vector<AnsweredTopic> fetch(RequestContext& context, const std::string& group, const AskedTopics& asked) {
  static const groups::CommittedOffsets nothing;
  const groups::CommittedOffsets* found = context.broker.groups().find_offsets(group);
  const groups::CommittedOffsets& offsets = found == nullptr ? nothing : *found;
  std::vector<AnsweredTopic> topics;
  if (asked) {
    topics.reserve(asked->size());
    for (const auto& topic : *asked) {
      const bool is_allowed = context.allows(Operation::describe, ResourceType::topic, topic.name);
      auto& answered = topics.emplace_back();
      answered.name = topic.name;
      answered.partitions.reserve(topic.partition_indexes.size());
      for (const std::int32_t index : topic.partition_indexes) {
        answered.partitions.push_back(to_partition<AnsweredPartition>(index, is_allowed ? offsets.find(topic.name, index) : nullptr));
        if (!is_allowed) answered.partitions.back().error_code = wire::ErrorCode::topic_authorization_failed;
      }
    }
    return topics;
  }
  for (const auto& [name, partitions] : offsets.all()) {
    if (!context.allows(Operation::describe, ResourceType::topic, name)) continue;
    auto& answered = topics.emplace_back();
    answered.name = name;
    for (const auto& [index, committed] : partitions) answered.partitions.push_back(to_partition<AnsweredPartition>(index, &committed));
  }
  return topics;
}

Response fetch_one(RequestContext& context, const wire::OffsetFetchRequest& request) {
  using Topic = Response::OffsetFetchResponseTopic;
  using Partition = Response::OffsetFetchResponsePartition;
  Response response;
  if (context.allows(Operation::describe, ResourceType::group, request.group_id)) {
    response.topics = fetch<Topic, Partition>(context, request.group_id, request.topics);
    return response;
  }
  response.error_code = wire::ErrorCode::group_authorization_failed;
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

void handle_offset_fetch(RequestContext& context, const wire::OffsetFetchRequest& request, Reply<Response> reply) {
  if (context.version < several_groups_from) return reply(fetch_one(context, request));
  Response response;
  response.groups.reserve(request.groups.size());
  for (const auto& group : request.groups) {
    auto& answered = response.groups.emplace_back();
    answered.group_id = group.group_id;
    if (context.allows(Operation::describe, ResourceType::group, group.group_id)) {
      answered.topics =
          fetch<Response::OffsetFetchResponseTopics, Response::OffsetFetchResponsePartitions>(context, group.group_id, group.topics);
    } else {
      answered.error_code = wire::ErrorCode::group_authorization_failed;
    }
  }
  reply(response);
}

}  // namespace tripos::broker
