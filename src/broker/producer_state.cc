#include "broker/producer_state.h"

#include <algorithm>

#include "base/check.h"

namespace tripos::broker {

ProducedBatch produced_batch(const RecordBatchView& batch) noexcept {
  const Sequence first = batch.base_sequence();
  return {.producer_id = batch.producer_id(),
          .epoch = batch.producer_epoch(),
          .first_sequence = first,
          .last_sequence = first == no_sequence ? no_sequence : sequence_after(first, batch.last_offset_delta()),
          .transactional = batch.is_transactional()};
}

SequenceVerdict ProducerStates::check(const ProducedBatch& batch) const {
  const bool starts = batch.first_sequence == Sequence(0);
  const bool sequenced = batch.first_sequence != no_sequence;
  const auto found = producers_.find(batch.producer_id);
  if (found == producers_.end()) {
    if (starts || !sequenced) return Append{};
    return SequenceError::unknown_producer;
  }
  const Producer& producer = found->second;
  if (batch.epoch < producer.epoch) return SequenceError::stale_epoch;
  if (!sequenced) return Append{};
  if (batch.epoch == producer.epoch) {
    for (std::size_t i = 0; i < producer.count; ++i) {
      const KeptBatch& kept = producer.batches[i];
      if (kept.first_sequence == batch.first_sequence && kept.last_sequence == batch.last_sequence) {
        return Duplicate{.base_offset = kept.base_offset, .last_offset = kept.last_offset, .timestamp_ms = kept.timestamp_ms};
      }
    }
  }
  if (!batch.transactional && producer.transaction_first && !producer.transaction_ended) return SequenceError::transaction_open;
  const bool is_first = batch.epoch > producer.epoch || producer.count == 0;
  const Sequence expected = is_first ? Sequence(0) : sequence_after(producer.batches[producer.count - 1U].last_sequence, 1);
  if (batch.first_sequence == expected) return Append{};
  return SequenceError::out_of_order;
}

void ProducerStates::record(const ProducedBatch& batch, Offset base_offset, Offset last_offset, std::int64_t timestamp_ms,
                            std::int64_t now_ms) {
  Producer& producer = producers_[batch.producer_id];
  if (producer.epoch != batch.epoch) {
    producer.epoch = batch.epoch;
    producer.forget_batches();
  }
  producer.last_seen_ms = now_ms;
  // Read from the log, the one before has been released: its coordinator takes no new one before that.
  if (batch.transactional && producer.transaction_ended) release(batch.producer_id);
  if (batch.transactional && !producer.transaction_first) {
    producer.transaction_first = base_offset;
    unstable_.emplace(base_offset, batch.producer_id);
  }
  if (batch.first_sequence == no_sequence) return;
  if (producer.count == batches_kept) {
    std::move(producer.batches.begin() + 1, producer.batches.end(), producer.batches.begin());
    --producer.count;
  }
  producer.batches[producer.count++] = KeptBatch{.first_sequence = batch.first_sequence,
                                                 .last_sequence = batch.last_sequence,
                                                 .base_offset = base_offset,
                                                 .last_offset = last_offset,
                                                 .timestamp_ms = timestamp_ms};
}

std::optional<SequenceError> ProducerStates::check_marker(const TransactionMarker& marker) const {
  const auto found = producers_.find(marker.producer_id);
  if (found != producers_.end() && marker.producer_epoch < found->second.epoch) return SequenceError::stale_epoch;
  return std::nullopt;
}

std::optional<EndedTransaction> ProducerStates::record_marker(const TransactionMarker& marker, Offset offset, std::int64_t now_ms) {
  Producer& producer = producers_[marker.producer_id];
  if (producer.epoch != marker.producer_epoch) {  // the marker fences who has the older epoch
    producer.epoch = marker.producer_epoch;
    producer.forget_batches();
  }
  producer.coordinator_epoch = marker.coordinator_epoch;
  producer.last_seen_ms = now_ms;
  if (!producer.transaction_first || producer.transaction_ended) return std::nullopt;
  producer.transaction_ended = true;
  const Offset first = *producer.transaction_first;
  Offset last_stable = offset + 1;
  for (const auto& [other_first, other] : unstable_) {
    if (other == marker.producer_id || producers_.at(other).transaction_ended) continue;
    last_stable = std::min(last_stable, other_first);
    break;
  }
  return EndedTransaction{.first = first, .marker = offset, .last_stable = last_stable, .committed = marker.committed};
}

std::optional<ReleasedTransaction> ProducerStates::release(ProducerId producer_id) {
  const auto found = producers_.find(producer_id);
  if (found == producers_.end() || !found->second.transaction_ended) return std::nullopt;
  Producer& producer = found->second;
  // Its last batch is the producer's. Group offsets have none that is kept; nobody asks where they end.
  const Offset first = *producer.transaction_first;
  const ReleasedTransaction released{.first = first,
                                     .last = producer.count > 0 ? producer.batches[producer.count - 1U].last_offset : first};
  unstable_.erase(released.first);
  producer.transaction_first.reset();
  producer.transaction_ended = false;
  return released;
}

void ProducerStates::release_ended(const std::function<bool(ProducerId, Offset)>& is_completing) {
  std::vector<ProducerId> ended;
  for (const auto& [first, producer_id] : unstable_) {
    if (producers_.at(producer_id).transaction_ended && !is_completing(producer_id, first)) ended.push_back(producer_id);
  }
  for (const ProducerId producer_id : ended) release(producer_id);
}

std::optional<Offset> ProducerStates::first_unstable() const noexcept {
  return unstable_.empty() ? std::nullopt : std::optional(unstable_.begin()->first);
}

std::optional<Offset> ProducerStates::open_transaction(ProducerId producer_id) const {
  const auto found = producers_.find(producer_id);
  if (found == producers_.end() || found->second.transaction_ended) return std::nullopt;
  return found->second.transaction_first;
}

void ProducerStates::expire(std::int64_t before_ms) {
  std::erase_if(producers_,
                [before_ms](const auto& entry) { return entry.second.last_seen_ms < before_ms && !entry.second.transaction_first; });
}

void ProducerStates::restore(ProducerId producer_id, const Producer& producer) {
  CHECK(!producers_.contains(producer_id));
  producers_.emplace(producer_id, producer);
  if (producer.transaction_first) unstable_.emplace(*producer.transaction_first, producer_id);
}

}  // namespace tripos::broker
