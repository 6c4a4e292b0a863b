#include "broker/consumer_offsets.h"

#include <utility>

#include "broker/broker.h"

namespace tripos::broker {

ConsumerOffsets::ConsumerOffsets(Broker& broker)
    : topic_(broker, "__consumer_offsets", static_cast<std::int32_t>(broker.config().integer("offsets.topic.num.partitions")),
             broker.config().integer("offsets.topic.segment.bytes")) {}

void ConsumerOffsets::append(PartitionId partition, std::vector<groups::OffsetsTopicRecord> records,
                             std::function<void(wire::ErrorCode)> done) {
  std::vector<KeyValue> values;
  values.reserve(records.size());
  for (auto& record : records) values.push_back({.key = std::move(record.key), .value = std::move(record.value)});
  topic_.append(partition, values, [done = std::move(done)](const Outcome<Offset>& appended) {
    done(appended ? wire::ErrorCode::none : appended.error().code);
  });
}

Result<> ConsumerOffsets::read_all(PartitionId partition,
                                   const std::function<void(std::optional<Bytes>, std::optional<Bytes>)>& visit) const {
  return topic_.read_all(partition, [&visit](const Record& record) { visit(record.key, record.value); });
}

}  // namespace tripos::broker
