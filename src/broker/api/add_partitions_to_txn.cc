// AddPartitionsToTxn: all partitions, or, if one of them can't be written to, none. (From version 4 on it is between brokers: not served.)
#include <memory>
#include <utility>

#include "broker/api/transaction_handlers.h"
#include "broker/topics.h"
#include "broker/transaction/transaction_coordinator.h"

namespace tripos::broker {

namespace {

wire::ErrorCode check_partition(RequestContext& context, const std::string& name, std::int32_t partition) {
  if (!context.allows(Operation::write, ResourceType::topic, name)) return wire::ErrorCode::topic_authorization_failed;
  const Topic* topic = context.broker.topics().find(name);
  if (topic != nullptr && topic->internal) return wire::ErrorCode::topic_authorization_failed;
  const bool is_there = topic != nullptr && partition >= 0 && partition < topic->partition_count();
  return is_there ? wire::ErrorCode::none : wire::ErrorCode::unknown_topic_or_partition;
}

void set_all(wire::AddPartitionsToTxnResponse& response, wire::ErrorCode code) {
  for (auto& topic : response.results_by_topic_v3_and_below) {
    for (auto& partition : topic.results_by_partition) partition.partition_error_code = code;
  }
}

}  // namespace

void handle_add_partitions_to_txn(RequestContext& context, const wire::AddPartitionsToTxnRequest& request,
                                  Reply<wire::AddPartitionsToTxnResponse> reply) {
  const std::string& id = request.v3_and_below_transactional_id;
  auto response = std::make_shared<wire::AddPartitionsToTxnResponse>();
  transactions::Partitions partitions;
  bool all_there = true;
  for (const auto& topic : request.v3_and_below_topics) {
    auto& answered = response->results_by_topic_v3_and_below.emplace_back();
    answered.name = topic.name;
    for (const std::int32_t partition : topic.partitions) {
      const wire::ErrorCode error = check_partition(context, topic.name, partition);
      all_there = all_there && error == wire::ErrorCode::none;
      answered.results_by_partition.push_back({.partition_index = partition, .partition_error_code = error});
      partitions.insert({topic.name, partition});
    }
  }
  if (!context.allows(Operation::write, ResourceType::transactional_id, id)) {
    set_all(*response, wire::ErrorCode::transactional_id_authorization_failed);
    return reply(*response);
  }
  if (!all_there) {
    for (auto& topic : response->results_by_topic_v3_and_below) {
      for (auto& partition : topic.results_by_partition) {
        if (partition.partition_error_code == wire::ErrorCode::none)
          partition.partition_error_code = wire::ErrorCode::operation_not_attempted;
      }
    }
    return reply(*response);
  }
  if (partitions.empty()) return reply(*response);
  context.broker.transactions().add_partitions(
      id, {ProducerId(request.v3_and_below_producer_id), ProducerEpoch(request.v3_and_below_producer_epoch)}, std::move(partitions),
      [reply, response, version = context.version](wire::ErrorCode error) {
        set_all(*response, older_fencing_error(error, version, fenced_from));
        reply(*response);
      });
}

}  // namespace tripos::broker
