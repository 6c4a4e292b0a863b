#include <utility>

#include "broker/topics.h"
#include "source/broker_source.h"
#include "source/loop_call.h"

namespace tripos::source {

namespace {

using broker::AppendResult;
using broker::Broker;
using broker::Outcome;
using broker::Topic;

Error as_error(const broker::KafkaError& error) {
  switch (error.code) {
    case wire::ErrorCode::unknown_topic_or_partition: return {.code = ErrorCode::not_found, .message = error.message};
    case wire::ErrorCode::message_too_large:
    case wire::ErrorCode::record_list_too_large: return {.code = ErrorCode::too_large, .message = error.message};
    case wire::ErrorCode::kafka_storage_error: return {.code = ErrorCode::io, .message = error.message};
    default: return {.code = ErrorCode::invalid_argument, .message = error.message};
  }
}

Buffer build_batch(const std::vector<NewRecord>& records, WallTime now) {
  RecordBatchBuilder builder;
  for (const NewRecord& record : records) {
    const auto view = [](const std::optional<Buffer>& bytes) { return bytes ? std::optional<Bytes>(*bytes) : std::nullopt; };
    builder.add(record.timestamp.value_or(now), view(record.key), view(record.value));
  }
  return builder.finish({});
}

void append_to(Broker& broker, Topic& topic, PartitionId number, const Buffer& batch, const LoopAnswer<Offset>& answer) {
  const auto view = RecordBatchView::parse(batch);
  if (!view) return answer(tl::unexpected(view.error()));
  if (batch.size() > static_cast<std::size_t>(topic.config.message_bytes_max)) {
    return answer(fail(ErrorCode::too_large, "a batch of {} bytes for topic {}, which takes max.message.bytes={}", batch.size(),
                       topic.name(), topic.config.message_bytes_max));
  }
  const auto partition = broker.topics().partition(topic, number);
  if (!partition) return answer(tl::unexpected(as_error(partition.error())));
  (*partition)->append({.batch = *view}, [answer](const Outcome<AppendResult>& appended) {
    if (!appended) return answer(tl::unexpected(as_error(appended.error())));
    answer(appended->base_offset);
  });
}

}  // namespace

Result<Offset> BrokerSink::append(NewRecords records) {
  if (records.records.empty()) return fail(ErrorCode::invalid_argument, "no records to append to {}", records.topic);
  Broker& broker = broker_;
  return call_on_loop<Offset>(broker.environment().executor, [&broker, &records](const LoopAnswer<Offset>& answer) {
    Buffer batch = build_batch(records.records, broker.environment().clock.wall());
    if (Topic* topic = broker.topics().find(records.topic)) return append_to(broker, *topic, records.partition, batch, answer);
    const bool internal = broker::is_internal_topic(records.topic);
    if (!internal && !broker.config().auto_create_topics) {
      return answer(fail(ErrorCode::not_found, "there is no topic {}", records.topic));
    }
    broker::ConfigValues config;
    if (internal) config.emplace("cleanup.policy", "compact");
    const std::int32_t partition_count = internal ? 1 : broker.config().num_partitions;
    broker.topics().find_or_create(records.topic, partition_count, std::move(config),
                                   [&broker, number = records.partition, batch = std::move(batch), answer](const Outcome<Topic*>& topic) {
                                     if (!topic) return answer(tl::unexpected(as_error(topic.error())));
                                     append_to(broker, **topic, number, batch, answer);
                                   });
  });
}

}  // namespace tripos::source
