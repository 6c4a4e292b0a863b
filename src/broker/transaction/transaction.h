// Transaction: one transactional id, its producer and the transaction that this has open (KIP-98, KIP-360), as a pure state machine:
// step(event, now) → effects.
//
//   state            meaning                                                leaves it when
//   empty            a producer, no transaction yet                         partitions are added → ongoing
//   ongoing          partitions may be written to                           EndTxn → prepare_commit or prepare_abort;
//                                                                           timeout, or another producer of this id → prepare_abort
//   prepare_commit   decided and durable; markers are being written         the markers are durable → complete_commit
//   prepare_abort    the same                                               the markers are durable → complete_abort
//   complete_…       the last transaction has ended                         partitions are added → ongoing; a new producer → empty
//   dead             expired: nothing is known any more                     never
//
//   event              empty        ongoing                  prepare_commit       prepare_abort        complete_commit   complete_abort
//   InitProducer       → empty      → prepare_abort, fenced  CONCURRENT…          CONCURRENT…          → empty           → empty
//                      epoch + 1    CONCURRENT…                                                        epoch + 1         epoch + 1
//   AddPartitions      → ongoing    → ongoing                CONCURRENT…          CONCURRENT…          → ongoing         → ongoing
//   End (commit)       INVALID…     → prepare_commit         CONCURRENT…          INVALID…             NONE              INVALID…
//   End (abort)        INVALID…     → prepare_abort          INVALID…             CONCURRENT…          INVALID…          NONE
//   MarkersDurable     –            –                        → complete_commit    → complete_abort     –                 –
//   TimePassed         –            → prepare_abort, fenced  –                    –                    –                 –
//   Expire             → dead       –                        –                    –                    → dead            → dead
//   (INVALID…: INVALID_TXN_STATE; CONCURRENT…: CONCURRENT_TRANSACTIONS, ask again)
//
// A transition happens when its record is durable (Store, then Stored); until then every other request is told CONCURRENT_TRANSACTIONS.
// Only complete_… does not wait for its record: it says nothing that the markers do not say, and the next record stands behind it.
// Before the state, ids and epochs are checked: INVALID_PRODUCER_ID_MAPPING for another producer's id, PRODUCER_FENCED for another epoch.
// `fenced`: the epoch rises with the abort, so that whatever the old producer still sends is refused, in the partitions too.
// EndTxn is answered when all markers are durable and all stable offsets have moved (rules, 2.2): the shell gives MarkersDurable then.
//
// Invariants: at most one Store is under way; a producer id and epoch are never given to two producers; an epoch of 32767 is never
// given out, so that fencing always has one left; each request is answered once.
// Threads: one. Nothing here knows sockets, logs or clocks: `now` is the monotonic clock, `wall_ms` only stamps records.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "broker/transaction/transaction_metadata.h"
#include "wire/error_code.h"

namespace tripos::transactions {

using RequestId = StrongId<struct TransactionRequestIdTag, std::uint64_t>;

struct ProducerIdAndEpoch {
  ProducerId id = no_producer_id;
  ProducerEpoch epoch = no_producer_epoch;
  friend bool operator==(const ProducerIdAndEpoch&, const ProducerIdAndEpoch&) = default;
};

// ---- Events

struct InitProducer {
  RequestId request;
  std::int32_t timeout_ms = 0;
  std::optional<ProducerIdAndEpoch> expected;  // what the producer has, if it goes on (KIP-360)
  std::optional<ProducerId> new_id;            // a fresh one, where needs_producer_id() asks for it
};
struct AddPartitions {
  RequestId request;
  ProducerIdAndEpoch producer;
  Partitions partitions;
};
struct End {
  RequestId request;
  ProducerIdAndEpoch producer;
  bool committed = false;
};
struct Stored {
  wire::ErrorCode error = wire::ErrorCode::none;
};
struct MarkersDurable {
  std::vector<StraddlingTransaction> straddling = {};  // of this id, now
};
struct TimePassed {};
struct Expire {};
using Event = std::variant<InitProducer, AddPartitions, End, Stored, MarkersDurable, TimePassed, Expire>;

// ---- Effects

struct InitAnswer {
  RequestId request;
  wire::ErrorCode error = wire::ErrorCode::none;
  ProducerIdAndEpoch producer;
};
struct PlainAnswer {
  RequestId request;
  wire::ErrorCode error = wire::ErrorCode::none;
};
// Append this to __transaction_state. `awaited`: Stored is expected when it is durable.
struct Store {
  std::optional<TransactionMetadata> metadata;  // none: a tombstone
  bool awaited = true;
};
// Write the marker to all partitions, until each has it; then release them in one step, and give MarkersDurable.
struct WriteMarkers {
  ProducerIdAndEpoch producer;
  bool committed = false;
  Partitions partitions;
};
using Effect = std::variant<InitAnswer, PlainAnswer, Store, WriteMarkers>;
using Effects = std::vector<Effect>;

class Transaction {
 public:
  // A new id, of which nothing is stored.
  Transaction() = default;
  // As stored. In prepare_…: pending_markers() says what is to be done first. A transaction that was open has what is left of its time.
  [[nodiscard]] static Transaction restore(TransactionMetadata metadata, MonotonicTime now, std::int64_t wall_ms);

  [[nodiscard]] Effects step(Event event, MonotonicTime now, std::int64_t wall_ms);

  // Whether InitProducer must bring a fresh producer id.
  [[nodiscard]] bool needs_producer_id(const std::optional<ProducerIdAndEpoch>& expected) const noexcept;
  // None while a record is on its way: what falls due meanwhile is due when it has come back.
  [[nodiscard]] std::optional<MonotonicTime> next_deadline() const noexcept { return pending_ ? std::nullopt : deadline_; }
  [[nodiscard]] std::optional<WriteMarkers> pending_markers() const;
  // Whether records of this producer may be written to the partition now: NONE, or why not.
  [[nodiscard]] wire::ErrorCode verify(const ProducerIdAndEpoch& producer, const TopicPartitionName& partition) const;

  [[nodiscard]] const TransactionMetadata& metadata() const noexcept { return metadata_; }
  [[nodiscard]] State state() const noexcept { return metadata_.state; }
  [[nodiscard]] bool is_storing() const noexcept { return pending_.has_value(); }
  // No producer yet: its first record is not durable.
  [[nodiscard]] bool is_new() const noexcept { return metadata_.producer_id == no_producer_id; }

 private:
  // A transition whose record is on its way, and who waits for it.
  struct Pending {
    std::optional<TransactionMetadata> next;  // none: a tombstone
    std::optional<InitProducer> init;
    std::optional<RequestId> request;  // AddPartitions, End
  };

  [[nodiscard]] Effects on(InitProducer&& event);
  [[nodiscard]] Effects on(AddPartitions&& event);
  [[nodiscard]] Effects on(End&& event);
  [[nodiscard]] Effects on(Stored&& event);
  [[nodiscard]] Effects on(MarkersDurable&& event);
  [[nodiscard]] Effects on(TimePassed&& event);
  [[nodiscard]] Effects on(Expire&& event);

  [[nodiscard]] wire::ErrorCode check_producer(const ProducerIdAndEpoch& producer) const;
  [[nodiscard]] bool is_retry(const ProducerIdAndEpoch& expected) const noexcept;
  // The producer's next id and epoch, or why it gets none.
  [[nodiscard]] wire::ErrorCode next_producer(const InitProducer& event, TransactionMetadata& next) const;
  [[nodiscard]] Effects store(Pending pending);
  [[nodiscard]] Effects abort_and_fence();
  [[nodiscard]] Effects take_effect(Pending done);

  TransactionMetadata metadata_;
  std::optional<Pending> pending_;
  std::optional<RequestId> ending_;        // EndTxn, until the markers are durable
  std::optional<MonotonicTime> deadline_;  // of the open transaction
  MonotonicTime now_{};                    // of the event that is handled
  std::int64_t wall_ms_ = 0;
};

}  // namespace tripos::transactions
