#include "broker/producer_state.h"

#include <algorithm>

namespace tripos::broker {

SequenceVerdict ProducerStates::check(const ProducedBatch& batch) const {
  const bool starts = batch.first_sequence == Sequence(0);
  const auto found = producers_.find(batch.producer_id);
  if (found == producers_.end()) {
    if (starts) return Append{};
    return SequenceError::unknown_producer;
  }
  const Producer& producer = found->second;
  if (batch.epoch < producer.epoch) return SequenceError::stale_epoch;
  if (batch.epoch > producer.epoch) {
    if (starts) return Append{};
    return SequenceError::out_of_order;
  }
  for (std::size_t i = 0; i < producer.count; ++i) {
    const Kept& kept = producer.batches[i];
    if (kept.first_sequence == batch.first_sequence && kept.last_sequence == batch.last_sequence) {
      return Duplicate{.base_offset = kept.base_offset, .last_offset = kept.last_offset, .timestamp_ms = kept.timestamp_ms};
    }
  }
  if (batch.first_sequence == sequence_after(producer.batches[producer.count - 1U].last_sequence, 1)) return Append{};
  return SequenceError::out_of_order;
}

void ProducerStates::record(const ProducedBatch& batch, Offset base_offset, Offset last_offset, std::int64_t timestamp_ms) {
  Producer& producer = producers_[batch.producer_id];
  if (producer.count == 0 || producer.epoch != batch.epoch) {
    producer.epoch = batch.epoch;
    producer.count = 0;
  }
  if (producer.count == batches_kept) {
    std::move(producer.batches.begin() + 1, producer.batches.end(), producer.batches.begin());
    --producer.count;
  }
  producer.batches[producer.count++] = Kept{.first_sequence = batch.first_sequence,
                                            .last_sequence = batch.last_sequence,
                                            .base_offset = base_offset,
                                            .last_offset = last_offset,
                                            .timestamp_ms = timestamp_ms};
}

}  // namespace tripos::broker
