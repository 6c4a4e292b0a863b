// DescribeLogDirs: the one data directory, how large each partition is, what the disk has left.
#include <set>
#include <utility>

#include "broker/api/handlers.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

void describe_topic_files(Topic& topic, const std::set<std::int32_t>& numbers,
                          wire::DescribeLogDirsResponse::DescribeLogDirsResult& directory) {
  wire::DescribeLogDirsResponse::DescribeLogDirsTopic described;
  described.name = topic.name();
  for (const std::int32_t number : numbers) {
    if (number < 0 || number >= topic.partition_count()) continue;
    auto& partition = described.partitions.emplace_back();
    partition.partition_index = number;
    // A partition that nobody has used yet has no file; one that is refused for damage tells no size.
    const Partition* opened = topic.partitions[static_cast<std::size_t>(number)].get();
    if (opened != nullptr && opened->log() != nullptr) partition.partition_size = static_cast<std::int64_t>(opened->log()->size_bytes());
  }
  if (!described.partitions.empty()) directory.topics.push_back(std::move(described));
}

std::set<std::int32_t> all_partitions(const Topic& topic) {
  std::set<std::int32_t> numbers;
  for (std::int32_t i = 0; i < topic.partition_count(); ++i) numbers.insert(numbers.end(), i);
  return numbers;
}

}  // namespace

void handle_describe_log_dirs(RequestContext& context, const wire::DescribeLogDirsRequest& request,
                              Reply<wire::DescribeLogDirsResponse> reply) {
  wire::DescribeLogDirsResponse response;
  if (!context.allows(Operation::describe, ResourceType::cluster, cluster_resource)) {
    response.error_code = wire::ErrorCode::cluster_authorization_failed;
    return reply(response);
  }
  Broker& broker = context.broker;
  auto& directory = response.results.emplace_back();
  directory.log_dir = broker.directory();
  if (const auto space = broker.environment().files.space(broker.directory())) {
    directory.total_bytes = static_cast<std::int64_t>(space->total_bytes);
    directory.usable_bytes = static_cast<std::int64_t>(space->free_bytes);
  }
  if (!request.topics) {
    for (Topic* topic : broker.topics().all()) describe_topic_files(*topic, all_partitions(*topic), directory);
  } else {
    for (const auto& asked : *request.topics) {
      if (Topic* topic = broker.topics().find(asked.topic))
        describe_topic_files(*topic, {asked.partitions.begin(), asked.partitions.end()}, directory);
    }
  }
  reply(response);
}

}  // namespace tripos::broker
