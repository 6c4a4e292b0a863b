// Power cuts at every operation on the disk of a run of transactions over two topics and a group's offsets: what was committed is there as
// a whole, in both topics; what was aborted is nowhere; what was on its way is all or nothing.
#include <gtest/gtest.h>

#include <set>

#include "broker/testing_crashes.h"
#include "broker/testing_transactions.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;

struct Told {
  std::set<std::string> committed;
  std::set<std::string> aborted;
  std::set<std::pair<std::int64_t, std::int16_t>> producers;
  std::int64_t group_offset = -1;
  int topics = 0;
};

class Script {
 public:
  Script(TestBroker& test, Told& told, Answers& answers)
      : test_(test), told_(told), answers_(answers), producer_(test, "exam"), second_(test, "exam") {}

  void run() {
    create("x");
    create("y");
    init(producer_);
    transaction(producer_, "1", true);
    transaction(producer_, "2", false);
    transaction(producer_, "3", true);
    write(producer_, "4");  // left open, and aborted by whoever takes its id
    while (second_.id() == no_producer_id) init(second_);
    transaction(second_, "5", true);
    write(second_, "6");
  }

 private:
  void ask(Pending pending, Answers::Learn learn) {
    answers_.wait(std::move(pending), std::move(learn));
    answer();
  }
  void answer() {
    test_.run();
    answers_.listen();
  }
  void create(const std::string& name) {
    ask(test_.start_create_topic(name, 1, {{"segment.bytes", "400"}}), [this](const Pending& pending) {
      EXPECT_EQ(TestBroker::created(pending), ErrorCode::none);
      ++told_.topics;
    });
  }
  void init(TestProducer& producer) {
    ask(producer.start_init(), [this, &producer](const Pending& pending) {
      const ErrorCode error = producer.finish_init(pending);
      if (error == ErrorCode::concurrent_transactions) return;  // what was open is being ended
      EXPECT_EQ(error, ErrorCode::none);
      const bool fresh = told_.producers.emplace(producer.id().value(), producer.epoch().value()).second;
      EXPECT_TRUE(fresh) << "an epoch was given twice";
    });
  }
  void write(TestProducer& producer, const std::string& value) {
    ask(producer.start_add({{"x", 0}, {"y", 0}}), [](const Pending&) {});
    ask(producer.start_add_offsets("g"), [](const Pending&) {});
    for (const char* topic : {"x", "y"}) {
      answers_.wait(producer.start_send(topic, {value}),
                    [&producer, topic](const Pending& pending) { EXPECT_EQ(producer.finish_send(topic, pending, 1), ErrorCode::none); });
    }
    ask(producer.start_commit_offset("g", "x", std::stoll(value)), [](const Pending&) {});
  }
  void transaction(TestProducer& producer, const std::string& value, bool committed) {
    write(producer, value);
    ask(producer.start_end(committed), [this, value, committed](const Pending& pending) {
      EXPECT_EQ(TestProducer::finish_end(pending), ErrorCode::none);
      (committed ? told_.committed : told_.aborted).insert(value);
      if (committed) told_.group_offset = std::stoll(value);
    });
  }

  TestBroker& test_;
  Told& told_;
  Answers& answers_;
  TestProducer producer_;
  TestProducer second_;
};

void check_seen(TestBroker& test, const Told& told, const std::string& when) {
  SCOPED_TRACE(when);
  const auto x = read_committed(test, "x");
  const auto y = read_committed(test, "y");
  EXPECT_EQ(x, y) << "a half of a transaction is seen";
  EXPECT_TRUE(std::ranges::is_sorted(x));
  EXPECT_EQ(std::set(x.begin(), x.end()).size(), x.size());
  for (const std::string& value : told.committed) EXPECT_TRUE(std::ranges::count(x, value) == 1) << value << " is lost";
  for (const std::string& value : told.aborted) EXPECT_EQ(std::ranges::count(x, value), 0) << value << " was aborted";
  // A group's offset belongs to the transaction that wrote the same number.
  const std::int64_t newest = x.empty() ? -1 : std::stoll(x.back());
  EXPECT_EQ(fetch_offset(test, "g", "x", false).first, newest);
  EXPECT_GE(newest, told.group_offset);
}

void check(TestBroker& test, const Told& told) {
  ASSERT_TRUE(test.is_open()) << test.open_error();
  if (told.topics < 2) return;
  check_seen(test, told, "after the cut");
  // Whoever takes the id over ends what is open; then nothing is held back any more.
  TestProducer heir(test, "exam");
  ErrorCode error = heir.init();
  if (error == ErrorCode::concurrent_transactions) error = heir.init();
  ASSERT_EQ(error, ErrorCode::none);
  EXPECT_FALSE(told.producers.contains({heir.id().value(), heir.epoch().value()})) << "an epoch was given twice";
  check_seen(test, told, "after the heir came");
  for (const char* topic : {"x", "y"}) {
    const auto partition = test.broker().topics().partition(topic, PartitionId(0));
    EXPECT_EQ((*partition)->stable_offset().offset, (*partition)->durable_end().offset) << topic;
    EXPECT_EQ(heir.add(topic), ErrorCode::none);
    EXPECT_EQ(heir.send(topic, {"9"}), ErrorCode::none);
  }
  EXPECT_EQ(heir.commit(), ErrorCode::none);
  EXPECT_EQ(read_committed(test, "x").back(), "9");
  test.stop_and_restart();
  EXPECT_EQ(read_committed(test, "x").back(), "9");
  EXPECT_EQ(read_committed(test, "x"), read_committed(test, "y"));
}

TEST(TransactionPowerCut, AtEveryOperationTearsNoTransaction) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    Told told;
    const Explored explored = explore(
        seed, [&told](TestBroker& test, Answers& answers) { Script(test, told, answers).run(); },
        [&told](TestBroker& test) { check(test, told); });
    ASSERT_FALSE(HasFailure()) << "seed " << seed << ", " << explored.wrong;
    EXPECT_EQ(told.committed, (std::set<std::string>{"1", "3", "5"}));
    EXPECT_EQ(told.producers.size(), 2U);
    EXPECT_GT(explored.points, 400U);
  }
}

// The producer's next transaction is in another topic: while that one is completed after a crash, the first one is over where it was.
TEST(TransactionPowerCut, ATransactionThatHasEndedHoldsNothingBackForTheNextOne) {
  bool first_is_over = false;
  const auto script = [&first_is_over](TestBroker& test, Answers&) {
    for (const char* topic : {"x", "y"}) ASSERT_EQ(test.create_topic(topic), ErrorCode::none);
    TestProducer producer(test, "exam");
    ASSERT_EQ(producer.init(), ErrorCode::none);
    for (const char* topic : {"x", "y"}) {
      ASSERT_EQ(producer.add(topic), ErrorCode::none);
      ASSERT_EQ(producer.send(topic, {"1"}), ErrorCode::none);
      ASSERT_EQ(producer.commit(), ErrorCode::none);
      first_is_over = true;
    }
  };
  const auto check = [&first_is_over](TestBroker& test) {
    ASSERT_TRUE(test.is_open()) << test.open_error();
    if (!first_is_over) return;
    EXPECT_EQ(read_committed(test, "x"), std::vector<std::string>{"1"});
  };
  const Explored explored = explore(1, script, check);
  EXPECT_EQ(explored.wrong, "");
  EXPECT_GT(explored.points, 50U);
}

}  // namespace
}  // namespace tripos::broker
