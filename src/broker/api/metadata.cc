// Metadata: brokers and topics. A topic that is asked for and missing is created, if both sides allow it; the answer waits until it is
// durable.
#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "broker/api/authorized_operations.h"
#include "broker/api/handlers.h"
#include "broker/api/pending_reply.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

using MetadataTopic = wire::MetadataResponse::MetadataResponseTopic;

constexpr std::int16_t null_name_from = 12;

// Collects the topics until those to be created are there.
struct PendingMetadata : PendingReply<wire::MetadataResponse> {
  PendingMetadata(RequestContext& context, bool asked_for_operations, Reply<wire::MetadataResponse> reply)
      : PendingReply(std::move(reply)), broker(context.broker), with_operations(asked_for_operations) {}

  Broker& broker;
  bool with_operations;
};

MetadataTopic describe_topic(const Broker& broker, const Topic& topic, bool with_operations) {
  MetadataTopic described;
  described.name = topic.name();
  described.topic_id = topic.id();
  described.is_internal = topic.internal;
  described.partitions.resize(static_cast<std::size_t>(topic.partition_count()));
  for (std::int32_t i = 0; i < topic.partition_count(); ++i) {
    auto& partition = described.partitions[static_cast<std::size_t>(i)];
    partition.partition_index = i;
    partition.leader_id = broker.config().node_id;
    partition.leader_epoch = 0;
    partition.replica_nodes = {broker.config().node_id};
    partition.isr_nodes = {broker.config().node_id};
  }
  if (with_operations) described.topic_authorized_operations = all_topic_operations;
  return described;
}

MetadataTopic topic_refusal(std::string_view name, wire::ErrorCode code) {
  MetadataTopic refused;
  refused.name = std::string(name);
  refused.error_code = code;
  refused.is_internal = is_internal_topic(name);
  return refused;
}

void add_by_id(RequestContext& context, PendingMetadata& answer, const TopicId& id) {
  if (Topic* topic = context.broker.topics().find(id);
      topic != nullptr && context.allows(Operation::describe, ResourceType::topic, topic->name())) {
    answer.response.topics.push_back(describe_topic(context.broker, *topic, answer.with_operations));
    return;
  }
  MetadataTopic& unknown = answer.response.topics.emplace_back();
  unknown.error_code = wire::ErrorCode::unknown_topic_id;
  unknown.topic_id = id;
  if (context.version >= null_name_from) {
    unknown.name.reset();
  } else {
    unknown.name = "";
  }
}

void add_by_name(RequestContext& context, const std::shared_ptr<PendingMetadata>& answer, const std::string& name, bool create) {
  auto& topics = answer->response.topics;
  if (!context.allows(Operation::describe, ResourceType::topic, name)) {
    topics.push_back(topic_refusal(name, wire::ErrorCode::topic_authorization_failed));
  } else if (Topic* topic = context.broker.topics().find(name)) {
    topics.push_back(describe_topic(context.broker, *topic, answer->with_operations));
  } else if (const auto valid = check_topic_name(name); !valid) {
    topics.push_back(topic_refusal(name, valid.error().code));
  } else if (!create || is_internal_topic(name) || !context.allows(Operation::create, ResourceType::topic, name)) {
    topics.push_back(topic_refusal(name, wire::ErrorCode::unknown_topic_or_partition));
  } else {
    answer->begin();
    const auto created = [answer, name](const Outcome<Topic*>& result) {
      answer->response.topics.push_back(result ? describe_topic(answer->broker, **result, answer->with_operations)
                                               : topic_refusal(name, result.error().code));
      answer->finish();
    };
    context.broker.topics().find_or_create(name, context.broker.config().num_partitions, {}, created);
  }
}

// Names can be null since version 10, but topics be asked for by id only since 12.
bool names_nothing(const RequestContext& context, const wire::MetadataRequest& request) {
  return context.version < null_name_from && request.topics &&
         std::ranges::any_of(*request.topics, [](const auto& topic) { return !topic.name; });
}

void refuse_all(const wire::MetadataRequest& request, const Reply<wire::MetadataResponse>& reply) {
  wire::MetadataResponse response;
  for (const auto& topic : *request.topics) {
    MetadataTopic& refused = response.topics.emplace_back();
    refused.error_code = wire::ErrorCode::invalid_request;
    refused.name = topic.name.value_or("");
    refused.topic_id = topic.topic_id;
  }
  reply(response);
}

}  // namespace

void handle_metadata(RequestContext& context, const wire::MetadataRequest& request, Reply<wire::MetadataResponse> reply) {
  if (names_nothing(context, request)) return refuse_all(request, reply);
  Broker& broker = context.broker;
  const auto answer = std::make_shared<PendingMetadata>(context, request.include_topic_authorized_operations, std::move(reply));
  auto& self = answer->response.brokers.emplace_back();
  self.node_id = broker.config().node_id;
  self.host = broker.advertised().host;
  self.port = broker.advertised().port;
  answer->response.cluster_id = broker.cluster_id();
  answer->response.controller_id = broker.config().node_id;
  if (request.include_cluster_authorized_operations) answer->response.cluster_authorized_operations = all_cluster_operations;

  const bool all = !request.topics || (context.version == 0 && request.topics->empty());
  if (all) {
    for (const Topic* topic : broker.topics().all()) {
      if (context.allows(Operation::describe, ResourceType::topic, topic->name())) {
        answer->response.topics.push_back(describe_topic(broker, *topic, answer->with_operations));
      }
    }
  } else {
    const bool create = request.allow_auto_topic_creation && broker.config().auto_create_topics;
    std::set<std::string> named;  // a topic is told of once
    for (const auto& topic : *request.topics) {
      // Where there are both, it is the id that is meant.
      const bool by_id = !topic.name || (context.version >= null_name_from && topic.topic_id != TopicId());
      if (!named.insert(by_id ? topic.topic_id.text() : *topic.name).second) continue;
      if (by_id) {
        add_by_id(context, *answer, topic.topic_id);
      } else {
        add_by_name(context, answer, *topic.name, create);
      }
    }
  }
  answer->finish();
}

}  // namespace tripos::broker
