// The state machine of one transactional id, by its table.
#include "broker/transaction/transaction.h"

#include <gtest/gtest.h>

#include <map>

namespace tripos::transactions {
namespace {

using namespace std::chrono_literals;
using wire::ErrorCode;

const TopicPartitionName t0{"t", 0};
const TopicPartitionName t1{"t", 1};

// A transactional id, and short words for what its producers do. Records are durable at once, unless a case holds them.
struct Room {
  void apply(Event event) {
    for (Effect& effect : transaction.step(std::move(event), now, wall_ms)) {
      if (const auto* init = std::get_if<InitAnswer>(&effect)) {
        ASSERT_TRUE(inits.emplace(init->request, *init).second) << "answered twice";
      } else if (const auto* plain = std::get_if<PlainAnswer>(&effect)) {
        ASSERT_TRUE(plains.emplace(plain->request, plain->error).second) << "answered twice";
      } else if (auto* markers = std::get_if<WriteMarkers>(&effect)) {
        ASSERT_FALSE(writing.has_value());
        writing = *markers;
      } else {
        const auto& store = std::get<Store>(effect);
        stores.push_back(store);
        if (store.awaited && stores_at_once) apply(Stored{});
      }
    }
  }
  RequestId next() { return last = last + 1; }
  ErrorCode init(std::optional<ProducerIdAndEpoch> expected = {}) {
    InitProducer event{.request = next(), .timeout_ms = 60'000, .expected = expected, .new_id = {}};
    if (transaction.needs_producer_id(expected)) event.new_id = ProducerId(next_id++);
    apply(event);
    if (!inits.contains(last)) return ErrorCode::unknown_server_error;
    const InitAnswer& answer = inits.at(last);
    if (answer.error == ErrorCode::none) producer = answer.producer;
    return answer.error;
  }
  ErrorCode plain() { return plains.contains(last) ? plains.at(last) : ErrorCode::unknown_server_error; }  // not answered
  ErrorCode add(Partitions partitions) { return add(std::move(partitions), producer); }
  ErrorCode add(Partitions partitions, ProducerIdAndEpoch by) {
    apply(AddPartitions{next(), by, std::move(partitions)});
    return plain();
  }
  ErrorCode end(bool committed) { return end(committed, producer); }
  ErrorCode end(bool committed, ProducerIdAndEpoch by) {
    apply(End{next(), by, committed});
    return plain();
  }
  void markers_durable() {
    writing.reset();
    apply(MarkersDurable{});
  }
  State state() const { return transaction.state(); }

  Transaction transaction;
  MonotonicTime now{100s};
  std::int64_t wall_ms = 1'000'000;
  RequestId last{0};
  std::int64_t next_id = 1000;
  ProducerIdAndEpoch producer;
  bool stores_at_once = true;
  std::map<RequestId, InitAnswer> inits;
  std::map<RequestId, ErrorCode> plains;
  std::vector<Store> stores;
  std::optional<WriteMarkers> writing;
};

constexpr auto unanswered = ErrorCode::unknown_server_error;

TEST(Transaction, CommitsWhatWasAdded) {
  Room room;
  EXPECT_EQ(room.init(), ErrorCode::none);
  EXPECT_EQ(room.producer, (ProducerIdAndEpoch{ProducerId(1000), ProducerEpoch(0)}));
  EXPECT_EQ(room.state(), State::empty);
  EXPECT_EQ(room.add({t0}), ErrorCode::none);
  EXPECT_EQ(room.add({t0, t1}), ErrorCode::none);
  EXPECT_EQ(room.transaction.verify(room.producer, t1), ErrorCode::none);
  EXPECT_EQ(room.end(true), unanswered);  // before its markers are durable
  EXPECT_EQ(room.state(), State::prepare_commit);
  ASSERT_TRUE(room.writing.has_value());
  EXPECT_TRUE(room.writing->committed);
  EXPECT_EQ(room.writing->partitions, (Partitions{t0, t1}));
  EXPECT_EQ(room.transaction.verify(room.producer, t1), ErrorCode::invalid_txn_state);
  room.markers_durable();
  EXPECT_EQ(room.plain(), ErrorCode::none);
  EXPECT_EQ(room.state(), State::complete_commit);
  EXPECT_FALSE(room.stores.back().awaited);
  EXPECT_EQ(room.add({t1}), ErrorCode::none);  // the next one
  EXPECT_EQ(room.transaction.metadata().partitions, Partitions{t1});
}

TEST(Transaction, EveryTransitionIsDurableBeforeItCounts) {
  Room room;
  room.stores_at_once = false;
  EXPECT_EQ(room.init(), unanswered);
  EXPECT_TRUE(room.transaction.is_new());
  const RequestId init = room.last;
  EXPECT_EQ(room.init(), ErrorCode::concurrent_transactions);
  room.apply(Stored{});
  EXPECT_EQ(room.inits.at(init).error, ErrorCode::none);
  room.producer = room.inits.at(init).producer;

  EXPECT_EQ(room.add({t0}), unanswered);
  const RequestId add = room.last;
  EXPECT_EQ(room.transaction.verify(room.producer, t0), ErrorCode::invalid_txn_state);
  EXPECT_EQ(room.end(true), ErrorCode::concurrent_transactions);
  EXPECT_EQ(room.init(), ErrorCode::concurrent_transactions);
  room.apply(Stored{});
  EXPECT_EQ(room.plains.at(add), ErrorCode::none);
  EXPECT_EQ(room.transaction.verify(room.producer, t0), ErrorCode::none);

  EXPECT_EQ(room.end(true), unanswered);
  EXPECT_FALSE(room.writing.has_value());  // no marker before the decision is durable
  EXPECT_EQ(room.transaction.verify(room.producer, t0), ErrorCode::invalid_txn_state);
  room.apply(Stored{});
  EXPECT_TRUE(room.writing.has_value());
}

TEST(Transaction, AFailedStoreChangesNothing) {
  Room room;
  (void)room.init();
  (void)room.add({t0});
  room.stores_at_once = false;
  EXPECT_EQ(room.end(true), unanswered);
  room.apply(Stored{ErrorCode::coordinator_not_available});
  EXPECT_EQ(room.plain(), ErrorCode::coordinator_not_available);
  EXPECT_EQ(room.state(), State::ongoing);
  EXPECT_FALSE(room.writing.has_value());
  room.stores_at_once = true;
  EXPECT_EQ(room.end(false), unanswered);
  EXPECT_FALSE(room.writing->committed);
}

TEST(Transaction, ARepeatedEndIsAnsweredByWhatWasDecided) {
  for (const bool committed : {true, false}) {
    Room room;
    (void)room.init();
    EXPECT_EQ(room.end(committed), ErrorCode::invalid_txn_state);  // nothing is open
    (void)room.add({t0});
    (void)room.end(committed);
    EXPECT_EQ(room.end(committed), ErrorCode::concurrent_transactions);
    EXPECT_EQ(room.end(!committed), ErrorCode::invalid_txn_state);
    EXPECT_EQ(room.add({t1}), ErrorCode::concurrent_transactions);
    EXPECT_EQ(room.init(), ErrorCode::concurrent_transactions);
    room.markers_durable();
    EXPECT_EQ(room.end(committed), ErrorCode::none);
    EXPECT_EQ(room.end(!committed), ErrorCode::invalid_txn_state);
  }
}

TEST(Transaction, ANewProducerFencesTheOlder) {
  Room room;
  (void)room.init();
  const ProducerIdAndEpoch old = room.producer;
  EXPECT_EQ(room.init(), ErrorCode::none);
  EXPECT_EQ(room.producer, (ProducerIdAndEpoch{old.id, old.epoch + 1}));
  EXPECT_EQ(room.add({t0}, old), ErrorCode::producer_fenced);
  EXPECT_EQ(room.end(true, old), ErrorCode::producer_fenced);
  EXPECT_EQ(room.transaction.verify(old, t0), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(room.add({t0}, {ProducerId(77), old.epoch}), ErrorCode::invalid_producer_id_mapping);
}

TEST(Transaction, ANewProducerAbortsWhatIsOpen) {
  Room room;
  (void)room.init();
  (void)room.add({t0});
  const ProducerIdAndEpoch old = room.producer;
  EXPECT_EQ(room.init(), ErrorCode::concurrent_transactions);
  ASSERT_TRUE(room.writing.has_value());
  EXPECT_FALSE(room.writing->committed);
  EXPECT_EQ(room.writing->producer, (ProducerIdAndEpoch{old.id, old.epoch + 1}));  // the marker fences the old one
  EXPECT_EQ(room.end(true, old), ErrorCode::producer_fenced);
  room.markers_durable();
  EXPECT_EQ(room.state(), State::complete_abort);
  EXPECT_EQ(room.init(), ErrorCode::none);
  EXPECT_EQ(room.producer, (ProducerIdAndEpoch{old.id, old.epoch + 2}));
}

// As Kafka (KIP-588): whose transaction was aborted over its head goes on in the epoch that fenced it, unless another has come.
TEST(Transaction, AProducerThatWasFencedByNobodyGoesOn) {
  for (const bool by_timeout : {false, true}) {
    Room room;
    (void)room.init();
    (void)room.add({t0});
    const ProducerIdAndEpoch old = room.producer;
    if (by_timeout) {
      room.now += 60s;
      room.apply(TimePassed{});
    } else {
      EXPECT_EQ(room.init(old), ErrorCode::concurrent_transactions);
    }
    room.markers_durable();
    EXPECT_EQ(room.add({t0}, old), ErrorCode::producer_fenced);
    EXPECT_EQ(room.init(old), ErrorCode::none);
    EXPECT_EQ(room.producer, (ProducerIdAndEpoch{old.id, old.epoch + 1}));
    EXPECT_EQ(room.init(), ErrorCode::none);  // another
    EXPECT_EQ(room.producer, (ProducerIdAndEpoch{old.id, old.epoch + 2}));
    EXPECT_EQ(room.init(old), ErrorCode::producer_fenced);
  }
}

TEST(Transaction, AProducerThatGoesOnGetsItsNextEpoch) {
  Room room;
  (void)room.init();
  const ProducerIdAndEpoch first = room.producer;
  EXPECT_EQ(room.init(first), ErrorCode::none);
  const ProducerIdAndEpoch second = room.producer;
  EXPECT_EQ(second, (ProducerIdAndEpoch{first.id, first.epoch + 1}));
  EXPECT_EQ(room.init(first), ErrorCode::none);  // the answer was lost: the same again
  EXPECT_EQ(room.producer, second);
  EXPECT_EQ(room.init(second), ErrorCode::none);
  EXPECT_EQ(room.init(first), ErrorCode::producer_fenced);
  EXPECT_EQ(room.init(ProducerIdAndEpoch{ProducerId(77), ProducerEpoch(0)}), ErrorCode::producer_fenced);
  (void)room.init();  // somebody else
  EXPECT_EQ(room.init(second), ErrorCode::producer_fenced);
}

TEST(Transaction, AZombieDoesNotAbortItsSuccessor) {
  Room room;
  (void)room.init();
  const ProducerIdAndEpoch zombie = room.producer;
  (void)room.init();
  (void)room.add({t0});
  EXPECT_EQ(room.init(zombie), ErrorCode::producer_fenced);
  EXPECT_EQ(room.state(), State::ongoing);
  EXPECT_EQ(room.end(true), unanswered);
}

TransactionMetadata stored(State state, std::int16_t epoch) {
  TransactionMetadata metadata;
  metadata.producer_id = ProducerId(5);
  metadata.producer_epoch = ProducerEpoch(epoch);
  metadata.timeout_ms = 60'000;
  metadata.state = state;
  if (state != State::empty) metadata.partitions = {t0};
  metadata.start_timestamp_ms = 1'000'000;
  metadata.update_timestamp_ms = 1'000'000;
  return metadata;
}

TEST(Transaction, WhenTheEpochsAreUsedUpTheProducerGetsANewId) {
  Room room;
  room.transaction = Transaction::restore(stored(State::complete_commit, 32'765), room.now, room.wall_ms);
  EXPECT_EQ(room.init(), ErrorCode::none);
  EXPECT_EQ(room.producer, (ProducerIdAndEpoch{ProducerId(5), ProducerEpoch(32'766)}));
  const ProducerIdAndEpoch last = room.producer;
  EXPECT_EQ(room.init(last), ErrorCode::none);
  EXPECT_EQ(room.producer, (ProducerIdAndEpoch{ProducerId(1000), ProducerEpoch(0)}));
  EXPECT_EQ(room.init(last), ErrorCode::none);  // the answer was lost
  EXPECT_EQ(room.producer, (ProducerIdAndEpoch{ProducerId(1000), ProducerEpoch(0)}));
  EXPECT_EQ(room.add({t0}, last), ErrorCode::invalid_producer_id_mapping);
}

TEST(Transaction, FencingAlwaysHasAnEpochLeft) {
  Room room;
  room.transaction = Transaction::restore(stored(State::ongoing, 32'766), room.now, room.wall_ms);
  EXPECT_EQ(room.init(), ErrorCode::concurrent_transactions);
  EXPECT_EQ(room.writing->producer.epoch, ProducerEpoch(32'767));
  room.markers_durable();
  EXPECT_EQ(room.init(), ErrorCode::none);
  EXPECT_EQ(room.producer.epoch, ProducerEpoch(0));
  EXPECT_NE(room.producer.id, ProducerId(5));
}

TEST(Transaction, ATimeoutAbortsAndFences) {
  Room room;
  (void)room.init();
  (void)room.add({t0});
  const MonotonicTime begun = room.now;
  room.now += 30s;
  (void)room.add({t1});  // does not prolong it
  EXPECT_EQ(room.transaction.next_deadline(), begun + 60s);
  room.now = begun + 60s - 1ms;
  room.apply(TimePassed{});
  EXPECT_EQ(room.state(), State::ongoing);
  room.now = begun + 60s;
  room.apply(TimePassed{});
  EXPECT_EQ(room.state(), State::prepare_abort);
  EXPECT_EQ(room.writing->producer.epoch, room.producer.epoch + 1);
  EXPECT_EQ(room.end(true), ErrorCode::producer_fenced);
  room.markers_durable();
  EXPECT_EQ(room.transaction.next_deadline(), std::nullopt);
}

TEST(Transaction, AnAbortThatCouldNotBeStoredIsTriedAgain) {
  Room room;
  (void)room.init();
  (void)room.add({t0});
  room.now += 60s;
  room.stores_at_once = false;
  room.apply(TimePassed{});
  EXPECT_EQ(room.transaction.next_deadline(), std::nullopt);  // while its record is on its way
  room.apply(Stored{ErrorCode::coordinator_not_available});
  ASSERT_TRUE(room.transaction.next_deadline().has_value());
  EXPECT_GT(*room.transaction.next_deadline(), room.now);
  room.now = *room.transaction.next_deadline();
  room.stores_at_once = true;
  room.apply(TimePassed{});
  EXPECT_EQ(room.state(), State::prepare_abort);
}

TEST(Transaction, IsRestoredWithWhatIsLeftOfItsTime) {
  const auto deadline = [](std::int64_t wall_ms) {
    return *Transaction::restore(stored(State::ongoing, 0), MonotonicTime{5s}, wall_ms).next_deadline() - MonotonicTime{5s};
  };
  EXPECT_EQ(deadline(1'010'000), 50s);
  EXPECT_EQ(deadline(2'000'000), 0s);
  EXPECT_EQ(deadline(0), 60s);  // the clock went back
  EXPECT_FALSE(Transaction::restore(stored(State::empty, 0), {}, 0).next_deadline().has_value());
}

TEST(Transaction, ARestoredDecisionIsCarriedOut) {
  for (const State state : {State::prepare_commit, State::prepare_abort}) {
    Room room;
    room.transaction = Transaction::restore(stored(state, 4), room.now, room.wall_ms);
    const auto markers = room.transaction.pending_markers();
    ASSERT_TRUE(markers.has_value());
    EXPECT_EQ(markers->committed, state == State::prepare_commit);
    EXPECT_EQ(markers->partitions, Partitions{t0});
    room.markers_durable();
    EXPECT_EQ(room.state(), state == State::prepare_commit ? State::complete_commit : State::complete_abort);
  }
}

TEST(Transaction, OnlyAnIdleIdExpires) {
  Room room;
  (void)room.init();
  (void)room.add({t0});
  room.apply(Expire{});
  EXPECT_EQ(room.state(), State::ongoing);
  (void)room.end(true);
  room.apply(Expire{});
  room.markers_durable();
  room.apply(Expire{});
  EXPECT_EQ(room.state(), State::dead);
  EXPECT_FALSE(room.stores.back().metadata.has_value());
  EXPECT_EQ(room.add({t0}), ErrorCode::invalid_producer_id_mapping);
}

TEST(TransactionMetadata, IsReadAsItWasWritten) {
  TransactionMetadata metadata = stored(State::ongoing, 3);
  metadata.partitions = {{"a", 0}, {"a", 7}, {"b", 1}};
  EXPECT_EQ(decode_transaction_metadata(encode(metadata)).value(), metadata);
  metadata.state = State::empty;
  metadata.partitions.clear();
  EXPECT_EQ(decode_transaction_metadata(encode(metadata)).value(), metadata);
  EXPECT_EQ(decode_transaction_key(encode_transaction_key("exam")).value(), "exam");
  Buffer bytes = encode(metadata);
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_FALSE(decode_transaction_metadata(Bytes(bytes).substr(0, i)).has_value());
  bytes[1] = 9;
  EXPECT_FALSE(decode_transaction_metadata(bytes).has_value());  // a version to come
}

TEST(TransactionMetadata, HasOurOwnPartBehindKafkas) {
  TransactionMetadata metadata = stored(State::complete_commit, 3);
  const Buffer kafkas = encode(metadata);
  const auto part = [](std::int32_t partition, std::int64_t first) {
    return TransactionPart{
        .partition = {.topic = Uuid::random(), .partition = PartitionId(partition)}, .first = Offset(first), .last = Offset(first + 4)};
  };
  metadata.straddling = {{.producer_id = ProducerId(7), .parts = {part(0, 11), part(3, 0)}},
                         {.producer_id = ProducerId(7), .parts = {part(0, 20)}}};
  Buffer bytes = encode(metadata);
  EXPECT_TRUE(bytes.starts_with(kafkas)) << "Kafka's readers see what they know";
  EXPECT_EQ(decode_transaction_metadata(bytes).value(), metadata);
  for (std::size_t size = kafkas.size() + 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_transaction_metadata(Bytes(bytes).substr(0, size)).has_value()) << "cut to " << size << " bytes";
  }
  EXPECT_FALSE(decode_transaction_metadata(bytes + "x").has_value());
  metadata.state = State::prepare_commit;
  metadata.partitions = {{"x", 0}, {"x", 1}, {"y", 0}};
  metadata.first_offsets = {{{"x", 1}, Offset(17)}, {{"y", 0}, Offset(0)}};
  EXPECT_EQ(decode_transaction_metadata(encode(metadata)).value(), metadata);
  metadata.straddling.clear();
  EXPECT_EQ(decode_transaction_metadata(encode(metadata)).value(), metadata);
  bytes[kafkas.size() + 1] = 9;
  EXPECT_FALSE(decode_transaction_metadata(bytes).has_value());  // a version to come
}

}  // namespace
}  // namespace tripos::transactions
