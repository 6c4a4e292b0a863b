// DeleteRecords: moves the start of partitions' logs up. Answered when the new starts are durable; segments that lie below go after that.
// What is deleted on request leaves the topic's table, too (docs/adr/0024).
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "broker/api/handlers.h"
#include "broker/api/pending_reply.h"
#include "broker/topics.h"
#include "broker/trimming.h"

namespace tripos::broker {

namespace {

using PendingDeletion = PendingReply<wire::DeleteRecordsResponse>;

constexpr std::int64_t up_to_high_watermark = -1;
constexpr std::int64_t no_low_watermark = -1;

// What is to go, or why nothing may.
Outcome<LeavingRecords> leaving_records(RequestContext& context, const std::string& name, std::int32_t number, std::int64_t offset) {
  if (!context.allows(Operation::remove, ResourceType::topic, name)) {
    return refuse(wire::ErrorCode::topic_authorization_failed, "Not allowed to delete records of this topic.");
  }
  Topic* const topic = context.broker.topics().find(name);
  if (topic == nullptr) return unknown_topic_or_partition();
  if (topic->internal) return refuse(wire::ErrorCode::invalid_topic_exception, "Cannot delete records of internal topic {}.", name);
  const auto partition = context.broker.topics().partition(*topic, PartitionId(number));
  if (!partition) return tl::unexpected(partition.error());
  if (!topic->config.deleted_by_retention) {
    return refuse(wire::ErrorCode::policy_violation, "Records of partition {}-{} can not be deleted due to the configured policy.", name,
                  number);
  }
  const Offset end = (*partition)->durable_end().offset;
  const Offset below = offset == up_to_high_watermark ? end : Offset(offset);
  if (offset < up_to_high_watermark || below > end) {
    return refuse(wire::ErrorCode::offset_out_of_range, "Offset {} does not lie in [0, {}] of partition {}-{}.", offset, end, name, number);
  }
  return LeavingRecords{.partition = (*partition)->id(), .end = below, .trim = log::Trim::deletion};
}

}  // namespace

void handle_delete_records(RequestContext& context, const wire::DeleteRecordsRequest& request, Reply<wire::DeleteRecordsResponse> reply) {
  const auto answer = pending_reply(std::move(reply));
  // Results first: what trims refers to them. Of a partition that is named more than once the last offset counts, as with Kafka.
  std::vector<std::map<std::int32_t, std::int64_t>> asked(request.topics.size());
  answer->response.topics.resize(request.topics.size());
  for (std::size_t i = 0; i < request.topics.size(); ++i) {
    answer->response.topics[i].name = request.topics[i].name;
    for (const auto& partition : request.topics[i].partitions) asked[i].insert_or_assign(partition.partition_index, partition.offset);
    answer->response.topics[i].partitions.resize(asked[i].size());
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    auto next = answer->response.topics[i].partitions.begin();
    for (const auto& [number, offset] : asked[i]) {
      auto& result = *next++;
      result.partition_index = number;
      result.low_watermark = no_low_watermark;
      const auto leaving = leaving_records(context, request.topics[i].name, number, offset);
      if (!leaving) {
        result.error_code = leaving.error().code;
        continue;
      }
      answer->begin();
      context.broker.trimming().trim(*leaving, [answer, &result](const Outcome<Offset>& start) {
        result.error_code = start ? wire::ErrorCode::none : start.error().code;
        if (start) result.low_watermark = start->value();
        answer->finish();
      });
    }
  }
  answer->finish();
}

}  // namespace tripos::broker
