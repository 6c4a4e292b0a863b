// The broker over a simulated disk: records written, made durable, read.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "broker/broker.h"
#include "broker/testing.h"
#include "log/paths.h"
#include "wire/api_versions.h"
#include "wire/delete_topics.h"
#include "wire/describe_configs.h"
#include "wire/init_producer_id.h"
#include "wire/metadata.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;
using Values = std::vector<std::string>;

// ---- Records

TEST(Produce, IsAnsweredWhenDurableAndReadBack) {
  TestBroker test;
  test.create_topic("t");
  const Pending pending = test.start_produce("t", batch_of({"a", "b"}));
  EXPECT_FALSE(pending.is_answered());
  EXPECT_EQ(test.fetch("t", 0).high_watermark, 0);  // answered before the sync
  test.run();
  EXPECT_EQ(TestBroker::produced(pending).base_offset, 0);
  EXPECT_EQ(test.produce("t", batch_of({"c"})).base_offset, 2);
  EXPECT_EQ(test.consume("t"), (Values{"a", "b", "c"}));
}

TEST(Produce, NothingIsVisibleOrAcknowledgedBeforeItsSync) {
  for (const std::int16_t acks : {std::int16_t{1}, std::int16_t{-1}}) {
    TestBroker test;
    test.create_topic("t");
    (void)test.produce("t", batch_of({"a"}));
    bool synced = false;
    test.files().observe([&](io::Operation operation, const std::string&) {
      if (operation == io::Operation::sync_data || operation == io::Operation::sync_all) synced = true;
    });
    const Pending pending = test.start_produce("t", batch_of({"b"}), 0, acks);
    const Pending fetch = test.send(TestBroker::fetch_request("t", 1, 60'000), 11);
    while (!pending.is_answered()) {
      EXPECT_FALSE(synced && fetch.is_answered() && !pending.is_answered()) << "a fetch was answered before the producer";
      if (!synced) {
        EXPECT_FALSE(fetch.is_answered());
        EXPECT_EQ(test.broker().topics().find("t")->partitions.at(0)->stable_offset().offset, Offset(1));
      }
      ASSERT_TRUE(test.loop().step());
    }
    EXPECT_TRUE(synced);
    test.run();
    EXPECT_TRUE(fetch.is_answered());
  }
}

TEST(Produce, AFailedSyncAcknowledgesNothing) {
  TestBroker test;
  test.create_topic("t");
  (void)test.produce("t", batch_of({"a"}));
  test.files().inject([](io::Operation operation, const std::string&) -> std::optional<tripos::ErrorCode> {
    if (operation == io::Operation::sync_data || operation == io::Operation::sync_all) return tripos::ErrorCode::io;
    return std::nullopt;
  });
  const Pending pending = test.start_produce("t", batch_of({"b"}));
  test.advance(std::chrono::seconds(1));
  EXPECT_FALSE(pending.is_answered());
  EXPECT_TRUE(test.has_failed());
}

TEST(Produce, AFullDiskIsRetriableAndNothingIsBroken) {
  TestBroker test;
  test.create_topic("t");
  (void)test.produce("t", batch_of({"a"}));
  test.files().inject([](io::Operation operation, const std::string&) -> std::optional<tripos::ErrorCode> {
    if (operation == io::Operation::reserve || operation == io::Operation::write) return tripos::ErrorCode::no_space;
    return std::nullopt;
  });
  // Larger than what was reserved ahead.
  RecordBatchBuilder builder;
  const auto refused = [&] {
    ErrorCode code = ErrorCode::none;
    for (int i = 0; i < 40 && code == ErrorCode::none; ++i) code = test.produce("t", batch_of({std::string(900'000, 'x')})).error_code;
    return code;
  }();
  EXPECT_EQ(refused, ErrorCode::kafka_storage_error);
  test.files().inject(nullptr);
  const auto after = test.produce("t", batch_of({"b"}));
  EXPECT_EQ(after.error_code, ErrorCode::none);
  EXPECT_EQ(test.consume("t").back(), "b");
}

TEST(Produce, WithoutAcknowledgementIsDurableWithinTenMilliseconds) {
  TestBroker test;
  test.create_topic("t");
  EXPECT_TRUE(test.start_produce("t", batch_of({"a"}), 0, 0).is_without_answer());
  test.advance(std::chrono::milliseconds(10));
  EXPECT_EQ(test.broker().topics().find("t")->partitions.at(0)->stable_offset().offset, Offset(1));
  EXPECT_TRUE(test.start_produce("nowhere", batch_of({"a"}), 0, 0).is_closed());  // the only way to tell
}

TEST(Produce, WhatIsWrongIsRefusedAndNothingIsAppended) {
  TestBroker test;
  test.create_topic("t");
  Buffer flipped = batch_of({"a"});
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  EXPECT_EQ(test.produce("t", flipped).error_code, ErrorCode::corrupt_message);
  EXPECT_EQ(test.produce("t", "").error_code, ErrorCode::invalid_record);
  EXPECT_EQ(test.produce("t", batch_of({"a"}) + batch_of({"b"})).error_code, ErrorCode::invalid_record);
  EXPECT_EQ(test.produce("t", batch_of({std::string(2 << 20, 'x')})).error_code, ErrorCode::message_too_large);
  EXPECT_EQ(test.produce("unknown", batch_of({"a"})).error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(test.produce("t", batch_of({"a"}), 1).error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(test.produce("t", batch_of({"a"}), -1).error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(TestBroker::produced([&] {
              auto pending = test.start_produce("t", batch_of({"a"}), 0, 2);
              test.run();
              return pending;
            }())
                .error_code,
            ErrorCode::invalid_required_acks);
  EXPECT_EQ(test.consume("t"), Values{});
}

TEST(Produce, VersionsBelowThreeAreRefusedInTheirOwnBody) {
  TestBroker test;
  test.create_topic("t");
  // v1: acks 1, timeout 0, topic "t", partition 0, no records.
  const Pending pending =
      test.send_frame(Bytes("\x00\x00\x00\x01\x00\x00\x00\x09\xff\xff"
                            "\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01t\x00\x00\x00\x01\x00\x00\x00\x00\xff\xff\xff\xff",
                            10 + 25));
  EXPECT_EQ(pending.frame(), Buffer("\x00\x00\x00\x09\x00\x00\x00\x01\x00\x01t\x00\x00\x00\x01\x00\x00\x00\x00\x00\x23\xff\xff\xff\xff\xff"
                                    "\xff\xff\xff\x00\x00\x00\x00",
                                    33));
}

TEST(Produce, AllCodecsPassUntouched) {
  TestBroker test;
  test.create_topic("t");
  Buffer sent;
  std::int64_t offset = 0;
  for (const auto codec : {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    RecordBatchFields fields;
    fields.compression = codec;
    Buffer batch = batch_of({"a", std::string(1000, 'b')}, fields);
    EXPECT_EQ(test.produce("t", batch).error_code, ErrorCode::none);
    set_base_offset(batch.data(), Offset(offset));
    set_leader_epoch(batch.data(), LeaderEpoch(0));
    offset += 2;
    sent += batch;
  }
  EXPECT_EQ(test.fetch("t", 0).records.decoded_bytes(), sent);
}

TEST(Produce, ABurstBeyondWhatMayBeUnsyncedWaitsAndKeepsItsOrder) {
  TestBroker test;
  test.create_topic("t");
  std::vector<Pending> pending;
  Values values;
  for (int i = 0; i < 20; ++i) {
    values.push_back(std::string(700'000, static_cast<char>('a' + i)));
    pending.push_back(test.start_produce("t", batch_of({values.back()})));
  }
  test.run();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(TestBroker::produced(pending[static_cast<std::size_t>(i)]).base_offset, i);
  EXPECT_EQ(test.consume("t"), values);
}

TEST(Produce, ManyRequestsShareOneSync) {
  TestBroker test;
  test.create_topic("t");
  (void)test.produce("t", batch_of({"first"}));
  const auto rounds = test.broker().commit().counters().rounds;
  std::vector<Pending> pending;
  for (int i = 0; i < 50; ++i) pending.push_back(test.start_produce("t", batch_of({"x"})));
  test.run();
  for (const Pending& each : pending) EXPECT_TRUE(each.is_answered());
  EXPECT_EQ(test.broker().commit().counters().rounds, rounds + 1);
}

TEST(Produce, InternalTopicsAreTheBrokers) {
  TestBroker test;
  EXPECT_EQ(test.create_topic("__tripos_catalog"), ErrorCode::none);
  EXPECT_EQ(test.produce("__tripos_catalog", batch_of({"x"})).error_code, ErrorCode::invalid_topic_exception);
}

// ---- Idempotence

TEST(Idempotence, ADuplicateIsAnsweredWithItsOriginalWhenThatIsDurable) {
  TestBroker test;
  test.create_topic("t");
  const Buffer batch = batch_of({"a", "b"}, producer_fields(1, 0, 0));
  const Pending original = test.start_produce("t", batch);
  const Pending duplicate = test.start_produce("t", batch);
  EXPECT_FALSE(original.is_answered());
  EXPECT_FALSE(duplicate.is_answered());
  test.run();
  EXPECT_EQ(TestBroker::produced(duplicate).error_code, ErrorCode::none);
  EXPECT_EQ(TestBroker::produced(duplicate).base_offset, 0);
  EXPECT_EQ(test.produce("t", batch).base_offset, 0);
  EXPECT_EQ(test.consume("t"), (Values{"a", "b"}));
}

TEST(Idempotence, ErrorsAreKafkas) {
  TestBroker test;
  test.create_topic("t");
  EXPECT_EQ(test.produce("t", batch_of({"a"}, producer_fields(1, 0, 5))).error_code, ErrorCode::unknown_producer_id);
  EXPECT_EQ(test.produce("t", batch_of({"a"}, producer_fields(1, 1, 0))).error_code, ErrorCode::none);
  EXPECT_EQ(test.produce("t", batch_of({"a"}, producer_fields(1, 1, 2))).error_code, ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ(test.produce("t", batch_of({"a"}, producer_fields(1, 0, 1))).error_code, ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(test.consume("t"), Values{"a"});
}

TEST(Idempotence, StateIsRebuiltFromTheLog) {
  TestBroker test;
  test.create_topic("t");
  for (int i = 0; i < 7; ++i) (void)test.produce("t", batch_of({std::to_string(i)}, producer_fields(1, 0, i)));
  test.restart();
  EXPECT_EQ(test.produce("t", batch_of({"3"}, producer_fields(1, 0, 3))).base_offset, 3);
  EXPECT_EQ(test.produce("t", batch_of({"1"}, producer_fields(1, 0, 1))).error_code, ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ(test.produce("t", batch_of({"7"}, producer_fields(1, 0, 7))).base_offset, 7);
}

TEST(Idempotence, ARefusedAppendLeavesNoTrace) {
  TestBroker test;
  test.create_topic("t");
  test.files().inject([](io::Operation, const std::string&) { return std::optional(tripos::ErrorCode::no_space); });
  EXPECT_EQ(test.produce("t", batch_of({"a"}, producer_fields(1, 0, 0))).error_code, ErrorCode::kafka_storage_error);
  test.files().inject(nullptr);
  EXPECT_EQ(test.produce("t", batch_of({"b"}, producer_fields(1, 0, 1))).error_code,
            ErrorCode::unknown_producer_id);  // not before the first
  EXPECT_EQ(test.produce("t", batch_of({"a"}, producer_fields(1, 0, 0))).error_code, ErrorCode::none);
  EXPECT_EQ(test.produce("t", batch_of({"b"}, producer_fields(1, 0, 1))).error_code, ErrorCode::none);
  EXPECT_EQ(test.consume("t"), (Values{"a", "b"}));
}

TEST(ProducerIds, AreNeverGivenTwice) {
  TestBroker test;
  wire::InitProducerIdRequest idempotent;
  idempotent.transactional_id.reset();
  std::set<std::int64_t> given;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 700; ++i) {
      const auto response = test.call<wire::InitProducerIdResponse>(idempotent, 4);
      EXPECT_EQ(response.error_code, ErrorCode::none);
      EXPECT_EQ(response.producer_epoch, 0);
      EXPECT_TRUE(given.insert(response.producer_id).second);
    }
    test.cut_power(io::Survival::nothing, static_cast<std::uint64_t>(round));
  }
  wire::InitProducerIdRequest transactional;
  transactional.transactional_id = "t";
  transactional.transaction_timeout_ms = 1000;
  EXPECT_TRUE(given.insert(test.call<wire::InitProducerIdResponse>(transactional, 4).producer_id).second);
}

// ---- Reading

TEST(Fetch, AnOffsetInsideABatchGivesTheWholeBatch) {
  TestBroker test;
  test.create_topic("t");
  (void)test.produce("t", batch_of({"a", "b", "c"}));
  const auto data = test.fetch("t", 2);
  const auto batch = RecordBatchView::parse(data.records.decoded_bytes());
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->base_offset(), Offset(0));
  EXPECT_EQ(batch->record_count(), 3);
}

TEST(Fetch, OffsetsOutsideAreOutOfRange) {
  TestBroker test;
  test.create_topic("t");
  (void)test.produce("t", batch_of({"a"}));
  EXPECT_EQ(test.fetch("t", 1).error_code, ErrorCode::none);
  EXPECT_EQ(test.fetch("t", 2).error_code, ErrorCode::offset_out_of_range);
  EXPECT_EQ(test.fetch("t", -1).error_code, ErrorCode::offset_out_of_range);
  EXPECT_EQ(test.fetch("t", 0, 7).error_code, ErrorCode::unknown_topic_or_partition);
}

TEST(Fetch, WaitsForRecordsOrForItsTime) {
  TestBroker test;
  test.create_topic("t");
  const Pending waits = test.send(TestBroker::fetch_request("t", 0, 500), 11);
  test.advance(std::chrono::milliseconds(499));
  EXPECT_FALSE(waits.is_answered());
  test.advance(std::chrono::milliseconds(1));
  ASSERT_TRUE(waits.is_answered());
  EXPECT_TRUE(TestBroker::read<wire::FetchResponse>(waits, 11).responses.at(0).partitions.at(0).records.decoded_bytes().empty());

  const Pending woken = test.send(TestBroker::fetch_request("t", 0, 60'000), 11);
  (void)test.start_produce("t", batch_of({"a"}));
  test.run();
  EXPECT_TRUE(woken.is_answered());
}

TEST(Fetch, WaitsForTheBytesThatItAsksFor) {
  TestBroker test;
  test.create_topic("t");
  auto request = TestBroker::fetch_request("t", 0, 60'000);
  request.min_bytes = 500;
  const Pending pending = test.send(request, 11);
  (void)test.produce("t", batch_of({std::string(200, 'a')}));
  EXPECT_FALSE(pending.is_answered());
  (void)test.produce("t", batch_of({std::string(200, 'b')}));
  ASSERT_TRUE(pending.is_answered());
  EXPECT_GE(TestBroker::read<wire::FetchResponse>(pending, 11).responses.at(0).partitions.at(0).records.size_bytes(), 500U);
}

// It asked to be told by all of its partitions whenever one told it: twice as often with each move, until the server did nothing else.
TEST(Fetch, ThatWaitsForSeveralPartitionsIsToldOnceByEachMove) {
  TestBroker test;
  test.create_topic("t", 3);
  auto request = TestBroker::fetch_request("t", 0, 60'000);
  request.min_bytes = 4000;
  for (const int partition : {1, 2}) {
    request.topics.at(0).partitions.push_back(request.topics.at(0).partitions.at(0));
    request.topics.at(0).partitions.back().partition = partition;
  }
  const Pending pending = test.send(request, 11);
  const auto& partitions = test.broker().topics().find("t")->partitions;
  for (int round = 0; round < 4; ++round) {
    for (const int partition : {0, 1, 2}) {
      ASSERT_FALSE(pending.is_answered());
      (void)test.produce("t", batch_of({std::string(200, 'a')}), partition);
      for (const auto& each : partitions) ASSERT_EQ(each->watcher_count(), 1U);
    }
  }
  (void)test.produce("t", batch_of({std::string(1000, 'b')}), 1);
  ASSERT_TRUE(pending.is_answered());
  EXPECT_EQ(partitions.at(1)->watcher_count(), 0U);  // the others forget it at their next move
  (void)test.produce("t", batch_of({"c"}), 2);
  EXPECT_EQ(partitions.at(2)->watcher_count(), 0U);
}

TEST(Fetch, KeepsItsLimitsButGivesAtLeastOneBatch) {
  TestBroker test;
  test.create_topic("t", 2);
  for (const int partition : {0, 1}) {
    for (int i = 0; i < 10; ++i) (void)test.produce("t", batch_of({std::string(1000, 'x')}), partition);
  }
  auto request = TestBroker::fetch_request("t", 0);
  request.topics.at(0).partitions.at(0).partition_max_bytes = 2500;
  request.topics.at(0).partitions.push_back(request.topics.at(0).partitions.at(0));
  request.topics.at(0).partitions.at(1).partition = 1;
  auto partitions = test.call<wire::FetchResponse>(request, 11).responses.at(0).partitions;
  EXPECT_GT(partitions.at(0).records.size_bytes(), 1000U);
  EXPECT_LE(partitions.at(0).records.size_bytes(), 2500U);
  EXPECT_LE(partitions.at(1).records.size_bytes(), 2500U);
  request.max_bytes = 10;  // less than any batch: one batch all the same, and no second
  partitions = test.call<wire::FetchResponse>(request, 11).responses.at(0).partitions;
  EXPECT_GT(partitions.at(0).records.size_bytes(), 1000U);
  EXPECT_LT(partitions.at(0).records.size_bytes(), 1200U);
  EXPECT_EQ(partitions.at(1).records.size_bytes(), 0U);
  EXPECT_EQ(partitions.at(1).error_code, ErrorCode::none);
}

TEST(Fetch, ByTopicIdAndWithoutSessions) {
  TestBroker test(ConfigValues{{"max.incremental.fetch.session.cache.slots", "0"}});
  test.create_topic("t");
  (void)test.produce("t", batch_of({"a"}));
  auto request = TestBroker::fetch_request("", 0);
  request.topics.at(0).topic_id = test.broker().topics().find("t")->id();
  request.session_epoch = 0;  // wants a session, for which there is no room
  auto response = test.call<wire::FetchResponse>(request, 13);
  EXPECT_EQ(response.session_id, 0);
  EXPECT_FALSE(response.responses.at(0).partitions.at(0).records.decoded_bytes().empty());
  request.topics.at(0).topic_id = Uuid::random();
  EXPECT_EQ(test.call<wire::FetchResponse>(request, 13).responses.at(0).partitions.at(0).error_code, ErrorCode::unknown_topic_id);
  request.session_id = 5;
  request.session_epoch = 1;
  EXPECT_EQ(test.call<wire::FetchResponse>(request, 13).error_code, ErrorCode::fetch_session_id_not_found);
}

TEST(ListOffsets, EndsAndTimesAreExactToTheRecord) {
  TestBroker test;
  test.create_topic("t");
  EXPECT_EQ(test.list_offsets("t", -1).offset, 0);
  EXPECT_EQ(test.list_offsets("t", -3).offset, -1);
  RecordBatchBuilder builder;
  for (const int time : {100, 300, 200}) builder.add(WallTime(std::chrono::milliseconds(time)), "k", "v");
  (void)test.produce("t", builder.finish({}));
  (void)test.produce("t", batch_of({"late"}, {}, 400));
  EXPECT_EQ(test.list_offsets("t", -2).offset, 0);
  EXPECT_EQ(test.list_offsets("t", -1).offset, 4);
  EXPECT_EQ(test.list_offsets("t", -1).timestamp, -1);
  EXPECT_EQ(test.list_offsets("t", 0).offset, 0);
  EXPECT_EQ(test.list_offsets("t", 101).offset, 1);
  EXPECT_EQ(test.list_offsets("t", 101).timestamp, 300);
  EXPECT_EQ(test.list_offsets("t", 301).offset, 3);
  EXPECT_EQ(test.list_offsets("t", 401).offset, -1);
  EXPECT_EQ(test.list_offsets("t", -3).offset, 3);
  EXPECT_EQ(test.list_offsets("t", -99).error_code, ErrorCode::unsupported_version);
}

}  // namespace
}  // namespace tripos::broker
