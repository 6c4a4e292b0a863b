// CreatePartitions: more partitions for topics that exist; answered when that is durable. Records stay where they are, so keys may from
// then on go to other partitions than before, as with Kafka.
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "broker/api/handlers.h"
#include "broker/api/pending_reply.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

using Asked = wire::CreatePartitionsRequest::CreatePartitionsTopic;

Outcome<> check_asked(const Asked& asked, std::int32_t partition_count, std::int32_t node_id) {
  if (asked.count == partition_count) {
    return refuse(wire::ErrorCode::invalid_partitions, "Topic already has {} partition(s).", partition_count);
  }
  if (asked.count < partition_count) {
    return refuse(wire::ErrorCode::invalid_partitions, "The topic {} currently has {} partition(s); {} would not be an increase.",
                  asked.name, partition_count, asked.count);
  }
  if (asked.count > partition_count_max) {
    return refuse(wire::ErrorCode::invalid_partitions, "{} partitions: {} are the most that a topic can have.", asked.count,
                  partition_count_max);
  }
  if (!asked.assignments) return {};
  const auto added = static_cast<std::size_t>(asked.count - partition_count);
  if (asked.assignments->size() != added) {
    return refuse(wire::ErrorCode::invalid_replica_assignment,
                  "{} additional partition(s) were asked for, but {} assignment(s) were given.", added, asked.assignments->size());
  }
  for (const auto& assignment : *asked.assignments) {
    if (assignment.broker_ids != std::vector{node_id}) {
      return refuse(wire::ErrorCode::invalid_replica_assignment, "The manual partition assignment must name broker {}, the only one.",
                    node_id);
    }
  }
  return {};
}

Outcome<Topic*> find_topic(RequestContext& context, const std::string& name) {
  Topic* topic = context.broker.topics().find(name);
  if (topic == nullptr) return unknown_topic_or_partition();
  if (!context.allows(Operation::alter, ResourceType::topic, name)) {
    return refuse(wire::ErrorCode::topic_authorization_failed, "Not allowed to alter this topic.");
  }
  if (topic->internal) return refuse(wire::ErrorCode::invalid_request, "{} is internal: its count of partitions is fixed.", name);
  return topic;
}

}  // namespace

void handle_create_partitions(RequestContext& context, const wire::CreatePartitionsRequest& request,
                              Reply<wire::CreatePartitionsResponse> reply) {
  const auto answer = pending_reply(std::move(reply));
  auto& results = answer->response.results;
  std::map<std::string_view, int> times;
  for (const Asked& asked : request.topics) ++times[asked.name];
  // Results first: changes refer to them by index.
  std::vector<const Asked*> wanted;
  std::set<std::string_view> named;
  for (const Asked& asked : request.topics) {
    if (!named.insert(asked.name).second) continue;
    results.emplace_back().name = asked.name;
    wanted.push_back(&asked);
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Asked& asked = *wanted[i];
    if (times[asked.name] > 1) {
      refuse_result(results[i], {.code = wire::ErrorCode::invalid_request, .message = "Duplicate topic name."});
      continue;
    }
    const auto topic = find_topic(context, asked.name);
    if (!topic) {
      refuse_result(results[i], topic.error());
      continue;
    }
    const std::int32_t node_id = context.broker.config().node_id;
    if (request.validate_only) {
      if (auto valid = check_asked(asked, (*topic)->partition_count(), node_id); !valid) refuse_result(results[i], valid.error());
      continue;
    }
    answer->begin();
    context.broker.topics().change((*topic)->id(),
                                   [asked, node_id](TopicRecord record) -> Outcome<TopicRecord> {
                                     if (auto valid = check_asked(asked, record.partition_count, node_id); !valid)
                                       return tl::unexpected(std::move(valid).error());
                                     record.partition_count = asked.count;
                                     return record;
                                   },
                                   [answer, i](const Outcome<Topic*>& changed) {
                                     if (!changed) refuse_result(answer->response.results[i], changed.error());
                                     answer->finish();
                                   });
  }
  answer->finish();
}

}  // namespace tripos::broker
