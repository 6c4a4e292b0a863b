// Transactions through handle(), over a simulated disk: what consumers see, what is fenced, what a restart finds.
#include <gtest/gtest.h>

#include "broker/testing_transactions.h"
#include "log/paths.h"
#include "wire/find_coordinator.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;
using Values = std::vector<std::string>;

StableOffset stable_offset(TestBroker& test, const std::string& topic) {
  return (*test.broker().topics().partition(topic, PartitionId(0)))->stable_offset();
}

// A transaction that has written "a" to t and "b" to u, and is open.
struct HalfWritten {
  HalfWritten() {
    EXPECT_EQ(producer.init(), ErrorCode::none);
    for (const auto& [topic, value] : std::vector<std::pair<std::string, std::string>>{{"t", "a"}, {"u", "b"}}) {
      test.create_topic(topic);
      EXPECT_EQ(producer.add(topic), ErrorCode::none);
      EXPECT_EQ(producer.send(topic, {value}), ErrorCode::none);
    }
  }
  TestBroker test;
  TestProducer producer{test, "exam"};
};

TEST(Transactions, ACommittedOneIsSeenAsAWhole) {
  TestBroker test;
  test.create_topic("t");
  TestProducer producer(test, "exam");
  EXPECT_EQ(producer.init(), ErrorCode::none);
  EXPECT_EQ(producer.add("t"), ErrorCode::none);
  EXPECT_EQ(producer.send("t", {"a", "b"}), ErrorCode::none);
  EXPECT_EQ(test.produce("t", batch_of({"plain"})).error_code, ErrorCode::none);
  EXPECT_EQ(read_committed(test, "t"), Values{});
  EXPECT_EQ(test.consume("t"), (Values{"a", "b", "plain"}));  // read_uncommitted
  EXPECT_FALSE(test.fetch("t", 0).aborted_transactions.has_value());
  EXPECT_EQ(stable_offset(test, "t").offset, Offset(0));
  EXPECT_EQ(producer.commit(), ErrorCode::none);
  EXPECT_EQ(read_committed(test, "t"), (Values{"a", "b", "plain"}));
  EXPECT_EQ(stable_offset(test, "t").offset, Offset(4));
}

TEST(Transactions, AnAbortedOneIsNeverSeen) {
  TestBroker test;
  test.create_topic("t");
  TestProducer producer(test, "exam");
  TestProducer other(test, "other");
  (void)producer.init();
  (void)other.init();
  (void)producer.add("t");
  (void)other.add("t");
  (void)producer.send("t", {"no"});
  (void)other.send("t", {"yes"});
  (void)producer.send("t", {"no"});
  EXPECT_EQ(producer.abort(), ErrorCode::none);
  EXPECT_EQ(read_committed(test, "t"), Values{});  // the other one is open since offset 1
  EXPECT_EQ(other.commit(), ErrorCode::none);
  EXPECT_EQ(read_committed(test, "t"), Values{"yes"});
  // The same producer's next one is another.
  (void)producer.add("t");
  (void)producer.send("t", {"again"});
  EXPECT_EQ(producer.commit(), ErrorCode::none);
  EXPECT_EQ(read_committed(test, "t"), (Values{"yes", "again"}));
}

TEST(Transactions, EndTxnIsAnsweredWhenAllStableOffsetsHaveMoved) {
  HalfWritten half_written;
  TestBroker& test = half_written.test;
  TestProducer& producer = half_written.producer;
  const Pending ending = producer.start_end(true);
  bool seen = false;
  while (!ending.is_answered()) {
    const bool t_moved = stable_offset(test, "t").offset > Offset(0);
    const bool u_moved = stable_offset(test, "u").offset > Offset(0);
    EXPECT_EQ(t_moved, u_moved) << "one topic shows a half of the transaction";
    if (!test.loop().step()) break;
  }
  seen = stable_offset(test, "t").offset == Offset(2) && stable_offset(test, "u").offset == Offset(2);
  EXPECT_TRUE(ending.is_answered());
  EXPECT_TRUE(seen);
}

TEST(Transactions, RecordsAreTakenOnlyWhileTheirTransactionIsOpen) {
  TestBroker test;
  test.create_topic("t", 2);
  TestProducer producer(test, "exam");
  EXPECT_EQ(producer.send("t", {"a"}), ErrorCode::invalid_record);  // of no producer
  (void)producer.init();
  EXPECT_EQ(producer.send("t", {"a"}), ErrorCode::invalid_txn_state);
  (void)producer.add("t");
  EXPECT_EQ(producer.send("t", {"a"}, 1), ErrorCode::invalid_txn_state);  // another partition
  EXPECT_EQ(producer.send("t", {"a"}), ErrorCode::none);
  (void)producer.commit();
  EXPECT_EQ(producer.send("t", {"late"}), ErrorCode::invalid_txn_state);
  EXPECT_EQ(read_committed(test, "t"), Values{"a"});
}

TEST(Transactions, ANewProducerFencesAndAbortsTheOlder) {
  TestBroker test;
  test.create_topic("t");
  TestProducer old(test, "exam");
  (void)old.init();
  (void)old.add("t");
  (void)old.send("t", {"zombie"});
  TestProducer young(test, "exam");
  EXPECT_EQ(young.init(), ErrorCode::concurrent_transactions);  // and aborts it
  EXPECT_EQ(young.init(), ErrorCode::none);
  EXPECT_EQ(young.id().value(), old.id().value());
  EXPECT_EQ(old.send("t", {"zombie"}), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(old.commit(), ErrorCode::producer_fenced);
  EXPECT_EQ(old.add("t"), ErrorCode::producer_fenced);
  (void)young.add("t");
  (void)young.send("t", {"mine"});
  EXPECT_EQ(young.commit(), ErrorCode::none);
  EXPECT_EQ(read_committed(test, "t"), Values{"mine"});
}

TEST(Transactions, ATimeoutAborts) {
  TestBroker test;
  test.create_topic("t");
  TestProducer producer(test, "exam");
  (void)producer.init(5'000);
  (void)producer.add("t");
  (void)producer.send("t", {"slow"});
  test.advance(std::chrono::milliseconds(4'900));
  EXPECT_EQ(stable_offset(test, "t").offset, Offset(0));
  test.advance(std::chrono::milliseconds(200));
  EXPECT_EQ(stable_offset(test, "t").offset, Offset(2));
  EXPECT_EQ(read_committed(test, "t"), Values{});
  EXPECT_EQ(producer.commit(), ErrorCode::producer_fenced);
}

TEST(Transactions, TimeoutsBeyondTheMaximumAreRefused) {
  TestBroker test(ConfigValues{{"transaction.max.timeout.ms", "60000"}});
  TestProducer producer(test, "exam");
  EXPECT_EQ(producer.init(60'001), ErrorCode::invalid_transaction_timeout);
  EXPECT_EQ(producer.init(0), ErrorCode::invalid_transaction_timeout);
  EXPECT_EQ(producer.init(60'000), ErrorCode::none);
  TestProducer nameless(test, "");
  EXPECT_EQ(nameless.init(), ErrorCode::invalid_request);
}

TEST(Transactions, AllPartitionsOrNoneAreAdded) {
  TestBroker test;
  test.create_topic("t");
  TestProducer producer(test, "exam");
  (void)producer.init();
  const auto results = producer.add_all({{"t", 0}, {"missing", 0}, {"__transaction_state", 0}});
  EXPECT_EQ(results.at({"t", 0}), ErrorCode::operation_not_attempted);
  EXPECT_EQ(results.at({"missing", 0}), ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(results.at({"__transaction_state", 0}), ErrorCode::topic_authorization_failed);
  EXPECT_EQ(producer.send("t", {"a"}), ErrorCode::invalid_txn_state);
}

TEST(Transactions, OffsetsCountWhenTheyAreCommitted) {
  TestBroker test;
  test.create_topic("t");
  TestProducer producer(test, "exam");
  (void)producer.init();
  EXPECT_EQ(producer.commit_offset("g", "t", 5), ErrorCode::invalid_txn_state);  // its group is not in
  EXPECT_EQ(producer.add_offsets("g"), ErrorCode::none);
  EXPECT_EQ(producer.commit_offset("g", "t", 5), ErrorCode::none);
  EXPECT_EQ(fetch_offset(test, "g", "t", false), std::pair(std::int64_t{-1}, ErrorCode::none));
  EXPECT_EQ(fetch_offset(test, "g", "t", true).second, ErrorCode::unstable_offset_commit);
  EXPECT_EQ(producer.commit(), ErrorCode::none);
  EXPECT_EQ(fetch_offset(test, "g", "t", true), std::pair(std::int64_t{5}, ErrorCode::none));

  (void)producer.add_offsets("g");
  (void)producer.commit_offset("g", "t", 9);
  EXPECT_EQ(producer.abort(), ErrorCode::none);
  EXPECT_EQ(fetch_offset(test, "g", "t", true), std::pair(std::int64_t{5}, ErrorCode::none));

  test.restart();
  EXPECT_EQ(fetch_offset(test, "g", "t", true), std::pair(std::int64_t{5}, ErrorCode::none));
}

TEST(Transactions, OffsetsOfAnOpenTransactionOutliveARestart) {
  TestBroker test;
  test.create_topic("t");
  TestProducer producer(test, "exam");
  (void)producer.init();
  (void)producer.add_offsets("g");
  (void)producer.commit_offset("g", "t", 5);
  test.restart();
  EXPECT_EQ(fetch_offset(test, "g", "t", true).second, ErrorCode::unstable_offset_commit);
  EXPECT_EQ(producer.commit(), ErrorCode::none);
  EXPECT_EQ(fetch_offset(test, "g", "t", true), std::pair(std::int64_t{5}, ErrorCode::none));
}

TEST(Transactions, AnOpenOneGoesOnAfterARestart) {
  TestBroker test;
  test.create_topic("t");
  TestProducer producer(test, "exam");
  (void)producer.init();
  (void)producer.add("t");
  (void)producer.send("t", {"a"});
  test.restart();
  EXPECT_EQ(stable_offset(test, "t").offset, Offset(0));
  EXPECT_EQ(producer.send("t", {"b"}), ErrorCode::none);
  EXPECT_EQ(producer.commit(), ErrorCode::none);
  EXPECT_EQ(read_committed(test, "t"), (Values{"a", "b"}));
}

TEST(Transactions, ADecisionIsCarriedOutBeforeAnybodyLooks) {
  HalfWritten half_written;
  TestBroker& test = half_written.test;
  TestProducer& producer = half_written.producer;
  const Pending ending = producer.start_end(true);
  // Until the decision is durable; then the power goes.
  while (test.broker().transactions().find("exam")->state() == transactions::State::ongoing) ASSERT_TRUE(test.loop().step());
  ASSERT_FALSE(ending.is_answered());
  test.cut_power(io::Survival::nothing, 1);
  ASSERT_TRUE(test.is_open()) << test.open_error();
  EXPECT_EQ(stable_offset(test, "t").offset, Offset(2));
  EXPECT_EQ(stable_offset(test, "u").offset, Offset(2));
  EXPECT_EQ(read_committed(test, "t"), Values{"a"});
  EXPECT_EQ(read_committed(test, "u"), Values{"b"});
  EXPECT_EQ(producer.commit(), ErrorCode::none);  // asked again
}

TEST(Transactions, WhatCannotBeCompletedIsNotShownByHalves) {
  HalfWritten half_written;
  TestBroker& test = half_written.test;
  TestProducer& producer = half_written.producer;
  const std::string u_directory = log::topic_directory("data", test.broker().topics().find("u")->id());
  const auto full = [&u_directory](io::Operation operation, const std::string& path) -> std::optional<tripos::ErrorCode> {
    if (operation == io::Operation::write && path.starts_with(u_directory)) return tripos::ErrorCode::no_space;
    return std::nullopt;
  };
  test.files().inject(full);
  const Pending ending = producer.start_end(true);
  test.run();
  EXPECT_FALSE(ending.is_answered());
  EXPECT_EQ(stable_offset(test, "t").offset, Offset(0));  // its marker is durable, u's is not
  test.restart();
  EXPECT_EQ(stable_offset(test, "t").offset, Offset(0));
  EXPECT_TRUE(std::ranges::any_of(test.warnings(), [](const std::string& text) { return text.find("can't be completed") != text.npos; }));
  test.files().inject(nullptr);
  test.advance(std::chrono::seconds(1));
  EXPECT_EQ(read_committed(test, "t"), Values{"a"});
  EXPECT_EQ(read_committed(test, "u"), Values{"b"});
}

TEST(Transactions, ADeletedTopicHoldsNothingBack) {
  TestBroker test;
  test.create_topic("t");
  test.create_topic("u");
  TestProducer producer(test, "exam");
  (void)producer.init();
  (void)producer.add("t");
  (void)producer.add("u");
  (void)producer.send("t", {"a"});
  delete_topic(test, "u");
  EXPECT_EQ(producer.commit(), ErrorCode::none);
  EXPECT_EQ(read_committed(test, "t"), Values{"a"});
}

TEST(Transactions, ManyRollsAndSnapshotsKeepWhatWasAborted) {
  TestBroker test;
  test.create_topic("t", 1, {{"segment.bytes", "500"}});
  TestProducer producer(test, "exam");
  (void)producer.init();
  Values expected;
  for (int i = 0; i < 12; ++i) {
    (void)producer.add("t");
    (void)producer.send("t", {std::to_string(i)});
    EXPECT_EQ(i % 3 == 0 ? producer.commit() : producer.abort(), ErrorCode::none);
    if (i % 3 == 0) expected.push_back(std::to_string(i));
    if (i == 5) test.restart();
    if (i == 8) test.stop_and_restart();
  }
  EXPECT_EQ(read_committed(test, "t"), expected);
  test.stop_and_restart();
  EXPECT_EQ(read_committed(test, "t"), expected);
  test.cut_power(io::Survival::nothing, 3);
  EXPECT_EQ(read_committed(test, "t"), expected);
}

TEST(Transactions, ADamagedSnapshotIsMadeAnew) {
  TestBroker test;
  test.create_topic("t");
  TestProducer producer(test, "exam");
  (void)producer.init();
  (void)producer.add("t");
  (void)producer.send("t", {"no"});
  (void)producer.abort();
  (void)producer.add("t");
  (void)producer.send("t", {"yes"});
  (void)producer.commit();
  const TopicPartition id{test.broker().topics().find("t")->id(), PartitionId(0)};
  test.stop_and_restart();
  test.files().damage(log::producer_snapshot_path(log::partition_directory("data", id), Offset(4)), 20, 1);
  test.restart();
  EXPECT_EQ(read_committed(test, "t"), Values{"yes"});
  EXPECT_TRUE(std::ranges::any_of(test.warnings(), [](const std::string& text) { return text.find("checksum") != text.npos; }));
}

TEST(Transactions, ADamagedPartitionOfACoordinatorRefusesItsOwnOnly) {
  const std::vector<std::string> coordinator_topics = {"__consumer_offsets", "__transaction_state"};
  for (const std::string& damaged : coordinator_topics) {
    TestBroker test(ConfigValues{{"offsets.topic.num.partitions", "2"}, {"transaction.state.log.num.partitions", "2"}});
    test.create_topic("t");
    // "a" and "b" are kept in partitions 1 and 0 of both topics.
    for (const char* name : {"a", "b"}) {
      TestProducer producer(test, name);
      (void)producer.init();
      EXPECT_EQ(producer.add_offsets(name), ErrorCode::none);
      EXPECT_EQ(producer.commit_offset(name, "t", 5), ErrorCode::none);
      EXPECT_EQ(producer.commit(), ErrorCode::none);
    }
    const TopicPartition id{test.broker().topics().find(damaged)->id(), PartitionId(1)};
    test.stop_and_restart();
    test.files().damage(log::segment_path(log::partition_directory("data", id), Offset(0)), 70, 1);
    test.restart();
    ASSERT_TRUE(test.is_open()) << test.open_error();
    EXPECT_TRUE(std::ranges::any_of(test.warnings(), [&](const std::string& text) { return text.find(damaged) != text.npos; }));
    const bool groups = damaged == "__consumer_offsets";
    EXPECT_EQ(fetch_offset(test, "b", "t", true), std::pair(std::int64_t{5}, ErrorCode::none));
    EXPECT_EQ(fetch_offset_error(test, "a"), groups ? ErrorCode::coordinator_not_available : ErrorCode::none);
    TestProducer a(test, "a");
    TestProducer b(test, "b");
    EXPECT_EQ(a.init(), groups ? ErrorCode::none : ErrorCode::coordinator_not_available);
    EXPECT_EQ(b.init(), ErrorCode::none);
    EXPECT_EQ(test.produce("t", batch_of({"x"})).error_code, ErrorCode::none);
  }
}

TEST(Transactions, TheCoordinatorIsFoundAndItsTopicIsNobodysToWrite) {
  TestBroker test;
  wire::FindCoordinatorRequest request;
  request.key = "exam";
  request.key_type = 1;
  const auto found = test.call<wire::FindCoordinatorResponse>(request, 3);
  EXPECT_EQ(found.error_code, ErrorCode::none);
  EXPECT_EQ(found.node_id, 1);
  TestProducer producer(test, "exam");
  (void)producer.init();
  EXPECT_EQ(test.produce("__transaction_state", batch_of({"x"})).error_code, ErrorCode::invalid_topic_exception);
}

}  // namespace
}  // namespace tripos::broker
