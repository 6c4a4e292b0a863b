// Power cuts at every operation on the disk of a scripted run of appends, DeleteRecords, retention and compaction: starts that were
// answered stay, nothing that nobody deleted is lost, producers are known, the last value of each key is there.
#include <gtest/gtest.h>

#include <map>

#include "broker/testing_crashes.h"
#include "broker/testing_transactions.h"
#include "wire/delete_records.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;

constexpr std::int32_t key_count = 3;

// What clients were told.
struct Told {
  int created = 0;
  std::int32_t next_sequence = 0;
  std::map<std::int64_t, std::string> records;  // of "aging", acknowledged, by offset
  std::int64_t start = 0;                       // of "aging", answered
  std::int64_t start_asked = 0;
  std::map<std::string, std::int64_t> last;  // of "keys": the last acknowledged value of each key, a rising number
};

class Script {
 public:
  Script(TestBroker& test, Told& told, Answers& answers) : test_(test), told_(told), answers_(answers) {}

  void run() {
    create("aging", {{"segment.bytes", "300"}, {"retention.bytes", "1200"}});
    create("keys", {{"segment.bytes", "300"}, {"cleanup.policy", "compact"}, {"min.cleanable.dirty.ratio", "0"}});
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 4; ++i) {
        produce();
        put(std::to_string(i % key_count), 4 * round + i);
      }
      if (round == 0) erase(2);
      test_.advance(std::chrono::seconds(15));                 // the cleaner
      if (round == 1) test_.advance(std::chrono::minutes(5));  // retention
    }
    erase(9);
  }

 private:
  void ask(Pending pending, Answers::Learn learn) {
    answers_.wait(std::move(pending), std::move(learn));
    test_.run();
    answers_.listen();
  }
  void create(const std::string& name, const ConfigValues& config) {
    ask(test_.start_create_topic(name, 1, config), [this](const Pending& pending) {
      EXPECT_EQ(TestBroker::created(pending), ErrorCode::none);
      ++told_.created;
    });
  }
  void send(const std::string& topic, const Buffer& batch, const std::function<void(std::int64_t)>& learn) {
    ask(test_.start_produce(topic, batch), [learn](const Pending& pending) {
      const auto produced = TestBroker::produced(pending);
      EXPECT_EQ(produced.error_code, ErrorCode::none);
      learn(produced.base_offset);
    });
  }
  void produce() {
    const std::int32_t sequence = told_.next_sequence++;
    const std::string value = "value " + std::to_string(sequence);
    send("aging", batch_of({value}, producer_fields(7, 0, sequence), test_.loop().wall().time_since_epoch().count()),
         [this, value](std::int64_t offset) { told_.records[offset] = value; });
  }
  void put(const std::string& key, std::int64_t number) {
    RecordBatchBuilder builder;
    builder.add(test_.loop().wall(), Bytes(key), Bytes(std::to_string(number)));
    send("keys", builder.finish({}), [this, key, number](std::int64_t) { told_.last[key] = number; });
  }
  void erase(std::int64_t below) {
    wire::DeleteRecordsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = "aging";
    topic.partitions.push_back({.partition_index = 0, .offset = below});
    told_.start_asked = std::max(told_.start_asked, below);
    ask(test_.send(request, 2), [this, below](const Pending& pending) {
      const auto response = TestBroker::read<wire::DeleteRecordsResponse>(pending, 2);
      EXPECT_EQ(response.topics.at(0).partitions.at(0).error_code, ErrorCode::none);
      told_.start = std::max(told_.start, below);
    });
  }

  TestBroker& test_;
  Told& told_;
  Answers& answers_;
};

std::map<std::int64_t, std::pair<std::string, std::string>> read_all(TestBroker& test, const std::string& topic) {
  std::map<std::int64_t, std::pair<std::string, std::string>> records;
  take_all(test, topic, 0, test.list_offsets(topic, -2).offset, false, [&records](const Record& record) {
    records[record.offset.value()] = {std::string(record.key.value_or("")), std::string(record.value.value_or(""))};
  });
  return records;
}

void check(TestBroker& test, const Told& told) {
  ASSERT_TRUE(test.is_open()) << test.open_error();
  if (told.created < 2) return;
  const std::int64_t start = test.list_offsets("aging", -2).offset;
  const std::int64_t end = test.list_offsets("aging", -1).offset;
  EXPECT_GE(start, told.start) << "a start that was answered went back";
  const auto standing = read_all(test, "aging");
  for (const auto& [offset, value] : told.records) {
    ASSERT_LT(offset, end) << "an acknowledged record is lost";
    if (offset < start) continue;
    ASSERT_TRUE(standing.contains(offset)) << offset;
    EXPECT_EQ(standing.at(offset).second, value);
  }
  if (start > told.start_asked) {
    const auto partition = test.broker().topics().partition("aging", PartitionId(0));
    EXPECT_GE((*partition)->log()->size_bytes(), 1200U) << "retention took more than it should";
  }
  const auto keys = read_all(test, "keys");
  for (const auto& [key, number] : told.last) {
    std::int64_t last = -1;
    for (const auto& [offset, record] : keys) {
      if (record.first == key) last = std::stoll(record.second);
    }
    EXPECT_GE(last, number) << "the last acknowledged value of key " << key << " is lost";
  }
  // The producer goes on where it was, though the batches that say so may be gone.
  if (end == 0) return;
  const auto stored = static_cast<std::int32_t>(end);
  const auto again = test.produce("aging", batch_of({"value"}, producer_fields(7, 0, stored - 1)));
  EXPECT_EQ(again.error_code, ErrorCode::none);
  EXPECT_EQ(again.base_offset, stored - 1) << "known as a duplicate";
  EXPECT_EQ(test.produce("aging", batch_of({"value"}, producer_fields(7, 0, stored))).base_offset, stored);
}

TEST(TrimmingPowerCut, AtEveryOperationKeepsWhatNobodyDeleted) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    Told told;
    const auto script = [&told](TestBroker& test, Answers& answers) {
      Script(test, told, answers).run();
      const auto partition = test.broker().topics().partition("keys", PartitionId(0));
      EXPECT_GT((*partition)->log()->compacted_below(), Offset(0)) << "nothing was compacted: the script is too short";
      EXPECT_TRUE(test.warnings().empty()) << test.warnings().front();
    };
    const Explored explored = explore(seed, script, [&told](TestBroker& test) { check(test, told); });
    ASSERT_FALSE(HasFailure()) << "seed " << seed << ", " << explored.wrong;
    EXPECT_EQ(told.records.size(), 12U);
    EXPECT_EQ(told.start, 9);
    EXPECT_GT(explored.points, 400U);
  }
}

}  // namespace
}  // namespace tripos::broker
