// CreateTopics. There is one replica: a replication factor above 1 is accepted and clamped, and told to the operator once.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "broker/api/handlers.h"
#include "broker/api/pending_reply.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

using CreatedTopic = wire::CreateTopicsResponse::CreatableTopicResult;

using PendingCreation = PendingReply<wire::CreateTopicsResponse>;

// The count that assignments to brokers ask for; all must be to this one.
Outcome<std::int32_t> assigned_partition_count(const wire::CreateTopicsRequest::CreatableTopic& topic, std::int32_t node_id) {
  std::vector<std::int32_t> indexes;
  for (const auto& assignment : topic.assignments) {
    indexes.push_back(assignment.partition_index);
    if (assignment.broker_ids != std::vector{node_id}) {
      return refuse(wire::ErrorCode::invalid_replica_assignment, "The manual partition assignment must name broker {}, the only one, once.",
                    node_id);
    }
  }
  std::ranges::sort(indexes);
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    if (indexes[i] != static_cast<std::int32_t>(i)) {
      return refuse(wire::ErrorCode::invalid_replica_assignment,
                    "The manual partition assignment must name each partition from 0 on once.");
    }
  }
  return static_cast<std::int32_t>(indexes.size());
}

Outcome<std::int32_t> partition_count_of(const Broker& broker, const wire::CreateTopicsRequest::CreatableTopic& topic) {
  if (!topic.assignments.empty()) {
    if (topic.num_partitions != -1 || topic.replication_factor != -1) {
      return refuse(wire::ErrorCode::invalid_request,
                    "A manual partition assignment was specified, but numPartitions or replicationFactor was not -1.");
    }
    return assigned_partition_count(topic, broker.config().node_id);
  }
  if (topic.replication_factor < -1 || topic.replication_factor == 0) {
    return refuse(wire::ErrorCode::invalid_replication_factor, "Replication factor must be larger than 0, or -1 to use the default value.");
  }
  if (topic.num_partitions == -1) return broker.config().num_partitions;
  return topic.num_partitions;
}

Outcome<ConfigValues> configs_of(const wire::CreateTopicsRequest::CreatableTopic& topic) {
  ConfigValues values;
  for (const auto& config : topic.configs) {
    if (!config.value) return refuse(wire::ErrorCode::invalid_config, "Null value not supported for topic configs: {}", config.name);
    values.insert_or_assign(config.name, *config.value);
  }
  return values;
}

void note_clamped(Broker& broker, std::int16_t replication_factor) {
  static bool noted = false;  // once in the life of the process
  if (replication_factor <= 1 || noted) return;
  noted = true;
  broker.environment().warn(
      fmt::format("a topic was asked for with replication factor {}: there is one replica, more are clamped", replication_factor));
}

void describe_created(const Broker& broker, std::int32_t partition_count, const ConfigValues& configs, CreatedTopic& result) {
  result.num_partitions = partition_count;
  result.replication_factor = 1;
  result.configs.emplace();
  for (const ConfigKey& key : topic_keys()) {
    const ConfigOrigin origin = topic_config_origins(broker.config(), configs, key).front();
    auto& config = result.configs->emplace_back();
    config.name = std::string(key.name);
    config.value = origin.value;
    config.config_source = static_cast<std::int8_t>(origin.source);
  }
}

// One topic: refused or checked at once, or created, which answers later.
void create(RequestContext& context, const std::shared_ptr<PendingCreation>& answer, const wire::CreateTopicsRequest::CreatableTopic& topic,
            std::size_t index, bool validate_only) {
  Broker& broker = context.broker;
  CreatedTopic& result = answer->response.topics[index];
  if (!context.allows(Operation::create, ResourceType::topic, topic.name)) {
    return refuse_result(result, {.code = wire::ErrorCode::topic_authorization_failed, .message = "Not allowed to create this topic."});
  }
  if (const auto valid = check_topic_name(topic.name); !valid) return refuse_result(result, valid.error());
  const auto partition_count = partition_count_of(broker, topic);
  if (!partition_count) return refuse_result(result, partition_count.error());
  auto configs = configs_of(topic);
  if (!configs) return refuse_result(result, configs.error());
  if (const auto possible = broker.topics().check_create(topic.name, *partition_count, *configs); !possible) {
    return refuse_result(result, possible.error());
  }
  note_clamped(broker, topic.replication_factor);
  if (validate_only) return describe_created(broker, *partition_count, *configs, result);
  answer->begin();
  const auto created = [answer, index, &broker](const Outcome<Topic*>& outcome) {
    CreatedTopic& described = answer->response.topics[index];
    if (outcome) {
      described.topic_id = (*outcome)->id();
      describe_created(broker, (*outcome)->partition_count(), (*outcome)->record.config, described);
    } else {
      refuse_result(described, outcome.error());
    }
    answer->finish();
  };
  broker.topics().create(topic.name, *partition_count, std::move(*configs), created);
}

}  // namespace

void handle_create_topics(RequestContext& context, const wire::CreateTopicsRequest& request, Reply<wire::CreateTopicsResponse> reply) {
  const auto answer = pending_reply(std::move(reply));
  std::map<std::string_view, std::size_t> counts;
  for (const auto& topic : request.topics) ++counts[topic.name];
  // Results first: creations refer to them by index.
  std::vector<const wire::CreateTopicsRequest::CreatableTopic*> wanted;
  for (const auto& topic : request.topics) {
    std::size_t& count = counts[topic.name];
    if (count == 0) continue;  // named before
    CreatedTopic& result = answer->response.topics.emplace_back();
    result.name = topic.name;
    wanted.push_back(count == 1 ? &topic : nullptr);
    if (count > 1) refuse_result(result, {.code = wire::ErrorCode::invalid_request, .message = "Duplicate topic name."});
    count = 0;
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] != nullptr) create(context, answer, *wanted[i], i, request.validate_only);
  }
  answer->finish();
}

}  // namespace tripos::broker
