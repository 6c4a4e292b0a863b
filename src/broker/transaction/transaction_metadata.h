// TransactionMetadata: what __transaction_state keeps of one transactional id, and its records in Kafka's format
// (docs/format/transaction_state.md, big-endian). Written: TransactionLogKey v0, TransactionLogValue v0, and what is our own behind it.
// Read: values v0 and v1. Threads: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "model/ids.h"

namespace tripos::transactions {

// Kafka's numbers, as they are stored.
enum class State : std::int8_t {
  empty = 0,
  ongoing = 1,
  prepare_commit = 2,
  prepare_abort = 3,
  complete_commit = 4,
  complete_abort = 5,
  dead = 6,
};
// Its end is decided, and not all that follows is done.
[[nodiscard]] constexpr bool is_prepared(State state) noexcept { return state == State::prepare_commit || state == State::prepare_abort; }
[[nodiscard]] std::string_view to_string(State state) noexcept;  // Kafka's names: "PrepareCommit" …

// A transaction names its partitions by topic, as Kafka's format does.
struct TopicPartitionName {
  std::string topic;
  std::int32_t partition = 0;
  friend auto operator<=>(const TopicPartitionName&, const TopicPartitionName&) = default;
};
using Partitions = std::set<TopicPartitionName>;
// Where a transaction's records begin, in those of its partitions that have some.
using FirstOffsets = std::map<TopicPartitionName, Offset>;

// What a transaction wrote to a partition: its producer's transactional batches in [first, last].
struct TransactionPart {
  TopicPartition partition;
  Offset first;
  Offset last;
  friend bool operator==(const TransactionPart&, const TransactionPart&) = default;
};
// A committed transaction that not all of its partitions show yet (broker/straddling_transactions.h).
struct StraddlingTransaction {
  ProducerId producer_id;
  std::vector<TransactionPart> parts;
  friend bool operator==(const StraddlingTransaction&, const StraddlingTransaction&) = default;
};

struct TransactionMetadata {
  ProducerId producer_id = no_producer_id;
  ProducerEpoch producer_epoch = no_producer_epoch;
  // Before the last change, so that a retry of it is known for one; not stored.
  ProducerId last_producer_id = no_producer_id;
  ProducerEpoch last_producer_epoch = no_producer_epoch;
  std::int32_t timeout_ms = 0;
  State state = State::empty;
  Partitions partitions;
  std::int64_t update_timestamp_ms = -1;               // wall clock
  std::int64_t start_timestamp_ms = -1;                // of the transaction; -1: none
  std::vector<StraddlingTransaction> straddling = {};  // of this id, as of its last commit
  // When its end was decided: what tells a start which of the producer's transactions a partition has ended, this one or one before it.
  std::optional<FirstOffsets> first_offsets = {};
  friend bool operator==(const TransactionMetadata&, const TransactionMetadata&) = default;
};

[[nodiscard]] Buffer encode_transaction_key(std::string_view transactional_id);
[[nodiscard]] Buffer encode(const TransactionMetadata& metadata);

// malformed: the bytes break the format of the version that they name, or the version or the state is not known.
[[nodiscard]] Result<std::string> decode_transaction_key(Bytes bytes);
[[nodiscard]] Result<TransactionMetadata> decode_transaction_metadata(Bytes bytes);

}  // namespace tripos::transactions
