#include "app/cli/topic_text.h"

namespace tripos::app {

Result<std::string> topic_description(client::KafkaConnection& connection, const client::TopicMetadata& topic) {
  TRIPOS_ASSIGN(const auto configs, client::topic_configs(connection, topic.name));
  std::string set;
  for (const auto& [name, value] : configs) set += fmt::format("{}{}={}", set.empty() ? "" : ",", name, value);
  const std::size_t replication = topic.partitions.empty() ? 0 : topic.partitions.front().replicas.size();
  const std::string id = topic.id.is_zero() ? std::string() : fmt::format("\tTopicId: {}", topic.id.text());
  std::string text = fmt::format("Topic: {}{}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}\n", topic.name, id,
                                 topic.partitions.size(), replication, set);
  for (const client::PartitionMetadata& partition : topic.partitions) {
    text += fmt::format("\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}\tElr: N/A\tLastKnownElr: N/A\n", topic.name,
                        partition.index, partition.leader < 0 ? "none" : std::to_string(partition.leader),
                        fmt::join(partition.replicas, ","), fmt::join(partition.in_sync_replicas, ","));
  }
  return text;
}

}  // namespace tripos::app
