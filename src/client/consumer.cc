#include "client/consumer.h"

#include <algorithm>

#include "model/batch_order.h"
#include "wire/fetch.h"

namespace tripos::client {
namespace {

constexpr std::int16_t fetch_names_version_max = 12;  // from 13 on topics are named by id

}  // namespace

std::string Consumer::place(const ConsumedPartition& partition) const {
  return fmt::format("topic {}, partition {}, offset {}", topic_, partition.index, partition.position);
}

Result<bool> Consumer::poll(const Sink& sink) {
  wire::FetchRequest request;
  request.max_wait_ms = options_.wait_ms_max;
  request.min_bytes = 1;
  request.max_bytes = options_.fetch_bytes_max;
  request.isolation_level = 1;
  auto& topic = request.topics.emplace_back();
  topic.topic = topic_;
  for (const ConsumedPartition& partition : partitions_) {
    if (partition.done()) continue;
    auto& wanted = topic.partitions.emplace_back();
    wanted.partition = partition.index;
    wanted.fetch_offset = partition.position;
    wanted.partition_max_bytes = options_.fetch_bytes_max;
  }
  if (topic.partitions.empty()) return false;

  TRIPOS_ASSIGN(const auto response, connection_.call<wire::FetchResponse>(request, fetch_names_version_max));
  if (response.error_code != wire::ErrorCode::none) return tl::unexpected(kafka_error(response.error_code, "topic " + topic_));
  for (const auto& answered_topic : response.responses) {
    for (const auto& answered : answered_topic.partitions) {
      const auto partition = std::ranges::find(partitions_, answered.partition_index, &ConsumedPartition::index);
      if (partition == partitions_.end())
        return fail(ErrorCode::malformed, "the broker answered partition {}, which was not asked for", answered.partition_index);
      if (answered.error_code != wire::ErrorCode::none) return tl::unexpected(kafka_error(answered.error_code, place(*partition)));
      std::vector<AbortedTransaction> aborted;
      if (answered.aborted_transactions) {
        for (const auto& transaction : *answered.aborted_transactions)
          aborted.push_back({transaction.producer_id, transaction.first_offset});
      }
      TRIPOS_ASSIGN(const bool go_on,
                    read_batches(*partition, answered.records.decoded_bytes(), Offset(answered.high_watermark), std::move(aborted), sink));
      if (!go_on) return false;
    }
  }
  return !std::ranges::all_of(partitions_, &ConsumedPartition::done);
}

Result<bool> Consumer::read_batches(ConsumedPartition& partition, Bytes batches, Offset high_watermark,
                                    std::vector<AbortedTransaction> aborted, const Sink& sink) {
  const std::size_t size = batches.size();
  BatchOrder order(Offset(partition.batches_end), high_watermark);
  std::ranges::sort(aborted, {}, &AbortedTransaction::first_offset);
  std::size_t next_aborted = 0;
  std::set<std::int64_t> aborted_producers;  // that have an aborted transaction open here
  while (!batches.empty() && !partition.done()) {
    const auto parsed = RecordBatchView::parse(batches);
    // The broker may cut the last batch where its limit of bytes is.
    if (!parsed && parsed.error().code == ErrorCode::out_of_range) break;
    if (!parsed) return tl::unexpected(Error(parsed.error()).within(place(partition)));
    const RecordBatchView& batch = *parsed;
    const std::size_t place_in_answer = size - batches.size();
    batches.remove_prefix(batch.bytes().size());
    if (!batch.crc_matches())
      return fail(ErrorCode::corrupt, "{}: the batch at offset {} has a wrong checksum", place(partition), batch.base_offset());
    if (auto ordered = order.take(place_in_answer, batch.base_offset(), batch.next_offset()); !ordered)
      return tl::unexpected(std::move(ordered).error().within(place(partition) + ": in the answer"));
    while (next_aborted < aborted.size() && aborted[next_aborted].first_offset <= batch.last_offset().value()) {
      aborted_producers.insert(aborted[next_aborted++].producer_id);
    }
    if (batch.is_control()) {
      aborted_producers.erase(batch.producer_id().value());  // a marker ends its producer's transaction
    } else if (!batch.is_transactional() || !aborted_producers.contains(batch.producer_id().value())) {
      TRIPOS_ASSIGN(const bool go_on, read_batch(partition, batch, sink));
      if (!go_on) return false;
    }
    partition.position = std::max(partition.position, batch.next_offset().value());
    partition.batches_end = batch.next_offset().value();
  }
  return true;
}

Result<bool> Consumer::read_batch(ConsumedPartition& partition, const RecordBatchView& batch, const Sink& sink) {
  if (auto started = reader_.start(batch); !started) return tl::unexpected(std::move(started).error().within(place(partition)));
  while (true) {
    auto record = reader_.next();
    if (!record) return tl::unexpected(std::move(record).error().within(place(partition)));
    if (*record == nullptr) return true;
    const std::int64_t offset = (*record)->offset.value();
    if (offset < partition.position) continue;  // the batch begins below
    if (partition.end && offset >= *partition.end) return true;
    TRIPOS_ASSIGN(const bool go_on, sink(partition.index, **record));
    partition.position = offset + 1;
    if (!go_on) return false;
  }
}

}  // namespace tripos::client
