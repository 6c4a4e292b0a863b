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

Buffer build_batch(const NewRecords& records, WallTime now) {
  RecordBatchBuilder builder;
  for (const NewRecord& record : records.records) {
    const auto view = [](const std::optional<Buffer>& bytes) { return bytes ? std::optional<Bytes>(*bytes) : std::nullopt; };
    builder.add(record.timestamp.value_or(now), view(record.key), view(record.value));
  }
  RecordBatchFields fields;
  fields.compression = records.compression;
  return builder.finish(fields);
}

// A batch on its way to the loop.
struct Append {
  std::string topic;
  std::optional<TopicId> topic_id;
  PartitionId partition;
  Buffer batch;
};

void append_to(Broker& broker, Topic& topic, const Append& append, const LoopAnswer<Offset>& answer) {
  const auto view = RecordBatchView::parse(append.batch);
  if (!view) return answer(tl::unexpected(view.error()));
  if (append.batch.size() > static_cast<std::size_t>(topic.config.message_bytes_max)) {
    return answer(fail(ErrorCode::too_large, "a batch of {} bytes for topic {}, which takes max.message.bytes={}", append.batch.size(),
                       topic.name(), topic.config.message_bytes_max));
  }
  const auto partition = broker.topics().partition(topic, append.partition);
  if (!partition) return answer(tl::unexpected(as_error(partition.error())));
  (*partition)->append({.batch = *view}, [answer](const Outcome<AppendResult>& appended) {
    if (!appended) return answer(tl::unexpected(as_error(appended.error())));
    answer(appended->base_offset);
  });
}

void append_on_loop(Broker& broker, Append append, const LoopAnswer<Offset>& answer) {
  Topic* topic = broker.topics().find(append.topic);
  if (topic != nullptr && append.topic_id && topic->id() != *append.topic_id) topic = nullptr;
  if (topic != nullptr) return append_to(broker, *topic, append, answer);
  const bool internal = broker::is_internal_topic(append.topic);
  if (append.topic_id || (!internal && !broker.config().auto_create_topics)) {
    return answer(fail(ErrorCode::not_found, "there is no topic {}{}", append.topic, append.topic_id ? " any more: it was deleted" : ""));
  }
  broker::ConfigValues config;
  if (internal) config.emplace("cleanup.policy", "compact");
  const std::int32_t partition_count = internal ? 1 : broker.config().num_partitions;
  const std::string name = append.topic;
  broker.topics().find_or_create(name, partition_count, std::move(config),
                                 [&broker, append = std::move(append), answer](const Outcome<Topic*>& created) {
                                   if (!created) return answer(tl::unexpected(as_error(created.error())));
                                   append_to(broker, **created, append, answer);
                                 });
}

}  // namespace

void BrokerSink::append(NewRecords records, AppendDone done) {
  if (records.records.empty()) return done(fail(ErrorCode::invalid_argument, "no records to append to {}", records.topic));
  // The batch is built here: the loop has others to serve.
  Append append{.topic = records.topic,
                .topic_id = records.topic_id,
                .partition = records.partition,
                .batch = build_batch(records, broker_.environment().clock.wall())};
  broker_.environment().executor.post([&broker = broker_, append = std::move(append), answer = LoopAnswer<Offset>(std::move(done))] {
    append_on_loop(broker, append, answer);
  });
}

Result<Offset> BrokerSink::append(NewRecords records) {
  const auto promise = std::make_shared<std::promise<Result<Offset>>>();
  std::future<Result<Offset>> future = promise->get_future();
  append(std::move(records), [promise](const Result<Offset>& result) { promise->set_value(result); });
  return future.get();
}

}  // namespace tripos::source
