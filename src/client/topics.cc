#include "client/topics.h"

#include <algorithm>

#include "wire/create_topics.h"
#include "wire/delete_topics.h"
#include "wire/describe_configs.h"
#include "wire/list_offsets.h"
#include "wire/metadata.h"

namespace tripos::client {
namespace {

constexpr std::int8_t topic_resource = 2;                // DescribeConfigs' resource types
constexpr std::int8_t dynamic_topic_source = 1;          // its config sources
constexpr std::int16_t metadata_names_version_max = 12;  // from 10 on topics have ids, which are answered beside the names

TopicMetadata convert_topic(const wire::MetadataResponse::MetadataResponseTopic& from) {
  TopicMetadata topic{.name = from.name.value_or(""), .id = from.topic_id, .internal = from.is_internal, .partitions = {}};
  for (const auto& partition : from.partitions) {
    topic.partitions.push_back({.index = partition.partition_index,
                                .leader = partition.leader_id,
                                .replicas = partition.replica_nodes,
                                .in_sync_replicas = partition.isr_nodes});
  }
  std::ranges::sort(topic.partitions, {}, &PartitionMetadata::index);
  return topic;
}

}  // namespace

Result<> create_topic(KafkaConnection& connection, const NewTopic& topic) {
  wire::CreateTopicsRequest request;
  auto& wanted = request.topics.emplace_back();
  wanted.name = topic.name;
  wanted.num_partitions = topic.partition_count;
  wanted.replication_factor = topic.replication_factor;
  for (const auto& [name, value] : topic.configs) {
    auto& config = wanted.configs.emplace_back();
    config.name = name;
    config.value = value;
  }
  TRIPOS_ASSIGN(const auto response, connection.call<wire::CreateTopicsResponse>(request));
  for (const auto& result : response.topics) {
    if (result.error_code != wire::ErrorCode::none) {
      return tl::unexpected(kafka_error(result.error_code, "topic " + topic.name, result.error_message.value_or("")));
    }
  }
  return {};
}

Result<> delete_topic(KafkaConnection& connection, const std::string& name) {
  wire::DeleteTopicsRequest request;
  request.topic_names.push_back(name);
  request.timeout_ms = 60'000;
  TRIPOS_ASSIGN(const auto response, connection.call<wire::DeleteTopicsResponse>(request, 5));  // 6: by id
  for (const auto& result : response.responses) {
    if (result.error_code != wire::ErrorCode::none) return tl::unexpected(kafka_error(result.error_code, "topic " + name));
  }
  return {};
}

Result<std::vector<TopicMetadata>> list_topics(KafkaConnection& connection) {
  wire::MetadataRequest request;
  request.topics = std::nullopt;
  request.allow_auto_topic_creation = false;
  TRIPOS_ASSIGN(const auto response, connection.call<wire::MetadataResponse>(request, metadata_names_version_max));
  std::vector<TopicMetadata> topics;
  for (const auto& topic : response.topics) {
    if (topic.error_code == wire::ErrorCode::none) topics.push_back(convert_topic(topic));
  }
  std::ranges::sort(topics, {}, &TopicMetadata::name);
  return topics;
}

Result<TopicMetadata> describe_topic(KafkaConnection& connection, const std::string& name, bool create) {
  wire::MetadataRequest request;
  auto& wanted = request.topics.emplace().emplace_back();
  wanted.name = name;
  request.allow_auto_topic_creation = create;
  // A topic that was made for this request may be without a leader in its answer: ask again.
  static constexpr int tries_max = 20;
  for (int tries = 1;; ++tries) {
    TRIPOS_ASSIGN(const auto response, connection.call<wire::MetadataResponse>(request, metadata_names_version_max));
    if (response.topics.size() != 1) return fail(ErrorCode::malformed, "the broker answered {} topics for one", response.topics.size());
    const auto& topic = response.topics.front();
    if (topic.error_code == wire::ErrorCode::none) return convert_topic(topic);
    if (topic.error_code != wire::ErrorCode::leader_not_available || tries == tries_max) {
      return tl::unexpected(kafka_error(topic.error_code, "topic " + name));
    }
  }
}

Result<std::vector<std::pair<std::string, std::string>>> topic_configs(KafkaConnection& connection, const std::string& name) {
  wire::DescribeConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = topic_resource;
  resource.resource_name = name;
  resource.configuration_keys = std::nullopt;  // all of them
  TRIPOS_ASSIGN(const auto response, connection.call<wire::DescribeConfigsResponse>(request));
  std::vector<std::pair<std::string, std::string>> configs;
  for (const auto& result : response.results) {
    if (result.error_code != wire::ErrorCode::none) {
      return tl::unexpected(kafka_error(result.error_code, "topic " + name, result.error_message.value_or("")));
    }
    for (const auto& config : result.configs) {
      if (config.config_source == dynamic_topic_source) configs.emplace_back(config.name, config.value.value_or(""));
    }
  }
  std::ranges::sort(configs);
  return configs;
}

Result<std::vector<std::int64_t>> list_offsets(KafkaConnection& connection, const std::string& topic,
                                               const std::vector<std::int32_t>& partitions, std::int64_t timestamp_ms,
                                               Isolation isolation) {
  wire::ListOffsetsRequest request;
  request.replica_id = -1;
  request.isolation_level = static_cast<std::int8_t>(isolation);
  auto& wanted = request.topics.emplace_back();
  wanted.name = topic;
  for (const std::int32_t partition : partitions) {
    auto& entry = wanted.partitions.emplace_back();
    entry.partition_index = partition;
    entry.timestamp = timestamp_ms;
  }
  TRIPOS_ASSIGN(const auto response, connection.call<wire::ListOffsetsResponse>(request));
  std::vector<std::int64_t> offsets;
  for (const std::int32_t partition : partitions) {
    bool found = false;
    for (const auto& answered_topic : response.topics) {
      for (const auto& answered : answered_topic.partitions) {
        if (answered_topic.name != topic || answered.partition_index != partition) continue;
        if (answered.error_code != wire::ErrorCode::none) {
          return tl::unexpected(kafka_error(answered.error_code, fmt::format("partition {} of topic {}", partition, topic)));
        }
        offsets.push_back(answered.offset);
        found = true;
      }
    }
    if (!found) return fail(ErrorCode::malformed, "the broker answered no offset for partition {} of topic {}", partition, topic);
  }
  // No record at or after the time: what comes next is at the end.
  if (timestamp_ms >= 0 && std::ranges::any_of(offsets, [](std::int64_t offset) { return offset < 0; })) {
    TRIPOS_ASSIGN(const std::vector<std::int64_t> ends,
                  list_offsets(connection, topic, partitions, static_cast<std::int64_t>(OffsetAt::latest), isolation));
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      if (offsets[i] < 0) offsets[i] = ends[i];
    }
  }
  return offsets;
}

}  // namespace tripos::client
