// Power cuts at every operation on the disk of a scripted run of appends, DeleteRecords, retention and compaction: starts that were
// answered stay, nothing that nobody deleted is lost, producers are known, the last value of each key is there.
#include <gtest/gtest.h>

#include <map>

#include "broker/testing.h"
#include "wire/delete_records.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;

constexpr std::int32_t key_count = 3;

// What clients were told.
struct Told {
  bool created = false;
  std::int32_t next_sequence = 0;
  std::map<std::int64_t, std::string> records;  // of "aging", acknowledged, by offset
  std::int64_t start = 0;                       // of "aging", answered
  std::int64_t start_asked = 0;
  std::map<std::string, std::int64_t> last;  // of "keys": the last acknowledged value of each key, a rising number
};

class Script {
 public:
  Script(TestBroker& test, Told& told) : test_(test), told_(told) {}

  void run() {
    told_.created = create("aging", {{"segment.bytes", "300"}, {"retention.bytes", "1200"}}) &&
                    create("keys", {{"segment.bytes", "300"}, {"cleanup.policy", "compact"}, {"min.cleanable.dirty.ratio", "0"}});
    if (!told_.created) return;
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
  template <typename Response, typename Request>
  std::optional<Response> call(const Request& request, std::int16_t version) {
    const Pending pending = test_.send(request, version);
    test_.run();
    if (!pending.is_answered() || test_.files().power_is_cut()) return std::nullopt;
    return TestBroker::read<Response>(pending, version);
  }
  bool create(const std::string& name, const ConfigValues& config) {
    wire::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = 1;
    topic.replication_factor = 1;
    for (const auto& [key, value] : config) topic.configs.push_back({.name = key, .value = value});
    const auto response = call<wire::CreateTopicsResponse>(request, 7);
    return response && response->topics.at(0).error_code == ErrorCode::none;
  }
  std::int64_t send(const std::string& topic, const Buffer& batch) {
    const Pending pending = test_.start_produce(topic, batch);
    test_.run();
    if (!pending.is_answered() || test_.files().power_is_cut()) return -1;
    const auto produced = TestBroker::produced(pending);
    return produced.error_code == ErrorCode::none ? produced.base_offset : -1;
  }
  void produce() {
    const std::string value = "value " + std::to_string(told_.next_sequence);
    const std::int64_t offset =
        send("aging", batch_of({value}, producer_fields(7, 0, told_.next_sequence), test_.loop().wall().time_since_epoch().count()));
    ++told_.next_sequence;
    if (offset >= 0) told_.records[offset] = value;
  }
  void put(const std::string& key, std::int64_t number) {
    RecordBatchBuilder builder;
    builder.add(test_.loop().wall(), Bytes(key), Bytes(std::to_string(number)));
    if (send("keys", builder.finish({})) >= 0) told_.last[key] = number;
  }
  void erase(std::int64_t below) {
    wire::DeleteRecordsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = "aging";
    topic.partitions.push_back({.partition_index = 0, .offset = below});
    told_.start_asked = std::max(told_.start_asked, below);
    const auto response = call<wire::DeleteRecordsResponse>(request, 2);
    if (response && response->topics.at(0).partitions.at(0).error_code == ErrorCode::none) told_.start = std::max(told_.start, below);
  }

  TestBroker& test_;
  Told& told_;
};

std::map<std::int64_t, std::pair<std::string, std::string>> read_all(TestBroker& test, const std::string& topic) {
  std::map<std::int64_t, std::pair<std::string, std::string>> records;
  std::int64_t offset = test.list_offsets(topic, -2).offset;
  RecordReader reader(1 << 20);
  while (true) {
    const auto data = test.fetch(topic, offset);
    EXPECT_EQ(data.error_code, ErrorCode::none);
    const Bytes bytes = data.records.decoded_bytes();
    if (bytes.empty() || data.error_code != ErrorCode::none) return records;
    for (std::size_t at = 0; at < bytes.size();) {
      const auto batch = RecordBatchView::parse(bytes.substr(at));
      if (!batch || !batch->crc_matches() || !reader.start(*batch)) {
        ADD_FAILURE() << "a fetched batch is broken";
        return records;
      }
      for (auto record = reader.next(); record && *record != nullptr; record = reader.next()) {
        records[(*record)->offset.value()] = {std::string((*record)->key.value_or("")), std::string((*record)->value.value_or(""))};
      }
      at += batch->bytes().size();
      offset = batch->next_offset().value();
    }
  }
}

void check(TestBroker& test, const Told& told) {
  ASSERT_TRUE(test.is_open()) << test.open_error();
  if (!told.created) return;
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

std::uint64_t operations_of_a_whole_run() {
  TestBroker test;
  Told told;
  Script(test, told).run();
  EXPECT_EQ(told.records.size(), 12U);
  EXPECT_EQ(told.start, 9);
  const auto partition = test.broker().topics().partition("keys", PartitionId(0));
  EXPECT_GT((*partition)->log()->compacted_below(), Offset(0)) << "nothing was compacted: the script is too short";
  EXPECT_TRUE(test.warnings().empty()) << test.warnings().front();
  check(test, told);
  return test.files().operation_count();
}

class TrimmingPowerCut : public testing::TestWithParam<io::Survival> {};
INSTANTIATE_TEST_SUITE_P(Disk, TrimmingPowerCut,
                         testing::Values(io::Survival::everything, io::Survival::nothing, io::Survival::beginning,
                                         io::Survival::selection));

TEST_P(TrimmingPowerCut, AtEveryOperationKeepsWhatNobodyDeleted) {
  const std::uint64_t operations = operations_of_a_whole_run();
  ASSERT_GT(operations, 100U);
  for (std::uint64_t cut = 1; cut <= operations; ++cut) {
    SCOPED_TRACE("cut at operation " + std::to_string(cut));
    TestBroker test(ConfigValues(), cut);
    test.files().cut_power_at(cut);
    if (test.files().power_is_cut()) continue;
    Told told;
    Script(test, told).run();
    test.cut_power(GetParam(), cut);
    check(test, told);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace tripos::broker
