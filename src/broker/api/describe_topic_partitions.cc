// DescribeTopicPartitions: topics by name, in pages of partitions (KIP-966). Topics are never created by it.
#include <algorithm>
#include <utility>

#include "broker/api/authorized_operations.h"
#include "broker/api/handlers.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

// Kafka's max.request.partition.size.limit.
constexpr std::int32_t partition_limit_max = 2000;

std::vector<std::string> names_of(RequestContext& context, const wire::DescribeTopicPartitionsRequest& request) {
  std::vector<std::string> names;
  for (const auto& topic : request.topics) names.push_back(topic.name);
  if (names.empty()) {
    for (const Topic* topic : context.broker.topics().all()) names.push_back(topic->name());
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

// Its partitions from `first` on, at most `count` of them.
wire::DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponseTopic describe_range(const Topic& topic, std::int32_t first,
                                                                                           std::int32_t count, std::int32_t node_id) {
  wire::DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponseTopic described;
  described.name = topic.name();
  described.topic_id = topic.id();
  described.is_internal = topic.internal;
  described.topic_authorized_operations = all_topic_operations;
  for (std::int32_t i = first; i < topic.partition_count() && count > 0; ++i, --count) {
    auto& partition = described.partitions.emplace_back();
    partition.partition_index = i;
    partition.leader_id = node_id;
    partition.leader_epoch = 0;
    partition.replica_nodes = {node_id};
    partition.isr_nodes = {node_id};
    partition.eligible_leader_replicas.emplace();
    partition.last_known_elr.emplace();
  }
  return described;
}

wire::DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponseTopic refusal(const std::string& name, wire::ErrorCode code) {
  wire::DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponseTopic refused;
  refused.name = name;
  refused.error_code = code;
  refused.is_internal = is_internal_topic(name);
  const bool is_told = code == wire::ErrorCode::unknown_topic_or_partition || code == wire::ErrorCode::invalid_topic_exception;
  if (is_told) refused.topic_authorized_operations = all_topic_operations;  // as those that there are
  return refused;
}

// A cursor names one of the topics that are asked for, if any are, and a partition that could be.
bool is_possible(const wire::DescribeTopicPartitionsRequest& request) {
  if (!request.cursor) return true;
  const bool named = request.topics.empty() ||
                     std::ranges::any_of(request.topics, [&](const auto& topic) { return topic.name == request.cursor->topic_name; });
  return named && request.cursor->partition_index >= 0;
}

}  // namespace

void handle_describe_topic_partitions(RequestContext& context, const wire::DescribeTopicPartitionsRequest& request,
                                      Reply<wire::DescribeTopicPartitionsResponse> reply) {
  wire::DescribeTopicPartitionsResponse response;
  if (!is_possible(request)) {
    for (const auto& topic : request.topics) {
      auto& refused = response.topics.emplace_back();
      refused.name = topic.name;
      refused.error_code = wire::ErrorCode::invalid_request;
    }
    return reply(response);
  }
  std::int32_t left = std::clamp(request.response_partition_limit, 1, partition_limit_max);
  for (const std::string& name : names_of(context, request)) {
    if (request.cursor && name < request.cursor->topic_name) continue;
    const bool resumed = request.cursor && name == request.cursor->topic_name;
    const std::int32_t first = resumed ? request.cursor->partition_index : 0;
    const Topic* topic = context.broker.topics().find(name);
    if (left == 0) {
      auto& next = response.next_cursor.emplace(wire::DescribeTopicPartitionsResponse::Cursor{});
      next.topic_name = name;
      break;
    }
    if (!context.allows(Operation::describe, ResourceType::topic, name)) {
      response.topics.push_back(refusal(name, wire::ErrorCode::topic_authorization_failed));
    } else if (const auto valid = check_topic_name(name); !valid) {
      response.topics.push_back(refusal(name, valid.error().code));
    } else if (topic == nullptr) {
      response.topics.push_back(refusal(name, wire::ErrorCode::unknown_topic_or_partition));
    } else {
      const std::int32_t told = std::clamp(topic->partition_count() - first, 0, left);
      response.topics.push_back(describe_range(*topic, first, told, context.broker.config().node_id));
      left -= told;
      if (first + told < topic->partition_count()) {
        auto& next = response.next_cursor.emplace(wire::DescribeTopicPartitionsResponse::Cursor{});
        next.topic_name = name;
        next.partition_index = first + told;
        break;
      }
    }
  }
  reply(response);
}

}  // namespace tripos::broker
