// Power cuts at every operation on the disk of a scripted run: what was acknowledged is there afterwards, as it was, and once.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "broker/testing_crashes.h"
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
  Script(TestBroker& test, Told& told, Answers& answers) : answers_(answers), test_(test), told_(told) {}

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
  // Runs until the answer has come, and has been learned.
  void ask(Pending pending, Answers::Learn learn) {
    answers_.wait(std::move(pending), std::move(learn));
    test_.run();
    answers_.listen();
  }

  void create(const std::string& name) {
    ask(test_.start_create_topic(name, 1, {{"segment.bytes", "500"}}), [this, name](const Pending& pending) {
      if (TestBroker::created(pending) == ErrorCode::none) told_.created.insert(name);
    });
  }

  void remove(const std::string& name) {
    wire::DeleteTopicsRequest request;
    request.topic_names = {name};
    ask(test_.send(request, 5), [this, name](const Pending& pending) {
      const auto response = TestBroker::read<wire::DeleteTopicsResponse>(pending, 5);
      if (response.responses.at(0).error_code == ErrorCode::none) told_.deleted.insert(name);
    });
  }

  void take_producer_id() {
    ask(test_.send(idempotent_request(), 4), [this](const Pending& pending) {
      const auto response = TestBroker::read<wire::InitProducerIdResponse>(pending, 4);
      if (response.error_code == ErrorCode::none) told_.producer_ids.insert(response.producer_id);
    });
  }

  void produce_pipelined(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string value = "value " + std::to_string(told_.next_sequence);
      answers_.wait(test_.start_produce("t", numbered_batch(told_.next_sequence++, value)), [this, value](const Pending& pending) {
        const auto response = TestBroker::produced(pending);
        if (response.error_code != ErrorCode::none) return;
        const auto [at, fresh] = told_.records.emplace(response.base_offset, value);
        EXPECT_TRUE(fresh) << "offset " << response.base_offset << " was given twice";
      });
    }
    test_.run();
    answers_.listen();
  }

  Answers& answers_;
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

TEST(PowerCut, AtEveryOperationLosesNothingThatWasAcknowledged) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Told told;
    const Explored explored = explore(
        seed, [&told](TestBroker& test, Answers& answers) { Script(test, told, answers).run(); },
        [&told](TestBroker& test) { check(test, told); });
    ASSERT_FALSE(HasFailure()) << "seed " << seed << ", " << explored.wrong;
    EXPECT_EQ(told.records.size(), 17U);
    EXPECT_EQ(told.created.size(), 3U);
    EXPECT_GT(explored.points, 150U);
  }
}

}  // namespace
}  // namespace tripos::broker
