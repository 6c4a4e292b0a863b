// OffsetDelete: forgets what a group has committed for partitions of topics that it does not consume. Answered when that is durable.
#include <memory>
#include <utility>

#include "broker/api/group_handlers.h"
#include "broker/group/coordinator.h"
#include "broker/topics.h"

namespace tripos::broker {

void handle_offset_delete(RequestContext& context, const wire::OffsetDeleteRequest& request, Reply<wire::OffsetDeleteResponse> reply) {
  wire::OffsetDeleteResponse response;
  const auto refuse_all = [&](wire::ErrorCode code) {
    response.error_code = code;
    reply(response);
  };
  if (!context.allows(Operation::remove, ResourceType::group, request.group_id))
    return refuse_all(wire::ErrorCode::group_authorization_failed);
  if (request.group_id.empty()) return refuse_all(wire::ErrorCode::invalid_group_id);

  // The places in the answer of those positions that the coordinator decides on.
  std::vector<std::pair<std::size_t, std::size_t>> places;
  std::vector<groups::CommittedOffsets::Position> positions;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    const bool is_allowed = context.allows(Operation::read, ResourceType::topic, topic.name);
    const Topic* found = context.broker.topics().find(topic.name);
    for (const auto& asked : topic.partitions) {
      auto& partition = answered.partitions.emplace_back();
      partition.partition_index = asked.partition_index;
      const bool is_there = found != nullptr && asked.partition_index >= 0 && asked.partition_index < found->partition_count();
      if (!is_allowed) {
        partition.error_code = wire::ErrorCode::topic_authorization_failed;
      } else if (!is_there) {
        partition.error_code = wire::ErrorCode::unknown_topic_or_partition;
      } else {
        places.emplace_back(response.topics.size() - 1, answered.partitions.size() - 1);
        positions.push_back({topic.name, asked.partition_index});
      }
    }
  }
  const auto deleted = [reply, places = std::move(places), response = std::make_shared<wire::OffsetDeleteResponse>(std::move(response))](
                           wire::ErrorCode code, const std::vector<wire::ErrorCode>& errors) {
    if (code != wire::ErrorCode::none) {
      wire::OffsetDeleteResponse refused;
      refused.error_code = code;
      return reply(refused);
    }
    for (std::size_t i = 0; i < places.size(); ++i) response->topics[places[i].first].partitions[places[i].second].error_code = errors[i];
    reply(*response);
  };
  context.broker.groups().delete_offsets(request.group_id, std::move(positions), deleted);
}

}  // namespace tripos::broker
