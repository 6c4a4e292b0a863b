// DeleteTopics, by name or id: answered when the deletion is durable; files go after that.
#include <map>
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

using AskedTopic = wire::DeleteTopicsRequest::DeleteTopicState;

Outcome<Topic*> find_topic_to_delete(RequestContext& context, const std::optional<std::string>& name, const TopicId& id) {
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

std::vector<AskedTopic> asked_by(const wire::DeleteTopicsRequest& request) {
  std::vector<AskedTopic> asked = request.topics;
  for (const std::string& name : request.topic_names) asked.push_back({.name = name, .topic_id = {}});
  return asked;
}

// A topic is named by name or by id, and once: of what is asked for otherwise nothing is deleted.
Outcome<> check_named(const AskedTopic& asked, int times) {
  if (asked.name && asked.topic_id != TopicId()) {
    return refuse(wire::ErrorCode::invalid_request, "You may not specify both topic name and topic id.");
  }
  if (!asked.name && asked.topic_id == TopicId()) {
    return refuse(wire::ErrorCode::invalid_request, "Neither topic name nor id were specified.");
  }
  if (times > 1) return refuse(wire::ErrorCode::invalid_request, "Duplicate topic name or id.");
  return {};
}

void remove(RequestContext& context, const std::shared_ptr<PendingRemoval>& answer, const AskedTopic& asked, int times) {
  const std::size_t index = answer->response.responses.size();
  RemovedTopic& result = answer->response.responses.emplace_back();
  result.name = asked.name;
  result.topic_id = asked.topic_id;
  if (const auto named = check_named(asked, times); !named) return refuse_result(result, named.error());
  const auto topic = find_topic_to_delete(context, asked.name, asked.topic_id);
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
  const std::vector<AskedTopic> asked = asked_by(request);
  // By name and by id alike; what there is not is known by what it was called.
  const auto identity = [&context](const AskedTopic& each) {
    const Topic* topic = each.name ? context.broker.topics().find(*each.name) : context.broker.topics().find(each.topic_id);
    const TopicId id = topic != nullptr ? topic->id() : each.topic_id;
    return std::pair(id, id == TopicId() ? each.name.value_or("") : "");
  };
  std::map<std::pair<TopicId, std::string>, int> times;
  for (const AskedTopic& each : asked) ++times[identity(each)];
  for (const AskedTopic& each : asked) {
    const auto named = times.find(identity(each));
    if (named == times.end()) continue;  // refused before
    remove(context, answer, each, named->second);
    if (named->second > 1) times.erase(named);
  }
  answer->finish();
}

}  // namespace tripos::broker
