#include "broker/producer_state.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>
#include <map>
#include <vector>

namespace tripos::broker {
namespace {

constexpr std::int32_t sequence_max = std::numeric_limits<std::int32_t>::max();

ProducedBatch batch(std::int16_t epoch, std::int32_t first, std::int32_t count, std::int64_t producer = 7) {
  return {.producer_id = ProducerId(producer),
          .epoch = ProducerEpoch(epoch),
          .first_sequence = Sequence(first),
          .last_sequence = sequence_after(Sequence(first), count - 1),
          .transactional = false};
}

ProducedBatch transactional(std::int16_t epoch, std::int32_t first, std::int32_t count, std::int64_t producer = 7) {
  ProducedBatch produced = batch(epoch, first, count, producer);
  produced.transactional = true;
  return produced;
}

TransactionMarker marker(std::int16_t epoch, bool committed, std::int64_t producer = 7) {
  return {.producer_id = ProducerId(producer), .producer_epoch = ProducerEpoch(epoch), .committed = committed, .coordinator_epoch = 0};
}

std::string text(const SequenceVerdict& verdict) {
  if (std::holds_alternative<Append>(verdict)) return "append";
  if (const auto* duplicate = std::get_if<Duplicate>(&verdict)) return "duplicate of " + std::to_string(duplicate->base_offset.value());
  switch (std::get<SequenceError>(verdict)) {
    case SequenceError::out_of_order: return "out of order";
    case SequenceError::stale_epoch: return "stale epoch";
    case SequenceError::unknown_producer: return "unknown producer";
    case SequenceError::transaction_open: return "transaction open";
  }
  return "";
}

// Appends what is accepted, as a partition does.
struct Partition {
  ProducerStates states;
  Offset next{0};

  std::string send(const ProducedBatch& produced, std::int32_t count) {
    const auto verdict = states.check(produced);
    if (std::holds_alternative<Append>(verdict)) {
      states.record(produced, next, next + (count - 1), 0, 0);
      next = next + count;
    }
    return text(verdict);
  }
  std::string send(std::int16_t epoch, std::int32_t first, std::int32_t count) { return send(batch(epoch, first, count), count); }
  std::optional<EndedTransaction> end(const TransactionMarker& ending) {
    const Offset offset = next;
    ++next;
    return states.record_marker(ending, offset, 0);
  }
};

TEST(ProducerStates, AppendsInSequence) {
  Partition partition;
  EXPECT_EQ(partition.send(0, 0, 3), "append");
  EXPECT_EQ(partition.send(0, 3, 1), "append");
  EXPECT_EQ(partition.send(0, 5, 1), "out of order");
  EXPECT_EQ(partition.send(0, 4, 2), "append");
}

TEST(ProducerStates, KnowsTheLastFiveBatches) {
  Partition partition;
  for (std::int32_t i = 0; i < 6; ++i) EXPECT_EQ(partition.send(0, i * 10, 10), "append");
  EXPECT_EQ(partition.send(0, 50, 10), "duplicate of 50");
  EXPECT_EQ(partition.send(0, 10, 10), "duplicate of 10");
  EXPECT_EQ(partition.send(0, 0, 10), "out of order");  // too long ago
  EXPECT_EQ(partition.send(0, 10, 5), "out of order");  // begins like one, but is not
  EXPECT_EQ(partition.send(0, 60, 1), "append");
}

TEST(ProducerStates, AnUnknownProducerStartsAtZero) {
  Partition partition;
  EXPECT_EQ(partition.send(0, 10, 1), "unknown producer");
  EXPECT_EQ(partition.send(0, 0, 1), "append");
}

TEST(ProducerStates, AnEpochFencesTheOlder) {
  Partition partition;
  EXPECT_EQ(partition.send(0, 0, 5), "append");
  EXPECT_EQ(partition.send(1, 5, 1), "out of order");  // a new epoch starts at 0
  EXPECT_EQ(partition.send(1, 0, 5), "append");        // not a duplicate of the older epoch's
  EXPECT_EQ(partition.send(0, 5, 1), "stale epoch");
  EXPECT_EQ(partition.send(1, 0, 5), "duplicate of 5");
}

TEST(ProducerStates, SequencesWrap) {
  Partition partition;
  partition.states.record(batch(0, sequence_max - 1, 1), Offset(0), Offset(0), 0, 0);
  partition.next = Offset(1);
  EXPECT_EQ(partition.send(0, sequence_max, 3), "append");  // 2^31-1, 0, 1
  EXPECT_EQ(partition.send(0, 2, 1), "append");
  EXPECT_EQ(partition.send(0, sequence_max, 3), "duplicate of 1");
}

TEST(ProducerStates, ProducersDoNotKnowEachOther) {
  Partition partition;
  EXPECT_EQ(partition.send(batch(0, 0, 1, 1), 1), "append");
  EXPECT_EQ(partition.send(batch(0, 0, 1, 2), 1), "append");
  EXPECT_EQ(partition.send(batch(0, 1, 1, 1), 1), "append");
}

// ---- Transactions

TEST(ProducerStates, ATransactionHoldsTheStableOffsetUntilItIsReleased) {
  Partition partition;
  EXPECT_EQ(partition.send(0, 0, 3), "append");
  EXPECT_EQ(partition.states.first_unstable(), std::nullopt);
  EXPECT_EQ(partition.send(transactional(0, 3, 2), 2), "append");
  EXPECT_EQ(partition.send(transactional(0, 5, 2), 2), "append");
  EXPECT_EQ(partition.states.first_unstable(), Offset(3));
  const auto ended = partition.end(marker(0, true));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->first, Offset(3));
  EXPECT_EQ(ended->marker, Offset(7));
  EXPECT_TRUE(ended->committed);
  EXPECT_EQ(partition.states.first_unstable(), Offset(3));  // its markers may be missing elsewhere
  partition.states.release(ProducerId(7));
  EXPECT_EQ(partition.states.first_unstable(), std::nullopt);
  EXPECT_EQ(partition.send(transactional(0, 7, 1), 1), "append");  // sequences go on
}

TEST(ProducerStates, ReadFromTheLogEachTransactionIsOneOfItsOwn) {
  Partition partition;
  for (std::int32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(partition.send(transactional(0, i, 1), 1), "append");
    EXPECT_EQ(partition.states.first_unstable(), Offset(2 * i));
    const auto ended = partition.end(marker(0, false));
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(ended->first, Offset(2 * i));
  }
  partition.states.release_ended([](ProducerId, Offset first) { return first == Offset(4); });  // still being completed
  EXPECT_EQ(partition.states.first_unstable(), Offset(4));
  partition.states.release_ended([](ProducerId, Offset) { return false; });
  EXPECT_EQ(partition.states.first_unstable(), std::nullopt);
}

TEST(ProducerStates, TheEarliestTransactionCounts) {
  Partition partition;
  EXPECT_EQ(partition.send(transactional(0, 0, 1, 1), 1), "append");
  EXPECT_EQ(partition.send(transactional(0, 0, 1, 2), 1), "append");
  EXPECT_EQ(partition.end(marker(0, false, 2))->last_stable, Offset(0));  // held by producer 1
  partition.states.release(ProducerId(2));
  EXPECT_EQ(partition.states.first_unstable(), Offset(0));
  EXPECT_EQ(partition.send(transactional(0, 1, 1, 2), 1), "append");  // at offset 3
  EXPECT_EQ(partition.end(marker(0, true, 1))->last_stable, Offset(3));
  partition.states.release(ProducerId(1));
  EXPECT_EQ(partition.states.first_unstable(), Offset(3));
}

TEST(ProducerStates, PlainRecordsDoNotMixWithAnOpenTransaction) {
  Partition partition;
  EXPECT_EQ(partition.send(transactional(0, 0, 1), 1), "append");
  EXPECT_EQ(partition.send(0, 1, 1), "transaction open");
  (void)partition.end(marker(0, false));
  EXPECT_EQ(partition.send(0, 1, 1), "append");
}

TEST(ProducerStates, AMarkerOfANewEpochFencesTheOlder) {
  Partition partition;
  EXPECT_EQ(partition.send(transactional(0, 0, 1), 1), "append");
  EXPECT_EQ(partition.states.check_marker(marker(-1, false)), SequenceError::stale_epoch);
  EXPECT_EQ(partition.states.check_marker(marker(1, false)), std::nullopt);
  EXPECT_TRUE(partition.end(marker(1, false)).has_value());
  EXPECT_EQ(partition.send(transactional(0, 1, 1), 1), "stale epoch");
  EXPECT_EQ(partition.send(transactional(1, 1, 1), 1), "out of order");  // nothing yet in this epoch: it starts at 0
  EXPECT_EQ(partition.send(transactional(1, 0, 1), 1), "append");
}

TEST(ProducerStates, AMarkerWithoutATransactionEndsNone) {
  Partition partition;
  EXPECT_EQ(partition.end(marker(3, true)), std::nullopt);
  EXPECT_EQ(partition.send(2, 0, 1), "stale epoch");  // the epoch counts all the same
  EXPECT_EQ(partition.send(transactional(3, 0, 1), 1), "append");
  EXPECT_TRUE(partition.end(marker(3, true)).has_value());
  EXPECT_EQ(partition.end(marker(3, true)), std::nullopt);  // written twice, by a recovery
}

TEST(ProducerStates, TheCoordinatorsOwnOffsetsHaveNoSequence) {
  Partition partition;
  ProducedBatch offsets = transactional(2, 0, 1);
  offsets.first_sequence = offsets.last_sequence = no_sequence;
  EXPECT_EQ(partition.send(offsets, 1), "append");
  EXPECT_EQ(partition.send(offsets, 1), "append");
  EXPECT_EQ(partition.states.first_unstable(), Offset(0));
  offsets.epoch = ProducerEpoch(1);
  EXPECT_EQ(partition.send(offsets, 1), "stale epoch");
}

TEST(ProducerStates, IdleProducersAreForgottenButForTheirTransactions) {
  ProducerStates states;
  states.record(batch(0, 0, 1, 1), Offset(0), Offset(0), 0, 100);
  states.record(transactional(0, 0, 1, 2), Offset(1), Offset(1), 0, 100);
  states.record(batch(0, 0, 1, 3), Offset(2), Offset(2), 0, 200);
  states.expire(150);
  EXPECT_EQ(states.size(), 2U);
  EXPECT_EQ(states.open_transaction(ProducerId(2)), Offset(1));
}

// The naive model: the whole history of a producer's batches.
struct Model {
  struct Batch {
    std::int16_t epoch;
    std::int32_t first;
    std::int32_t last;
    Offset base;
  };
  std::map<std::int64_t, std::vector<Batch>> producers;

  std::string verdict(const ProducedBatch& sent) const {
    const auto found = producers.find(sent.producer_id.value());
    if (found == producers.end()) return sent.first_sequence == Sequence(0) ? "append" : "unknown producer";
    const std::vector<Batch>& history = found->second;
    const Batch& newest = history.back();
    if (sent.epoch.value() < newest.epoch) return "stale epoch";
    if (sent.epoch.value() > newest.epoch) return sent.first_sequence == Sequence(0) ? "append" : "out of order";
    std::size_t seen = 0;
    for (auto each = history.rbegin(); each != history.rend() && each->epoch == newest.epoch && seen < 5; ++each, ++seen) {
      if (each->first == sent.first_sequence.value() && each->last == sent.last_sequence.value()) {
        return "duplicate of " + std::to_string(each->base.value());
      }
    }
    const std::int32_t next = newest.last == sequence_max ? 0 : newest.last + 1;
    return sent.first_sequence.value() == next ? "append" : "out of order";
  }
};

TEST(ProducerStates, AgreesWithTheModel) {
  const bool holds = rc::check("producer states agree with a naive model", [] {
    Partition partition;
    Model model;
    const auto steps = *rc::gen::inRange(1, 80);
    for (int i = 0; i < steps; ++i) {
      const auto producer = *rc::gen::inRange<std::int64_t>(0, 3);
      const auto epoch = *rc::gen::inRange<std::int16_t>(0, 3);
      const auto count = *rc::gen::inRange<std::int32_t>(1, 4);
      std::int32_t first = *rc::gen::inRange<std::int32_t>(0, 12);
      if (const auto found = model.producers.find(producer); found != model.producers.end() && *rc::gen::arbitrary<bool>()) {
        first = found->second.back().last + 1;  // often right
      }
      const ProducedBatch sent = batch(epoch, first, count, producer);
      const std::string expected = model.verdict(sent);
      const Offset base = partition.next;
      RC_ASSERT(partition.send(sent, count) == expected);
      if (expected == "append") model.producers[producer].push_back({epoch, first, sent.last_sequence.value(), base});
    }
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace tripos::broker
