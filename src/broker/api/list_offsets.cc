// ListOffsets: the start, the end, a time, or the largest time of a partition. Only what is durable is looked at; read_committed looks
// no further than the last stable offset.
#include <map>

#include "broker/api/handlers.h"
#include "broker/api/leader_epoch.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

using RequestPartition = wire::ListOffsetsRequest::ListOffsetsPartition;
using ResponsePartition = wire::ListOffsetsResponse::ListOffsetsPartitionResponse;

constexpr std::int64_t latest = -1;
constexpr std::int64_t earliest = -2;
constexpr std::int64_t max_timestamp = -3;
constexpr std::int64_t earliest_local = -4;
constexpr std::int64_t latest_tiered = -5;

// The first version in which each of them may be asked for.
constexpr std::int16_t max_timestamp_from = 7;
constexpr std::int16_t earliest_local_from = 8;
constexpr std::int16_t latest_tiered_from = 9;

bool means_something(std::int64_t wanted, std::int16_t version) {
  const bool too_new = (wanted == max_timestamp && version < max_timestamp_from) ||
                       (wanted == earliest_local && version < earliest_local_from) ||
                       (wanted == latest_tiered && version < latest_tiered_from);
  return wanted >= latest_tiered && !too_new;
}

Outcome<> find_offset(Partition& partition, std::int64_t wanted, IsolationLevel isolation, ResponsePartition& found) {
  const log::VisibleEnd end = partition.visible_end(isolation);
  found.leader_epoch = only_leader_epoch;
  if (wanted == latest) {
    found.offset = end.offset().value();
    return {};
  }
  if (wanted == earliest || wanted == earliest_local) {
    found.offset = partition.start_offset().value();
    return {};
  }
  if (wanted == latest_tiered) {  // nothing is
    found.leader_epoch = -1;
    return {};
  }
  const auto record = wanted == max_timestamp ? partition.log()->find_max_timestamp(end) : partition.log()->find_by_timestamp(wanted, end);
  if (!record) return tl::unexpected(kafka_error(record.error()));
  if (*record) {
    found.offset = (*record)->offset.value();
    found.timestamp = (*record)->timestamp_ms;
  } else {
    found.leader_epoch = -1;
  }
  return {};
}

ResponsePartition list_partition(RequestContext& context, const std::string& topic, const RequestPartition& asked,
                                 IsolationLevel isolation) {
  ResponsePartition found;
  found.partition_index = asked.partition_index;
  if (!context.allows(Operation::describe, ResourceType::topic, topic)) {
    found.error_code = wire::ErrorCode::topic_authorization_failed;
    return found;
  }
  if (!means_something(asked.timestamp, context.version)) {  // whatever the partition
    found.error_code = wire::ErrorCode::unsupported_version;
    return found;
  }
  const auto partition = context.broker.topics().partition(topic, PartitionId(asked.partition_index));
  if (!partition) {
    found.error_code = partition.error().code;
    return found;
  }
  found.error_code = check_leader_epoch(asked.current_leader_epoch);
  if (found.error_code != wire::ErrorCode::none) return found;
  const auto result = find_offset(**partition, asked.timestamp, isolation, found);
  if (!result) found.error_code = result.error().code;
  return found;
}

}  // namespace

void handle_list_offsets(RequestContext& context, const wire::ListOffsetsRequest& request, Reply<wire::ListOffsetsResponse> reply) {
  wire::ListOffsetsResponse response;
  response.topics.reserve(request.topics.size());
  const bool committed_only = request.isolation_level == static_cast<std::int8_t>(IsolationLevel::read_committed);
  const auto isolation = committed_only ? IsolationLevel::read_committed : IsolationLevel::read_uncommitted;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    answered.partitions.reserve(topic.partitions.size());
    std::map<std::int32_t, int> times;
    for (const RequestPartition& asked : topic.partitions) ++times[asked.partition_index];
    for (const RequestPartition& asked : topic.partitions) {
      int& count = times[asked.partition_index];
      if (count == 0) continue;  // refused before
      if (count == 1) {
        answered.partitions.push_back(list_partition(context, topic.name, asked, isolation));
        continue;
      }
      // Which of its times is meant can't be told apart in the answer.
      ResponsePartition& refused = answered.partitions.emplace_back();
      refused.partition_index = asked.partition_index;
      refused.error_code = wire::ErrorCode::invalid_request;
      count = 0;
    }
  }
  reply(response);
}

}  // namespace tripos::broker
