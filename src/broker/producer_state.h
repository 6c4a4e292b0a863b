// ProducerStates: what a partition remembers of its idempotent producers (KIP-98, KIP-360), so that each batch is appended once.
//
//   batch's epoch   and first sequence                         verdict
//   unknown producer, 0                                        append
//   unknown producer, other                                    UNKNOWN_PRODUCER_ID: its state is gone; it starts anew
//   older                                                      INVALID_PRODUCER_EPOCH: a fenced producer
//   newer           0                                          append; the older epoch's batches are forgotten
//   newer           other                                      OUT_OF_ORDER_SEQUENCE_NUMBER
//   same            follows the last one (after 2^31-1: 0)     append
//   same            that of one of the last 5 batches,         duplicate: answered as the original was, when that is durable
//                   with the same last sequence
//   same            other                                      OUT_OF_ORDER_SEQUENCE_NUMBER
//
// (Kafka accepts any sequence of an unknown producer, so that a batch behind a failed first one is appended before it: docs/adr.)
// check() decides and changes nothing; record() takes in what was appended, also when the log is read again at start.
// Invariant: batches of a producer are kept in the order of their offsets, the last 5 of its newest epoch. Threads: none of its own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <variant>

#include "model/ids.h"

namespace tripos::broker {

// What a batch says of its place among its producer's.
struct ProducedBatch {
  ProducerId producer_id = no_producer_id;
  ProducerEpoch epoch = no_producer_epoch;
  Sequence first_sequence = no_sequence;
  Sequence last_sequence = no_sequence;
};

// `first` advanced by `count` sequence numbers, which wrap.
[[nodiscard]] constexpr Sequence sequence_after(Sequence first, std::int32_t count) noexcept {
  return Sequence(static_cast<std::int32_t>((static_cast<std::int64_t>(first.value()) + count) & 0x7fffffff));
}

struct Append {};
struct Duplicate {  // of a batch that was appended
  Offset base_offset;
  Offset last_offset;
  std::int64_t timestamp_ms;
};
enum class SequenceError { out_of_order, stale_epoch, unknown_producer };

using SequenceVerdict = std::variant<Append, Duplicate, SequenceError>;

class ProducerStates {
 public:
  static constexpr std::size_t batches_kept = 5;  // max.in.flight.requests.per.connection of an idempotent producer

  [[nodiscard]] SequenceVerdict check(const ProducedBatch& batch) const;
  // An appended batch of a producer.
  void record(const ProducedBatch& batch, Offset base_offset, Offset last_offset, std::int64_t timestamp_ms);

  [[nodiscard]] std::size_t size() const noexcept { return producers_.size(); }

 private:
  struct Kept {
    Sequence first_sequence;
    Sequence last_sequence;
    Offset base_offset;
    Offset last_offset;
    std::int64_t timestamp_ms;
  };
  struct Producer {
    ProducerEpoch epoch;
    std::uint8_t count = 0;                  // of `batches`
    std::array<Kept, batches_kept> batches;  // oldest first
  };
  std::unordered_map<ProducerId, Producer> producers_;
};

}  // namespace tripos::broker
