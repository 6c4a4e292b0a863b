// Nobody who reads across partitions sees a half of a transaction, also while an earlier one holds back a part of it: through handle(),
// over a simulated disk, after restarts and power cuts.
#include "broker/straddling_transactions.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/testing_transactions.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;
using Values = std::vector<std::string>;

Partition& partition_of(TestBroker& test, const std::string& topic) { return **test.broker().topics().partition(topic, PartitionId(0)); }

Offset settled_end(TestBroker& test, const std::string& topic) {
  const Partition& partition = partition_of(test, topic);
  return test.broker().straddling().settled_end(partition.id(), partition.stable_offset().offset);
}

// Writes a value to x and y, in one transaction.
void write_both(TestProducer& producer, const std::string& value) {
  for (const char* topic : {"x", "y"}) {
    ASSERT_EQ(producer.add(topic), ErrorCode::none);
    ASSERT_EQ(producer.send(topic, {value}), ErrorCode::none);
  }
}

// "held" is open in x; "1" was committed behind it in x, and in y.
struct Straddled {
  Straddled() {
    test.create_topic("x");
    test.create_topic("y");
    EXPECT_EQ(blocker.init(), ErrorCode::none);
    EXPECT_EQ(blocker.add("x"), ErrorCode::none);
    EXPECT_EQ(blocker.send("x", {"held"}), ErrorCode::none);
    EXPECT_EQ(producer.init(), ErrorCode::none);
    write_both(producer, "1");
    EXPECT_EQ(producer.commit(), ErrorCode::none);
  }
  TestBroker test;
  TestProducer blocker{test, "blocker"};
  TestProducer producer{test, "exam"};
};

TEST(StraddlingTransactions, AreLeftOutUntilTheyAreWhole) {
  for (const bool committed : {true, false}) {
    Straddled straddled;
    TestBroker& test = straddled.test;
    EXPECT_EQ(test.produce("y", batch_of({"plain"})).error_code, ErrorCode::none);
    EXPECT_EQ(read_committed(test, "x"), Values{});
    EXPECT_EQ(read_committed(test, "y"), (Values{"1", "plain"})) << "Kafka's readers go by their own partition";
    EXPECT_EQ(read_whole(test, "y"), Values{"plain"});
    EXPECT_EQ(settled_end(test, "y"), Offset(0));
    EXPECT_EQ(partition_of(test, "y").stable_offset().offset, Offset(3));
    EXPECT_EQ(straddled.blocker.end(committed), ErrorCode::none);
    EXPECT_EQ(read_whole(test, "x"), committed ? (Values{"held", "1"}) : Values{"1"});
    EXPECT_EQ(read_whole(test, "y"), (Values{"1", "plain"}));
    EXPECT_EQ(settled_end(test, "y"), Offset(3));
  }
}

TEST(StraddlingTransactions, MayStraddleOnePartition) {
  TestBroker test;
  test.create_topic("x");
  TestProducer producer(test, "exam");
  TestProducer blocker(test, "blocker");
  EXPECT_EQ(producer.init(), ErrorCode::none);
  EXPECT_EQ(blocker.init(), ErrorCode::none);
  EXPECT_EQ(producer.add("x"), ErrorCode::none);
  EXPECT_EQ(blocker.add("x"), ErrorCode::none);
  EXPECT_EQ(producer.send("x", {"before"}), ErrorCode::none);
  EXPECT_EQ(blocker.send("x", {"held"}), ErrorCode::none);
  EXPECT_EQ(producer.send("x", {"behind"}), ErrorCode::none);
  EXPECT_EQ(producer.commit(), ErrorCode::none);
  EXPECT_EQ(read_committed(test, "x"), Values{"before"});
  EXPECT_EQ(read_whole(test, "x"), Values{});
  EXPECT_EQ(blocker.commit(), ErrorCode::none);
  EXPECT_EQ(read_whole(test, "x"), (Values{"before", "held", "behind"}));
}

TEST(StraddlingTransactions, OthersOfTheSameProducerAreShown) {
  Straddled straddled;
  TestBroker& test = straddled.test;
  ASSERT_EQ(straddled.producer.add("y"), ErrorCode::none);
  ASSERT_EQ(straddled.producer.send("y", {"2"}), ErrorCode::none);
  ASSERT_EQ(straddled.producer.commit(), ErrorCode::none);
  write_both(straddled.producer, "3");
  ASSERT_EQ(straddled.producer.commit(), ErrorCode::none);
  write_both(straddled.producer, "4");
  ASSERT_EQ(straddled.producer.abort(), ErrorCode::none);
  EXPECT_EQ(read_committed(test, "y"), (Values{"1", "2", "3"}));
  EXPECT_EQ(read_whole(test, "y"), Values{"2"});
  EXPECT_EQ(test.broker().straddling().of("exam").size(), 2U);
  EXPECT_EQ(straddled.blocker.abort(), ErrorCode::none);
  EXPECT_EQ(read_whole(test, "x"), (Values{"1", "3"}));
  EXPECT_EQ(read_whole(test, "y"), (Values{"1", "2", "3"}));
  EXPECT_TRUE(test.broker().straddling().of("exam").empty());
}

TEST(StraddlingTransactions, AreKnownAfterARestart) {
  for (const bool clean : {true, false}) {
    Straddled straddled;
    TestBroker& test = straddled.test;
    ASSERT_EQ(straddled.producer.add("y"), ErrorCode::none);
    ASSERT_EQ(straddled.producer.send("y", {"2"}), ErrorCode::none);
    ASSERT_EQ(straddled.producer.commit(), ErrorCode::none);
    for (int i = 0; i < 2; ++i) {
      if (clean) {
        test.stop_and_restart();
      } else {
        test.restart();
      }
      EXPECT_EQ(read_committed(test, "y"), (Values{"1", "2"}));
      EXPECT_EQ(read_whole(test, "y"), Values{"2"});
      EXPECT_EQ(read_whole(test, "x"), Values{});
    }
    TestProducer heir(test, "blocker");  // ends what the id has open
    EXPECT_EQ(heir.init(), ErrorCode::concurrent_transactions);
    EXPECT_EQ(heir.init(), ErrorCode::none);
    EXPECT_EQ(read_whole(test, "x"), Values{"1"});
    EXPECT_EQ(read_whole(test, "y"), (Values{"1", "2"}));
    test.stop_and_restart();
    EXPECT_EQ(read_whole(test, "y"), (Values{"1", "2"}));
    EXPECT_TRUE(test.broker().straddling().of("exam").empty());
  }
}

TEST(StraddlingTransactions, WaitForNoPartitionThatIsGone) {
  Straddled straddled;
  TestBroker& test = straddled.test;
  wire::DeleteTopicsRequest request;
  request.topic_names = {"x"};
  (void)test.call<wire::DeleteTopicsResponse>(request, 4);
  EXPECT_EQ(read_whole(test, "y"), Values{"1"});
  test.create_topic("x");  // another of that name holds nothing back
  test.stop_and_restart();
  EXPECT_EQ(read_whole(test, "y"), Values{"1"});
}

// Power cuts at every operation of: 0 is committed in y; "held" opens in x; behind it "one" is committed, which named both and wrote to x
// only, then 1 to 3; "held" ends.
class StraddlingPowerCut : public testing::TestWithParam<io::Survival> {};
INSTANTIATE_TEST_SUITE_P(Disk, StraddlingPowerCut,
                         testing::Values(io::Survival::everything, io::Survival::nothing, io::Survival::beginning,
                                         io::Survival::selection));

class StraddlingScript {
 public:
  explicit StraddlingScript(TestBroker& test) : test_(test) {}

  void run() {
    for (const char* topic : {"x", "y"}) {
      wire::CreateTopicsRequest request;
      auto& created = request.topics.emplace_back();
      created.name = topic;
      created.num_partitions = 1;
      created.replication_factor = 1;
      const Pending pending = test_.send(request, 7);
      if (!answered(pending)) return;
      if (TestBroker::read<wire::CreateTopicsResponse>(pending, 7).topics.at(0).error_code != ErrorCode::none) return;
    }
    topics_ = true;
    TestProducer blocker(test_, "blocker");
    TestProducer producer(test_, "exam");
    if (!init(blocker) || !init(producer)) return;
    first_ = answered(producer.start_add({{"y", 0}})) && sent(producer, "y", "0") && ended(producer);
    if (!first_) return;
    if (!answered(blocker.start_add({{"x", 0}})) || !answered(blocker.start_send("x", {"held"}))) return;
    if (!answered(producer.start_add({{"x", 0}, {"y", 0}})) || !sent(producer, "x", "one") || !ended(producer)) return;
    for (const char* value : {"1", "2", "3"}) {
      if (!answered(producer.start_add({{"x", 0}, {"y", 0}}))) return;
      const Pending x = producer.start_send("x", {value});
      const Pending y = producer.start_send("y", {value});
      if (!answered(x) || !answered(y)) return;
      if (producer.finish_send("x", x, 1) != ErrorCode::none || producer.finish_send("y", y, 1) != ErrorCode::none) return;
      if (!ended(producer)) return;
      committed_.emplace_back(value);
    }
    (void)answered(blocker.start_end(true));
  }

  // Before anybody is asked to end what is open, and after.
  void check() {
    ASSERT_TRUE(test_.is_open()) << test_.open_error();
    if (!topics_) return;
    check_whole();
    for (const char* id : {"blocker", "exam"}) {
      TestProducer heir(test_, id);
      if (heir.init() == ErrorCode::concurrent_transactions) {
        ASSERT_EQ(heir.init(), ErrorCode::none);
      }
    }
    check_whole();
    const Values x = read_whole(test_, "x");
    for (const std::string& value : committed_) EXPECT_EQ(std::ranges::count(x, value), 1) << value << " is lost";
    EXPECT_EQ(settled_end(test_, "y"), partition_of(test_, "y").stable_offset().offset);
  }

 private:
  void check_whole() {
    Values x = read_whole(test_, "x");
    std::erase(x, "held");
    std::erase(x, "one");
    Values y = read_whole(test_, "y");
    const bool first_is_seen = std::erase(y, "0") == 1;
    EXPECT_TRUE(first_is_seen || !first_) << "a later transaction of its producer hides it";
    EXPECT_EQ(x, y) << "a half of a transaction is seen";
  }
  bool answered(const Pending& pending) {
    test_.run();
    return pending.is_answered();
  }
  bool sent(TestProducer& producer, const std::string& topic, const std::string& value) {
    const Pending sending = producer.start_send(topic, {value});
    return answered(sending) && producer.finish_send(topic, sending, 1) == ErrorCode::none;
  }
  bool ended(TestProducer& producer) {
    const Pending ending = producer.start_end(true);
    return answered(ending) && TestProducer::finish_end(ending) == ErrorCode::none;
  }
  bool init(TestProducer& producer) {
    const Pending pending = producer.start_init();
    return answered(pending) && producer.finish_init(pending) == ErrorCode::none;
  }

  TestBroker& test_;
  bool topics_ = false;
  bool first_ = false;
  Values committed_;
};

TEST_P(StraddlingPowerCut, ShowsNoHalf) {
  std::uint64_t operations = 0;
  {
    TestBroker test;
    StraddlingScript script(test);
    script.run();
    script.check();
    operations = test.files().operation_count();
  }
  ASSERT_GT(operations, 60U);
  for (std::uint64_t cut = 1; cut <= operations; ++cut) {
    SCOPED_TRACE("cut at operation " + std::to_string(cut));
    TestBroker test;
    test.files().cut_power_at(cut);
    if (test.files().power_is_cut() || !test.is_open()) continue;
    StraddlingScript script(test);
    script.run();
    test.cut_power(GetParam(), cut);
    script.check();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace tripos::broker
