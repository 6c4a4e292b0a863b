#include "broker/consumer_offsets.h"

#include <utility>

#include "broker/broker.h"

namespace tripos::broker {

ConsumerOffsets::ConsumerOffsets(Broker& broker)
    : topic_(broker, std::string(consumer_offsets_name), static_cast<std::int32_t>(broker.config().integer("offsets.topic.num.partitions")),
             broker.config().integer("offsets.topic.segment.bytes")) {}

void ConsumerOffsets::append(PartitionId partition, std::vector<groups::OffsetsTopicRecord> records,
                             std::optional<groups::TransactionalProducer> transaction, std::function<void(wire::ErrorCode)> done) {
  std::vector<KeyValue> values;
  values.reserve(records.size());
  for (auto& record : records) values.push_back({.key = std::move(record.key), .value = std::move(record.value)});
  RecordBatchFields fields;
  if (transaction) {
    fields.producer_id = transaction->id;
    fields.producer_epoch = transaction->epoch;
    fields.transactional = true;
  }
  const auto appended = [done = std::move(done)](const Outcome<Offset>& outcome) {
    done(outcome ? wire::ErrorCode::none : outcome.error().code);
  };
  topic_.append(partition, values, appended, fields);
}

Result<> ConsumerOffsets::read_all(PartitionId partition, const std::function<void(const groups::OffsetsTopicEntry&)>& visit) const {
  return topic_.read_all(partition, [&visit](const InternalTopic::Entry& from) {
    groups::OffsetsTopicEntry entry{.key = {}, .value = {}, .transaction = from.transaction, .ends_committed = {}};
    if (from.marker) {
      entry.ends_committed = from.marker->committed;
    } else {
      entry.key = from.record->key;
      entry.value = from.record->value;
    }
    visit(entry);
  });
}

}  // namespace tripos::broker
