#include "broker/internal_topic.h"

#include <utility>

#include "broker/broker.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

constexpr std::size_t internal_batch_size_max = 64u << 20;

Buffer build_batch(std::span<const KeyValue> records, WallTime now, const RecordBatchFields& fields) {
  RecordBatchBuilder builder;
  for (const KeyValue& record : records) {
    builder.add(now, Bytes(record.key), record.value ? std::optional<Bytes>(*record.value) : std::nullopt);
  }
  return builder.finish(fields);
}

void append_to(Broker& broker, Topic& topic, PartitionId number, const Buffer& batch, const std::function<void(Outcome<Offset>)>& done) {
  const auto partition = broker.topics().partition(topic, number);
  if (!partition) return done(tl::unexpected(partition.error()));
  const auto view = RecordBatchView::parse(batch);
  if (!view) return done(tl::unexpected(kafka_error(view.error())));
  (*partition)->append({.batch = *view}, [done](const Outcome<AppendResult>& appended) {
    if (!appended) return done(tl::unexpected(appended.error()));
    done(appended->base_offset);
  });
}

}  // namespace

InternalTopic::InternalTopic(Broker& broker, std::string name, std::int32_t partition_count, std::int64_t segment_bytes)
    : broker_(broker), name_(std::move(name)), partition_count_(partition_count), segment_bytes_(segment_bytes) {}

std::int32_t InternalTopic::partition_count() const {
  const Topic* topic = broker_.topics().find(name_);
  return topic != nullptr ? topic->partition_count() : partition_count_;
}

void InternalTopic::append(PartitionId partition, std::span<const KeyValue> records, std::function<void(Outcome<Offset>)> done,
                           const RecordBatchFields& fields) {
  Buffer batch = build_batch(records, broker_.environment().clock.wall(), fields);
  if (Topic* topic = broker_.topics().find(name_)) return append_to(broker_, *topic, partition, batch, done);
  const ConfigValues config{
      {"cleanup.policy", "compact"}, {"compression.type", "producer"}, {"segment.bytes", std::to_string(segment_bytes_)}};
  // Waiters of a creation run in the order of their calls.
  broker_.topics().find_or_create(
      name_, partition_count_, config,
      [&broker = broker_, partition, batch = std::move(batch), done = std::move(done)](const Outcome<Topic*>& topic) {
        if (!topic) return done(tl::unexpected(topic.error()));
        append_to(broker, **topic, partition, batch, done);
      });
}

Result<> InternalTopic::read_all(PartitionId number, const std::function<void(const Entry&)>& visit) const {
  Topic* topic = broker_.topics().find(name_);
  if (topic == nullptr) return {};
  const auto partition = broker_.topics().partition(*topic, number);
  if (!partition) return fail(ErrorCode::io, "{} partition {}: {}", name_, number, partition.error().message);
  RecordReader reader(internal_batch_size_max);
  const auto read_batch = [&](const RecordBatchView& batch) -> Result<> {
    if (batch.is_control()) {
      if (const auto marker = read_marker_batch(batch))
        visit(Entry{.record = nullptr, .transaction = marker->producer_id, .marker = *marker});
      return {};
    }
    TRIPOS_TRY(reader.start(batch));
    const ProducerId transaction = batch.is_transactional() ? batch.producer_id() : no_producer_id;
    while (true) {
      TRIPOS_ASSIGN(const Record* record, reader.next());
      if (record == nullptr) return {};
      visit(Entry{.record = record, .transaction = transaction, .marker = {}});
    }
  };
  return (*partition)->log()->for_each_batch((*partition)->start_offset(), (*partition)->durable_end(), read_batch);
}

}  // namespace tripos::broker
