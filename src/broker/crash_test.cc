// Power cuts at every operation on the disk of a scripted run: what was acknowledged is there afterwards, as it was, and once.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "broker/testing.h"
#include "wire/delete_topics.h"
#include "wire/init_producer_id.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;

// What clients were told.
struct Told {
  std::set<std::string> created;
  std::set<std::string> deleted;
  std::map<std::int64_t, std::string> records;  // of topic "t", by offset
  std::int32_t next_sequence = 0;
  std::set<std::int64_t> producer_ids;
};

Buffer numbered_batch(std::int32_t sequence, const std::string& value) { return batch_of({value}, producer_fields(7, 0, sequence)); }

wire::InitProducerIdRequest idempotent_request() {
  wire::InitProducerIdRequest request;
  request.transactional_id.reset();
  return request;
}

class Script {
 public:
  Script(TestBroker& test, Told& told) : test_(test), told_(told) {}

  void run() {
    create("t");
    for (int i = 0; i < 3; ++i) produce_pipelined(3);
    take_producer_id();
    create("u");
    remove("u");
    produce_pipelined(4);
    create("v");
    for (int i = 0; i < 2; ++i) produce_pipelined(2);
  }

 private:
  template <typename Response, typename Request>
  std::optional<Response> call(const Request& request, std::int16_t version) {
    const Pending pending = test_.send(request, version);
    test_.run();
    if (!pending.is_answered()) return std::nullopt;  // the power is gone
    return TestBroker::read<Response>(pending, version);
  }

  void create(const std::string& name) {
    wire::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = 1;
    topic.replication_factor = 1;
    topic.configs.push_back({.name = "segment.bytes", .value = "500"});
    const auto response = call<wire::CreateTopicsResponse>(request, 7);
    if (response && response->topics.at(0).error_code == ErrorCode::none) told_.created.insert(name);
  }

  void remove(const std::string& name) {
    wire::DeleteTopicsRequest request;
    request.topic_names = {name};
    const auto response = call<wire::DeleteTopicsResponse>(request, 5);
    if (response && response->responses.at(0).error_code == ErrorCode::none) told_.deleted.insert(name);
  }

  void take_producer_id() {
    const auto response = call<wire::InitProducerIdResponse>(idempotent_request(), 4);
    if (response && response->error_code == ErrorCode::none) told_.producer_ids.insert(response->producer_id);
  }

  void produce_pipelined(int count) {
    std::vector<std::pair<Pending, std::string>> sent;
    for (int i = 0; i < count; ++i) {
      const std::string value = "value " + std::to_string(told_.next_sequence);
      sent.emplace_back(test_.start_produce("t", numbered_batch(told_.next_sequence++, value)), value);
    }
    test_.run();
    for (const auto& [pending, value] : sent) {
      if (!pending.is_answered()) continue;
      const auto response = TestBroker::produced(pending);
      if (response.error_code != ErrorCode::none) continue;
      const auto [at, fresh] = told_.records.emplace(response.base_offset, value);
      EXPECT_TRUE(fresh) << "offset " << response.base_offset << " was given twice";
    }
  }

  TestBroker& test_;
  Told& told_;
};

void check(TestBroker& test, const Told& told) {
  ASSERT_TRUE(test.is_open()) << test.open_error();
  for (const std::string& name : told.created) {
    if (!told.deleted.contains(name) && name != "u") {
      EXPECT_NE(test.broker().topics().find(name), nullptr) << name;
    }
  }
  for (const std::string& name : told.deleted) EXPECT_EQ(test.broker().topics().find(name), nullptr) << name;
  if (told.created.contains("t")) {
    const auto values = test.consume("t");
    for (const auto& [offset, value] : told.records) {
      ASSERT_LT(static_cast<std::size_t>(offset), values.size()) << "an acknowledged record is lost";
      EXPECT_EQ(values[static_cast<std::size_t>(offset)], value);
    }
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], "value " + std::to_string(i));  // in order, each once
    // The producer tries again what it was not told of, and goes on: no record twice, none in the wrong place.
    const auto stored = static_cast<std::int32_t>(values.size());
    for (std::int32_t sequence = std::max(stored - 3, 0); sequence < stored + 2; ++sequence) {
      const auto again = test.produce("t", numbered_batch(sequence, "value " + std::to_string(sequence)));
      EXPECT_EQ(again.error_code, ErrorCode::none);
      EXPECT_EQ(again.base_offset, sequence);
    }
    EXPECT_EQ(test.consume("t").size(), static_cast<std::size_t>(stored) + 2);
  }
  const auto id = test.call<wire::InitProducerIdResponse>(idempotent_request(), 4).producer_id;
  EXPECT_FALSE(told.producer_ids.contains(id)) << "producer id " << id << " was given twice";
}

std::uint64_t operations_of_a_whole_run() {
  TestBroker test;
  Told told;
  Script(test, told).run();
  EXPECT_EQ(told.records.size(), 17U);
  EXPECT_EQ(told.created.size(), 3U);
  check(test, told);
  return test.files().operation_count();
}

class PowerCut : public testing::TestWithParam<io::Survival> {};
INSTANTIATE_TEST_SUITE_P(Disk, PowerCut,
                         testing::Values(io::Survival::everything, io::Survival::nothing, io::Survival::beginning,
                                         io::Survival::selection));

TEST_P(PowerCut, AtEveryOperationLosesNothingThatWasAcknowledged) {
  const std::uint64_t operations = operations_of_a_whole_run();
  ASSERT_GT(operations, 50U);
  for (std::uint64_t cut = 1; cut <= operations; ++cut) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      SCOPED_TRACE("cut at operation " + std::to_string(cut) + ", seed " + std::to_string(seed));
      TestBroker test(ConfigValues(), seed);
      test.files().cut_power_at(cut);
      if (test.files().power_is_cut()) continue;
      Told told;
      Script(test, told).run();
      test.cut_power(GetParam(), seed);
      check(test, told);
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace tripos::broker
