#include "source/broker_source.h"

#include <limits>
#include <utility>
#include <vector>

#include "broker/broker.h"
#include "broker/straddling_transactions.h"
#include "broker/topics.h"
#include "source/loop_call.h"

namespace tripos::source {

namespace {

using broker::Broker;
using broker::Partition;

Result<PartitionRange> read_range(Broker& broker, const RangeRequest& request) {
  const auto partition = broker.topics().partition(request.partition);
  if (!partition) {
    const bool gone = partition.error().code == wire::ErrorCode::unknown_topic_id ||
                      partition.error().code == wire::ErrorCode::unknown_topic_or_partition;
    return fail(gone ? ErrorCode::not_found : ErrorCode::corrupt, "{}", partition.error().message);
  }
  StableOffset end = (*partition)->stable_offset();
  if (request.settled) end.offset = broker.straddling().settled_end(request.partition, end.offset);
  const Offset begin = std::max(request.begin, (*partition)->start_offset());
  PartitionRange range{.partition = request.partition.partition, .begin = begin, .end = end, .slices = {}, .aborted = {}};
  range.deleted_below = (*partition)->log()->deleted_below();
  if (begin >= end.offset) return range;
  auto read = (*partition)->log()->read(begin, end, std::numeric_limits<std::uint64_t>::max());
  if (!read) return tl::unexpected(std::move(read).error());
  range.slices = std::move(read->slices);
  range.aborted = (*partition)->aborted(begin, end.offset);
  range.withheld = broker.straddling().withheld(request.partition, begin, end.offset);
  return range;
}

}  // namespace

Result<std::vector<PartitionRange>> read_ranges(Broker& broker, std::span<const RangeRequest> requests) {
  std::vector<PartitionRange> ranges;
  ranges.reserve(requests.size());
  for (const RangeRequest& request : requests) {
    TRIPOS_ASSIGN(auto range, read_range(broker, request));
    ranges.push_back(std::move(range));
  }
  return ranges;
}

std::vector<TopicDescription> describe_topics(Broker& broker) {
  std::vector<TopicDescription> described;
  for (const broker::Topic* topic : broker.topics().all()) {
    described.push_back({.id = topic->id(),
                         .name = topic->name(),
                         .partition_count = topic->partition_count(),
                         .internal = topic->internal,
                         .table = topic->config.table,
                         .table_fields_max = topic->config.table_fields_max,
                         .compacted = topic->config.compacted,
                         .message_bytes_max = static_cast<std::size_t>(topic->config.message_bytes_max)});
  }
  return described;
}

std::vector<TopicDescription> BrokerSource::topics() {
  auto topics = call_on_loop<std::vector<TopicDescription>>(broker_.environment().executor,
                                                            [this](const auto& answer) { answer(describe_topics(broker_)); });
  return topics ? std::move(*topics) : std::vector<TopicDescription>();
}

Result<std::vector<PartitionRange>> BrokerSource::ranges(std::span<const RangeRequest> requests) {
  // `requests` outlives the call, which waits.
  return call_on_loop<std::vector<PartitionRange>>(broker_.environment().executor,
                                                   [this, requests](const auto& answer) { answer(read_ranges(broker_, requests)); });
}

}  // namespace tripos::source
