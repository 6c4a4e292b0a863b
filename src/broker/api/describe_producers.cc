// DescribeProducers: what partitions remember of their producers, the open transaction of each among it (KIP-664).
#include <algorithm>

#include "broker/api/transaction_handlers.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

using DescribedPartition = wire::DescribeProducersResponse::PartitionResponse;

void describe_states(const ProducerStates& states, DescribedPartition& response) {
  response.active_producers.reserve(states.size());
  for (const auto& [id, producer] : states.all()) {
    auto& described = response.active_producers.emplace_back();
    described.producer_id = id.value();
    described.producer_epoch = producer.epoch.value();
    if (producer.count > 0) described.last_sequence = producer.batches.at(producer.count - std::size_t{1}).last_sequence.value();
    described.last_timestamp = producer.last_seen_ms;
    described.coordinator_epoch = producer.coordinator_epoch;
    // One that has ended and waits for its other partitions is open no more.
    if (producer.transaction_first && !producer.transaction_ended) described.current_txn_start_offset = producer.transaction_first->value();
  }
  std::ranges::sort(response.active_producers, {}, &wire::DescribeProducersResponse::ProducerState::producer_id);
}

}  // namespace

void handle_describe_producers(RequestContext& context, const wire::DescribeProducersRequest& request,
                               Reply<wire::DescribeProducersResponse> reply) {
  wire::DescribeProducersResponse response;
  response.topics.reserve(request.topics.size());
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    const bool is_valid = check_topic_name(topic.name).has_value();
    const bool may_read = context.allows(Operation::read, ResourceType::topic, topic.name);
    for (const std::int32_t index : topic.partition_indexes) {
      auto& partition = answered.partitions.emplace_back();
      partition.partition_index = index;
      if (!may_read) {
        partition.error_code = wire::ErrorCode::topic_authorization_failed;
        continue;
      }
      if (!is_valid) {
        partition.error_code = wire::ErrorCode::invalid_topic_exception;
        partition.error_message = "The topic's name is invalid.";
        continue;
      }
      const auto found = context.broker.topics().partition(topic.name, PartitionId(index));
      if (found) {
        describe_states((*found)->producers(), partition);
      } else {
        partition.error_code = found.error().code;
        partition.error_message = found.error().message;
      }
    }
  }
  reply(response);
}

}  // namespace tripos::broker
