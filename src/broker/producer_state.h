// ProducerStates: what a partition remembers of its producers (KIP-98, KIP-360): idempotence, and which transactions are open in it.
//
//   batch's epoch   and first sequence                         verdict
//   unknown producer, 0                                        append
//   unknown producer, other                                    UNKNOWN_PRODUCER_ID: its state is gone; it starts anew
//   older                                                      INVALID_PRODUCER_EPOCH: a fenced producer
//   newer           0                                          append; the older epoch's batches are forgotten
//   newer           other                                      OUT_OF_ORDER_SEQUENCE_NUMBER
//   same            follows the last one (after 2^31-1: 0;     append
//                   nothing yet in this epoch: 0)
//   same            that of one of the last 5 batches,         duplicate: answered as the original was, when that is durable
//                   with the same last sequence
//   same            other                                      OUT_OF_ORDER_SEQUENCE_NUMBER
//   any             none (the coordinator's own offsets)       append, unless the epoch is older
// (Kafka accepts any sequence of an unknown producer, so that a batch behind a failed first one is appended before it: docs/adr/0002.)
//
//   a producer's transaction here   transactional batch   plain batch         marker               release
//   none                            → open                –                   – (the epoch counts)  –
//   open (from its first offset)    –                     INVALID_TXN_STATE   → ended              –
//   ended, not yet released         → open (it was; read  –                   –                    → none
//                                   from the log)
// The last stable offset lies at the first offset of the earliest transaction that is open or not yet released: a transaction that
// ends is released in all its partitions in one step (docs/adr/0022).
//
// check…() decide and change nothing; record…() take in what was appended, also when the log is read again at start.
// Invariant: batches of a producer are kept in the order of their offsets, the last 5 of its newest epoch. Threads: none of its own.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "model/control_record.h"
#include "model/ids.h"

namespace tripos::broker {

// What a batch says of its place among its producer's.
struct ProducedBatch {
  ProducerId producer_id = no_producer_id;
  ProducerEpoch epoch = no_producer_epoch;
  Sequence first_sequence = no_sequence;
  Sequence last_sequence = no_sequence;
  bool transactional = false;
};
[[nodiscard]] ProducedBatch produced_batch(const RecordBatchView& batch) noexcept;

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
enum class SequenceError { out_of_order, stale_epoch, unknown_producer, transaction_open };

using SequenceVerdict = std::variant<Append, Duplicate, SequenceError>;

// A transaction that a marker has ended in a partition.
struct EndedTransaction {
  Offset first;
  Offset marker;
  Offset last_stable;  // where the last stable offset moves when this one is released, as things stand at the marker
  bool committed;
  friend bool operator==(const EndedTransaction&, const EndedTransaction&) = default;
};

// Where a transaction lies that has been released.
struct ReleasedTransaction {
  Offset first;
  Offset last;  // its last record
};

class ProducerStates {
 public:
  static constexpr std::size_t batches_kept = 5;  // max.in.flight.requests.per.connection of an idempotent producer

  struct KeptBatch {
    Sequence first_sequence;
    Sequence last_sequence;
    Offset base_offset;
    Offset last_offset;
    std::int64_t timestamp_ms;
    friend bool operator==(const KeptBatch&, const KeptBatch&) = default;
  };
  struct Producer {
    ProducerEpoch epoch = no_producer_epoch;
    std::uint8_t count = 0;                         // of `batches`
    std::array<KeptBatch, batches_kept> batches{};  // oldest first
    std::int32_t coordinator_epoch = -1;            // of its last marker
    std::int64_t last_seen_ms = -1;                 // when its last batch or marker came, by the wall clock
    std::optional<Offset> transaction_first;        // of the open transaction, or of one that ended and is not released
    bool transaction_ended = false;
    void forget_batches() noexcept {
      count = 0;
      batches = {};
    }
    friend bool operator==(const Producer&, const Producer&) = default;
  };
  using Producers = std::unordered_map<ProducerId, Producer>;

  [[nodiscard]] SequenceVerdict check(const ProducedBatch& batch) const;
  // An appended batch of a producer; `timestamp_ms` is the batch's.
  void record(const ProducedBatch& batch, Offset base_offset, Offset last_offset, std::int64_t timestamp_ms, std::int64_t now_ms);

  // stale_epoch, or nothing.
  [[nodiscard]] std::optional<SequenceError> check_marker(const TransactionMarker& marker) const;
  // An appended marker; the transaction that it ends, if one was open here.
  std::optional<EndedTransaction> record_marker(const TransactionMarker& marker, Offset offset, std::int64_t now_ms);

  // The producer's ended transaction holds the stable offset no longer. Nothing if it had none here.
  std::optional<ReleasedTransaction> release(ProducerId producer_id);
  // All that have ended, but for those of which `is_completing`, asked with the first offset, is true. At start.
  void release_ended(const std::function<bool(ProducerId, Offset first)>& is_completing);
  // The first offset of the earliest transaction that is open or not released.
  [[nodiscard]] std::optional<Offset> first_unstable() const noexcept;
  // Where the producer's open transaction begins here; nothing if it has none.
  [[nodiscard]] std::optional<Offset> open_transaction(ProducerId producer_id) const;

  // Forgets producers of which nothing was heard since `before_ms` and that have no transaction here.
  void expire(std::int64_t before_ms);

  [[nodiscard]] std::size_t size() const noexcept { return producers_.size(); }
  [[nodiscard]] const Producers& all() const noexcept { return producers_; }
  // From a snapshot.
  void restore(ProducerId producer_id, const Producer& producer);

 private:
  Producers producers_;
  std::map<Offset, ProducerId> unstable_;  // transactions that are open or not released, by their first offset
};

}  // namespace tripos::broker
