// OffsetForLeaderEpoch: where a leader epoch ends in a partition's log. Consumers ask it after a change of leader, to find out whether what
// they have read was truncated. There is one leader, in its first epoch, and nothing that was seen is ever truncated.
#include "broker/api/handlers.h"
#include "broker/api/leader_epoch.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

using EpochEndOffset = wire::OffsetForLeaderEpochResponse::EpochEndOffset;

EpochEndOffset find_end(RequestContext& context, const std::string& topic,
                        const wire::OffsetForLeaderEpochRequest::OffsetForLeaderPartition& asked) {
  EpochEndOffset found;
  found.partition = asked.partition;
  if (!context.allows(Operation::describe, ResourceType::topic, topic)) {
    found.error_code = wire::ErrorCode::topic_authorization_failed;
    return found;
  }
  const auto partition = context.broker.topics().partition(topic, PartitionId(asked.partition));
  if (!partition) {
    found.error_code = partition.error().code;
    return found;
  }
  found.error_code = check_leader_epoch(asked.current_leader_epoch);
  if (asked.current_leader_epoch < -1) found.error_code = wire::ErrorCode::fenced_leader_epoch;            // here -1 alone means none
  if (found.error_code != wire::ErrorCode::none || asked.leader_epoch != only_leader_epoch) return found;  // -1: there was no such epoch
  found.leader_epoch = only_leader_epoch;
  found.end_offset = (*partition)->durable_end().offset.value();
  return found;
}

}  // namespace

void handle_offset_for_leader_epoch(RequestContext& context, const wire::OffsetForLeaderEpochRequest& request,
                                    Reply<wire::OffsetForLeaderEpochResponse> reply) {
  wire::OffsetForLeaderEpochResponse response;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.topic = topic.topic;
    for (const auto& asked : topic.partitions) answered.partitions.push_back(find_end(context, topic.topic, asked));
  }
  reply(response);
}

}  // namespace tripos::broker
