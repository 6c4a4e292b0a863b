// What administrators are told of transactions and producers (KIP-664).
#include "wire/describe_transactions.h"

#include <gtest/gtest.h>

#include "broker/testing_transactions.h"
#include "wire/describe_producers.h"
#include "wire/list_transactions.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;
using Names = std::vector<std::string>;

wire::DescribeTransactionsResponse::TransactionState describe(TestBroker& test, const std::string& id) {
  wire::DescribeTransactionsRequest request;
  request.transactional_ids = {id};
  return test.call<wire::DescribeTransactionsResponse>(request, 0).transaction_states.at(0);
}

struct Filter {
  Names states = {};
  std::vector<std::int64_t> producers = {};
  std::int64_t longer_than_ms = -1;
};

wire::ListTransactionsResponse list(TestBroker& test, const Filter& filter = {}) {
  wire::ListTransactionsRequest request;
  request.state_filters = filter.states;
  request.producer_id_filters = filter.producers;
  request.duration_filter = filter.longer_than_ms;
  return test.call<wire::ListTransactionsResponse>(request, 1);
}

Names ids(const wire::ListTransactionsResponse& response) {
  Names found;
  for (const auto& state : response.transaction_states) found.push_back(state.transactional_id + ": " + state.transaction_state);
  return found;
}

wire::DescribeProducersResponse::PartitionResponse producers(TestBroker& test, const std::string& topic, std::int32_t partition = 0) {
  wire::DescribeProducersRequest request;
  request.topics.push_back({.name = topic, .partition_indexes = {partition}});
  return test.call<wire::DescribeProducersResponse>(request, 0).topics.at(0).partitions.at(0);
}

TEST(DescribeTransactions, TellsStateProducerAndPartitions) {
  TestBroker test;
  test.create_topic("t", 2);
  test.create_topic("u");
  TestProducer producer(test, "exam");
  ASSERT_EQ(producer.init(30'000), ErrorCode::none);
  EXPECT_EQ(describe(test, "exam").transaction_state, "Empty");
  EXPECT_EQ(describe(test, "exam").transaction_start_time_ms, -1);
  (void)producer.add_all({{"t", 1}});
  (void)producer.add("u");
  const auto open = describe(test, "exam");
  EXPECT_EQ(open.error_code, ErrorCode::none);
  EXPECT_EQ(open.transaction_state, "Ongoing");
  EXPECT_EQ(open.transaction_timeout_ms, 30'000);
  EXPECT_EQ(open.transaction_start_time_ms, test.loop().wall().time_since_epoch().count());
  EXPECT_EQ(open.producer_id, producer.id().value());
  EXPECT_EQ(open.producer_epoch, producer.epoch().value());
  ASSERT_EQ(open.topics.size(), 2u);
  EXPECT_EQ(open.topics[0].topic, "t");
  EXPECT_EQ(open.topics[0].partitions, std::vector<std::int32_t>{1});
  EXPECT_EQ(open.topics[1].topic, "u");
  EXPECT_EQ(producer.commit(), ErrorCode::none);
  EXPECT_EQ(describe(test, "exam").transaction_state, "CompleteCommit");
  EXPECT_TRUE(describe(test, "exam").topics.empty());
}

TEST(DescribeTransactions, AnIdThatNobodyUses) {
  TestBroker test;
  EXPECT_EQ(describe(test, "nobody").error_code, ErrorCode::transactional_id_not_found);
  EXPECT_EQ(describe(test, "").error_code, ErrorCode::invalid_request);
}

TEST(ListTransactions, FiltersByStateProducerAndAge) {
  TestBroker test;
  test.create_topic("t");
  TestProducer idle(test, "idle");
  TestProducer old(test, "old");
  TestProducer young(test, "young");
  for (TestProducer* each : {&idle, &old, &young}) ASSERT_EQ(each->init(), ErrorCode::none);
  (void)old.add("t");
  test.advance(std::chrono::seconds(10));
  (void)young.add("t");
  test.advance(std::chrono::seconds(1));
  EXPECT_EQ(ids(list(test)), (Names{"idle: Empty", "old: Ongoing", "young: Ongoing"}));
  EXPECT_EQ(ids(list(test, {.states = {"Ongoing"}})), (Names{"old: Ongoing", "young: Ongoing"}));
  EXPECT_EQ(ids(list(test, {.producers = {young.id().value()}})), (Names{"young: Ongoing"}));
  EXPECT_EQ(ids(list(test, {.longer_than_ms = 5'000})), (Names{"old: Ongoing"}));
  EXPECT_EQ(ids(list(test, {.longer_than_ms = 0})), (Names{"old: Ongoing", "young: Ongoing"}));
  const auto odd = list(test, {.states = {"Sleeping", "Empty"}});
  EXPECT_EQ(odd.unknown_state_filters, Names{"Sleeping"});
  EXPECT_EQ(ids(odd), Names{"idle: Empty"});
}

TEST(DescribeProducers, TellsWhereATransactionBegan) {
  TestBroker test;
  test.create_topic("t");
  EXPECT_TRUE(producers(test, "t").active_producers.empty());
  (void)test.produce("t", batch_of({"before"}));
  TestProducer producer(test, "exam");
  (void)producer.init();
  (void)producer.add("t");
  (void)producer.send("t", {"a", "b"});
  const auto open = producers(test, "t");
  ASSERT_EQ(open.active_producers.size(), 1u);
  EXPECT_EQ(open.active_producers[0].producer_id, producer.id().value());
  EXPECT_EQ(open.active_producers[0].producer_epoch, producer.epoch().value());
  EXPECT_EQ(open.active_producers[0].last_sequence, 1);
  EXPECT_EQ(open.active_producers[0].last_timestamp, test.loop().wall().time_since_epoch().count());
  EXPECT_EQ(open.active_producers[0].current_txn_start_offset, 1);
  (void)producer.commit();
  EXPECT_EQ(producers(test, "t").active_producers.at(0).current_txn_start_offset, -1);
  test.restart();
  EXPECT_EQ(producers(test, "t").active_producers.at(0).last_sequence, 1);
}

TEST(DescribeProducers, APartitionThatIsNotThere) {
  TestBroker test;
  test.create_topic("t");
  EXPECT_EQ(producers(test, "t", 1).error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(producers(test, "nothing").error_code, ErrorCode::unknown_topic_or_partition);
}

}  // namespace
}  // namespace tripos::broker
