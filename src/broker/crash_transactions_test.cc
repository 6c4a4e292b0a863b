// Power cuts at every operation on the disk of a run of transactions over two topics and a group's offsets: what was committed is there as
// a whole, in both topics; what was aborted is nowhere; what was on its way is all or nothing.
#include <gtest/gtest.h>

#include <set>

#include "broker/testing_transactions.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;

struct Told {
  std::set<std::string> committed;
  std::set<std::string> aborted;
  std::set<std::pair<std::int64_t, std::int16_t>> producers;
  std::int64_t group_offset = -1;
  bool topics = false;
};

class Script {
 public:
  Script(TestBroker& test, Told& told) : test_(test), told_(told), producer_(test, "exam"), second_(test, "exam") {}

  void run() {
    if (!create("x") || !create("y")) return;
    told_.topics = true;
    if (!init(producer_)) return;
    if (!transaction(producer_, "1", true) || !transaction(producer_, "2", false) || !transaction(producer_, "3", true)) return;
    if (!write(producer_, "4")) return;  // left open, and aborted by whoever takes its id
    if (!init(second_) && !init(second_)) return;
    if (!transaction(second_, "5", true)) return;
    (void)write(second_, "6");
  }

 private:
  // Nothing: the power is gone.
  [[nodiscard]] bool answered(const Pending& pending) {
    test_.run();
    return pending.is_answered();
  }
  bool create(const std::string& name) {
    wire::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = 1;
    topic.replication_factor = 1;
    topic.configs.push_back({.name = "segment.bytes", .value = "400"});
    const Pending pending = test_.send(request, 7);
    return answered(pending) && TestBroker::read<wire::CreateTopicsResponse>(pending, 7).topics.at(0).error_code == ErrorCode::none;
  }
  bool init(TestProducer& producer) {
    const Pending pending = producer.start_init();
    if (!answered(pending) || producer.finish_init(pending) != ErrorCode::none) return false;
    const bool fresh = told_.producers.emplace(producer.id().value(), producer.epoch().value()).second;
    EXPECT_TRUE(fresh) << "an epoch was given twice";
    return true;
  }
  bool write(TestProducer& producer, const std::string& value) {
    if (!answered(producer.start_add({{"x", 0}, {"y", 0}}))) return false;
    if (!answered(producer.start_add_offsets("g"))) return false;
    const Pending x = producer.start_send("x", {value});
    const Pending y = producer.start_send("y", {value});
    const Pending offset = producer.start_commit_offset("g", "x", std::stoll(value));
    return answered(x) && y.is_answered() && offset.is_answered() && producer.finish_send("x", x, 1) == ErrorCode::none &&
           producer.finish_send("y", y, 1) == ErrorCode::none;
  }
  bool transaction(TestProducer& producer, const std::string& value, bool committed) {
    if (!write(producer, value)) return false;
    const Pending ending = producer.start_end(committed);
    if (!answered(ending) || TestProducer::finish_end(ending) != ErrorCode::none) return false;
    (committed ? told_.committed : told_.aborted).insert(value);
    if (committed) told_.group_offset = std::stoll(value);
    return true;
  }

  TestBroker& test_;
  Told& told_;
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
  if (!told.topics) return;
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

std::uint64_t operations_of_a_whole_run() {
  TestBroker test;
  Told told;
  Script(test, told).run();
  EXPECT_EQ(told.committed, (std::set<std::string>{"1", "3", "5"}));
  EXPECT_EQ(told.producers.size(), 2U);
  check(test, told);
  return test.files().operation_count();
}

class TransactionPowerCut : public testing::TestWithParam<io::Survival> {};
INSTANTIATE_TEST_SUITE_P(Disk, TransactionPowerCut,
                         testing::Values(io::Survival::everything, io::Survival::nothing, io::Survival::beginning,
                                         io::Survival::selection));

TEST_P(TransactionPowerCut, AtEveryOperationTearsNoTransaction) {
  const std::uint64_t operations = operations_of_a_whole_run();
  ASSERT_GT(operations, 100U);
  for (std::uint64_t cut = 1; cut <= operations; ++cut) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      SCOPED_TRACE("cut at operation " + std::to_string(cut) + ", seed " + std::to_string(seed));
      TestBroker test(ConfigValues(), seed);
      test.files().cut_power_at(cut);
      if (test.files().power_is_cut() || !test.is_open()) continue;
      Told told;
      Script(test, told).run();
      test.cut_power(GetParam(), seed);
      check(test, told);
      if (testing::Test::HasFailure()) return;
    }
  }
}

// A kill loses nothing of the page cache, but whatever was under way.
TEST(TransactionKill, AtEveryStepTearsNoTransaction) {
  const std::uint64_t operations = operations_of_a_whole_run();
  for (std::uint64_t cut = 1; cut <= operations; cut += 3) {
    SCOPED_TRACE("cut at operation " + std::to_string(cut));
    TestBroker test;
    test.files().cut_power_at(cut);
    if (test.files().power_is_cut() || !test.is_open()) continue;
    Told told;
    Script(test, told).run();
    test.cut_power(io::Survival::everything, cut);
    if (!test.is_open()) FAIL() << test.open_error();
    test.restart();
    check(test, told);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace tripos::broker
