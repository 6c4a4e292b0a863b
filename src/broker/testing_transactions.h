// TestProducer: a transactional producer of a TestBroker, and what a consumer with isolation.level=read_committed reads. For tests.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "broker/group/coordinator.h"
#include "broker/straddling_transactions.h"
#include "broker/testing.h"
#include "broker/transaction/transaction_coordinator.h"
#include "wire/add_offsets_to_txn.h"
#include "wire/add_partitions_to_txn.h"
#include "wire/delete_topics.h"
#include "wire/end_txn.h"
#include "wire/init_producer_id.h"
#include "wire/offset_fetch.h"
#include "wire/txn_offset_commit.h"

namespace tripos::broker {

class TestProducer {
 public:
  TestProducer(TestBroker& test, std::string transactional_id) : test_(test), transactional_id_(std::move(transactional_id)) {}

  [[nodiscard]] ProducerId id() const { return ProducerId(id_); }
  [[nodiscard]] ProducerEpoch epoch() const { return ProducerEpoch(epoch_); }

  [[nodiscard]] Pending start_init(std::int32_t timeout_ms = 60'000) {
    wire::InitProducerIdRequest request;
    request.transactional_id = transactional_id_;
    request.transaction_timeout_ms = timeout_ms;
    return test_.send(request, 4);
  }
  wire::ErrorCode finish_init(const Pending& pending) {
    const auto response = TestBroker::read<wire::InitProducerIdResponse>(pending, 4);
    if (response.error_code == wire::ErrorCode::none) {
      id_ = response.producer_id;
      epoch_ = response.producer_epoch;
      sequences_.clear();
    }
    return response.error_code;
  }
  wire::ErrorCode init(std::int32_t timeout_ms = 60'000) {
    const Pending pending = start_init(timeout_ms);
    test_.run();
    return finish_init(pending);
  }

  [[nodiscard]] Pending start_add(const std::vector<std::pair<std::string, std::int32_t>>& partitions) {
    wire::AddPartitionsToTxnRequest request;
    request.v3_and_below_transactional_id = transactional_id_;
    request.v3_and_below_producer_id = id_;
    request.v3_and_below_producer_epoch = epoch_;
    for (const auto& [topic, partition] : partitions) {
      auto& asked = request.v3_and_below_topics.emplace_back();
      asked.name = topic;
      asked.partitions = {partition};
    }
    return test_.send(request, 3);
  }
  std::map<std::pair<std::string, std::int32_t>, wire::ErrorCode> add_all(
      const std::vector<std::pair<std::string, std::int32_t>>& partitions) {
    const Pending pending = start_add(partitions);
    test_.run();
    std::map<std::pair<std::string, std::int32_t>, wire::ErrorCode> results;
    for (const auto& topic : TestBroker::read<wire::AddPartitionsToTxnResponse>(pending, 3).results_by_topic_v3_and_below) {
      for (const auto& each : topic.results_by_partition) results[{topic.name, each.partition_index}] = each.partition_error_code;
    }
    return results;
  }
  wire::ErrorCode add(const std::string& topic, std::int32_t partition = 0) { return add_all({{topic, partition}}).at({topic, partition}); }

  [[nodiscard]] Pending start_send(const std::string& topic, const std::vector<std::string>& values, std::int32_t partition = 0) {
    RecordBatchFields fields = producer_fields(id_, epoch_, next_sequence(topic, partition));
    fields.transactional = true;
    return start_send_batch(topic, batch_of(values, fields), partition);
  }
  [[nodiscard]] std::int32_t next_sequence(const std::string& topic, std::int32_t partition) { return sequences_[{topic, partition}]; }
  // A batch of this producer's id, epoch and next sequence.
  [[nodiscard]] Pending start_send_batch(const std::string& topic, Bytes batch, std::int32_t partition) {
    wire::ProduceRequest request;
    request.transactional_id = transactional_id_;
    request.acks = -1;
    request.timeout_ms = 1000;
    auto& data = request.topic_data.emplace_back();
    data.name = topic;
    auto& records = data.partition_data.emplace_back();
    records.index = partition;
    records.records = batch;
    return test_.send(request, 9);
  }
  wire::ErrorCode finish_send(const std::string& topic, const Pending& pending, std::int32_t count, std::int32_t partition = 0) {
    const auto error = TestBroker::produced(pending).error_code;
    if (error == wire::ErrorCode::none) sequences_[{topic, partition}] += count;
    return error;
  }
  wire::ErrorCode send(const std::string& topic, const std::vector<std::string>& values, std::int32_t partition = 0) {
    const Pending pending = start_send(topic, values, partition);
    test_.run();
    return finish_send(topic, pending, static_cast<std::int32_t>(values.size()), partition);
  }

  [[nodiscard]] Pending start_end(bool committed) {
    wire::EndTxnRequest request;
    request.transactional_id = transactional_id_;
    request.producer_id = id_;
    request.producer_epoch = epoch_;
    request.committed = committed;
    return test_.send(request, 3);
  }
  wire::ErrorCode end(bool committed) {
    const Pending pending = start_end(committed);
    test_.run();
    return finish_end(pending);
  }
  static wire::ErrorCode finish_end(const Pending& pending) { return TestBroker::read<wire::EndTxnResponse>(pending, 3).error_code; }
  wire::ErrorCode commit() { return end(true); }
  wire::ErrorCode abort() { return end(false); }

  [[nodiscard]] Pending start_add_offsets(const std::string& group) {
    wire::AddOffsetsToTxnRequest request;
    request.transactional_id = transactional_id_;
    request.producer_id = id_;
    request.producer_epoch = epoch_;
    request.group_id = group;
    return test_.send(request, 3);
  }
  wire::ErrorCode add_offsets(const std::string& group) {
    const Pending pending = start_add_offsets(group);
    test_.run();
    return TestBroker::read<wire::AddOffsetsToTxnResponse>(pending, 3).error_code;
  }
  [[nodiscard]] Pending start_commit_offset(const std::string& group, const std::string& topic, std::int64_t offset) {
    wire::TxnOffsetCommitRequest request;
    request.transactional_id = transactional_id_;
    request.group_id = group;
    request.producer_id = id_;
    request.producer_epoch = epoch_;
    auto& asked = request.topics.emplace_back();
    asked.name = topic;
    auto& partition = asked.partitions.emplace_back();
    partition.partition_index = 0;
    partition.committed_offset = offset;
    return test_.send(request, 3);
  }
  wire::ErrorCode commit_offset(const std::string& group, const std::string& topic, std::int64_t offset) {
    const Pending pending = start_commit_offset(group, topic, offset);
    test_.run();
    return TestBroker::read<wire::TxnOffsetCommitResponse>(pending, 3).topics.at(0).partitions.at(0).error_code;
  }

 private:
  TestBroker& test_;
  std::string transactional_id_;
  std::int64_t id_ = -1;
  std::int16_t epoch_ = -1;
  std::map<std::pair<std::string, std::int32_t>, std::int32_t> sequences_;
};

// Hands on the records of a fetched partition from offset `from` on, as a consumer of committed transactions does: it leaves out what the
// broker names as aborted (of what was fetched without isolation.level=read_committed that is nothing); and `withheld`, which clients are
// not told of. Where to fetch on.
template <typename Take>
[[nodiscard]] std::int64_t take_fetched(const wire::FetchResponse::PartitionData& data, std::int64_t from, Take take,
                                        const AbortedBatches& withheld = {}) {
  EXPECT_EQ(data.error_code, wire::ErrorCode::none);
  const Bytes bytes = data.records.decoded_bytes();
  std::map<std::int64_t, std::int64_t> aborted;  // first offset, producer
  if (data.aborted_transactions) {
    for (const auto& each : *data.aborted_transactions) aborted.emplace(each.first_offset, each.producer_id);
  }
  std::map<std::int64_t, bool> is_aborted;  // producer
  RecordReader reader(64 << 20);
  std::int64_t next = from;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto batch = RecordBatchView::parse(bytes.substr(at));
    if (!batch || !batch->crc_matches()) {
      ADD_FAILURE() << "a fetched batch is broken";
      return from;
    }
    at += batch->bytes().size();
    while (!aborted.empty() && aborted.begin()->first <= batch->last_offset().value()) {
      is_aborted[aborted.begin()->second] = true;
      aborted.erase(aborted.begin());
    }
    const bool skip =
        batch->is_control() || withheld.contains(*batch) || (batch->is_transactional() && is_aborted[batch->producer_id().value()]);
    if (batch->is_control()) is_aborted[batch->producer_id().value()] = false;
    EXPECT_TRUE(reader.start(*batch).has_value());
    for (auto record = reader.next(); record && *record != nullptr; record = reader.next()) {
      if (!skip && (*record)->offset.value() >= from) take(**record);
    }
    next = batch->next_offset().value();
  }
  return next;
}

// Hands on all of a partition from `from` on; with `committed`, what is committed only.
template <typename Take>
void take_all(TestBroker& test, const std::string& topic, std::int32_t partition, std::int64_t from, bool committed, Take take,
              const AbortedBatches& withheld = {}) {
  while (true) {
    auto request = TestBroker::fetch_request(topic, from, 0, partition);
    request.isolation_level = committed ? 1 : 0;
    const auto data = test.call<wire::FetchResponse>(request, 11).responses.at(0).partitions.at(0);
    EXPECT_TRUE(data.aborted_transactions.has_value() || !committed);
    const std::int64_t next = take_fetched(data, from, take, withheld);
    if (next <= from) return;
    from = next;
  }
}

// All values that a consumer of committed transactions sees, in order.
[[nodiscard]] inline std::vector<std::string> read_committed(TestBroker& test, const std::string& topic,
                                                             const AbortedBatches& withheld = {}) {
  std::vector<std::string> values;
  const auto take = [&values](const Record& record) { values.emplace_back(record.value.value_or("(null)")); };
  take_all(test, topic, 0, 0, true, take, withheld);
  return values;
}

// What a table shows: whole transactions only.
[[nodiscard]] inline std::vector<std::string> read_whole(TestBroker& test, const std::string& topic) {
  const auto partition = test.broker().topics().partition(topic, PartitionId(0));
  if (!partition) return {};
  const Offset stable = (*partition)->stable_offset().offset;
  return read_committed(test, topic, AbortedBatches(test.broker().straddling().withheld((*partition)->id(), Offset(0), stable)));
}

// What the group has committed for partition 0 of the topic.
[[nodiscard]] inline std::pair<std::int64_t, wire::ErrorCode> fetch_offset(TestBroker& test, const std::string& group,
                                                                           const std::string& topic, bool require_stable) {
  wire::OffsetFetchRequest request;
  request.group_id = group;
  auto& asked = request.topics.emplace().emplace_back();
  asked.name = topic;
  asked.partition_indexes = {0};
  request.require_stable = require_stable;
  const auto response = test.call<wire::OffsetFetchResponse>(request, 7);
  const auto& partition = response.topics.at(0).partitions.at(0);
  return {partition.committed_offset, partition.error_code};
}

// What a group as a whole is answered.
[[nodiscard]] inline wire::ErrorCode fetch_offset_error(TestBroker& test, const std::string& group) {
  wire::OffsetFetchRequest request;
  request.group_id = group;
  request.topics.reset();
  return test.call<wire::OffsetFetchResponse>(request, 7).error_code;
}

inline void delete_topic(TestBroker& test, const std::string& name) {
  wire::DeleteTopicsRequest request;
  request.topic_names = {name};
  EXPECT_EQ(test.call<wire::DeleteTopicsResponse>(request, 5).responses.at(0).error_code, wire::ErrorCode::none);
}

}  // namespace tripos::broker
