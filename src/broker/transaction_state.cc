#include "broker/transaction_state.h"

#include <utility>
#include <vector>

#include "broker/broker.h"
#include "broker/consumer_offsets.h"
#include "broker/group/coordinator.h"
#include "broker/straddling_transactions.h"
#include "broker/topics.h"

namespace tripos::broker {

TransactionState::TransactionState(Broker& broker)
    : topic_(broker, "__transaction_state", static_cast<std::int32_t>(broker.config().integer("transaction.state.log.num.partitions")),
             broker.config().integer("transaction.state.log.segment.bytes")) {}

void TransactionState::append(PartitionId partition, Buffer key, std::optional<Buffer> value, std::function<void(wire::ErrorCode)> done) {
  const std::vector<KeyValue> records = {{.key = std::move(key), .value = std::move(value)}};
  topic_.append(partition, records, [done = std::move(done)](const Outcome<Offset>& appended) {
    done(appended ? wire::ErrorCode::none : appended.error().code);
  });
}

Result<> TransactionState::read_all(PartitionId partition,
                                    const std::function<void(std::optional<Bytes>, std::optional<Bytes>)>& visit) const {
  return topic_.read_all(partition, [&visit](const InternalTopic::Entry& entry) {
    if (entry.record != nullptr) visit(entry.record->key, entry.record->value);
  });
}

void TransactionalPartitions::append_marker(const transactions::TopicPartitionName& name, const TransactionMarker& marker,
                                            std::function<void(wire::ErrorCode)> done) {
  const auto partition = broker_.topics().partition(name.topic, PartitionId(name.partition));
  if (!partition) return done(partition.error().code);
  const Buffer bytes = build_marker_batch(marker, broker_.environment().clock.wall());
  const auto batch = RecordBatchView::parse(bytes);
  (*partition)->append({.batch = *batch}, [done = std::move(done)](const Outcome<AppendResult>& appended) {
    done(appended ? wire::ErrorCode::none : appended.error().code);
  });
}

void TransactionalPartitions::release(const std::string& id, const TransactionMarker& marker, const transactions::Partitions& names) {
  std::vector<TopicPartition> released;
  transactions::StraddlingTransaction committed{.producer_id = marker.producer_id, .parts = {}};
  for (const auto& name : names) {
    const auto partition = broker_.topics().partition(name.topic, PartitionId(name.partition));
    if (!partition) continue;  // deleted
    const auto part = (*partition)->release_transaction(marker.producer_id);
    released.push_back((*partition)->id());
    if (part && marker.committed && name.topic != consumer_offsets_name) {  // which nobody reads together with others
      committed.parts.push_back({.partition = (*partition)->id(), .first = part->first, .last = part->last});
    }
    if (name.topic == consumer_offsets_name && broker_.groups_are_loaded()) {
      broker_.groups().end_transaction(marker.producer_id, PartitionId(name.partition), marker.committed);
    }
  }
  broker_.straddling().add(id, std::move(committed));
  // Only now, so that whoever looks finds all of them moved. A watcher may do anything: partitions are looked up anew.
  for (const TopicPartition& moved : released) {
    if (const auto partition = broker_.topics().partition(moved)) (*partition)->notify_watchers();
  }
}

transactions::FirstOffsets TransactionalPartitions::first_offsets(ProducerId producer_id, const transactions::Partitions& partitions) {
  transactions::FirstOffsets offsets;
  for (const auto& name : partitions) {
    const auto partition = broker_.topics().partition(name.topic, PartitionId(name.partition));
    if (!partition) continue;
    if (const auto first = (*partition)->producers().open_transaction(producer_id)) offsets.emplace(name, *first);
  }
  return offsets;
}

std::vector<transactions::StraddlingTransaction> TransactionalPartitions::straddling(const std::string& id) {
  return broker_.straddling().of(id);
}

void TransactionalPartitions::restore(const std::string& id, const std::vector<transactions::StraddlingTransaction>& straddling) {
  for (const auto& transaction : straddling) broker_.straddling().add(id, transaction);
}

}  // namespace tripos::broker
