// DeleteTopics, by name or id: answered when the deletion is durable; files go after that.
#include <memory>
#include <optional>
#include <utility>

#include "broker/api/handlers.h"
#include "broker/api/pending_reply.h"
#include "broker/group/coordinator.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

using RemovedTopic = wire::DeleteTopicsResponse::DeletableTopicResult;

using PendingRemoval = PendingReply<wire::DeleteTopicsResponse>;

Outcome<Topic*> find_topic(RequestContext& context, const std::optional<std::string>& name, const TopicId& id) {
  if (!context.broker.config().boolean("delete.topic.enable")) {
    // The code is younger than version 3.
    return refuse(context.version < 3 ? wire::ErrorCode::invalid_request : wire::ErrorCode::topic_deletion_disabled,
                  "Topic deletion is disabled.");
  }
  Topic* topic = name ? context.broker.topics().find(*name) : context.broker.topics().find(id);
  if (topic == nullptr) {
    return refuse(name ? wire::ErrorCode::unknown_topic_or_partition : wire::ErrorCode::unknown_topic_id,
                  "This server does not host this topic{}.", name ? "" : " ID");
  }
  if (!context.allows(Operation::remove, ResourceType::topic, topic->name())) {
    return refuse(wire::ErrorCode::topic_authorization_failed, "Not allowed to delete this topic.");
  }
  if (topic->internal) return refuse(wire::ErrorCode::invalid_request, "{} is internal: the broker itself needs it.", topic->name());
  return topic;
}

void remove(RequestContext& context, const std::shared_ptr<PendingRemoval>& answer, const std::optional<std::string>& name,
            const TopicId& id) {
  const std::size_t index = answer->response.responses.size();
  RemovedTopic& result = answer->response.responses.emplace_back();
  result.name = name;
  result.topic_id = id;
  const auto topic = find_topic(context, name, id);
  if (!topic) return refuse_result(result, topic.error());
  result.name = (*topic)->name();
  result.topic_id = (*topic)->id();
  answer->begin();
  const auto removed = [answer, index, name_removed = (*topic)->name(), &groups = context.broker.groups()](const Outcome<>& outcome) {
    if (outcome) {
      groups.forget_topic(name_removed);
    } else {
      refuse_result(answer->response.responses[index], outcome.error());
    }
    answer->finish();
  };
  context.broker.topics().remove((*topic)->id(), removed);
}

}  // namespace

void handle_delete_topics(RequestContext& context, const wire::DeleteTopicsRequest& request, Reply<wire::DeleteTopicsResponse> reply) {
  const auto answer = pending_reply(std::move(reply));
  for (const auto& topic : request.topics) remove(context, answer, topic.name, topic.topic_id);
  for (const std::string& name : request.topic_names) remove(context, answer, name, TopicId());
  answer->finish();
}

}  // namespace tripos::broker
