#include "broker/produced_batch.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>

#include "base/crc32c.h"
#include "broker/testing.h"

namespace tripos::broker {
namespace {

using wire::ErrorCode;

constexpr std::int64_t now_ms = 1'517'141'411'000;
constexpr WallTime now{std::chrono::milliseconds(now_ms)};
constexpr std::int16_t version = 9;

struct Verdict {
  ErrorCode code = ErrorCode::none;
  std::vector<std::int32_t> refused;  // records
  Buffer appended;
  std::int64_t log_append_time_ms = -1;
};

Verdict check(const Buffer& batch, const ConfigValues& config = {}, std::int16_t request_version = version) {
  RecordReader reader(decompressed_size_max);
  Buffer rewritten;
  const auto checked = check_produced(batch, TopicConfig(BrokerConfig(), config), now, request_version, reader, rewritten);
  if (!checked) {
    Verdict verdict;
    verdict.code = checked.error().error.code;
    for (const RefusedRecord& each : checked.error().records) verdict.refused.push_back(each.place);
    return verdict;
  }
  return {.code = ErrorCode::none,
          .refused = {},
          .appended = Buffer(checked->batch.bytes()),
          .log_append_time_ms = checked->log_append_time_ms};
}

// A batch whose field was changed and whose checksum is right again: a producer that means it.
template <typename T>
Buffer with(Buffer batch, std::size_t at, T value) {
  store_be(batch.data() + at, value);
  store_be(batch.data() + batch_layout::crc, crc32c(Bytes(batch).substr(batch_layout::attributes)));
  return batch;
}

TEST(ProducedBatch, APlainBatchPassesUntouched) {
  const Buffer batch = batch_of({"a", "b"});
  EXPECT_EQ(check(batch).code, ErrorCode::none);
  EXPECT_EQ(check(batch).appended, batch);
}

TEST(ProducedBatch, EveryCutIsRefused) {
  const Buffer batch = batch_of({"a", "b"});
  for (std::size_t size = 0; size < batch.size(); ++size) EXPECT_EQ(check(batch.substr(0, size)).code, ErrorCode::invalid_record) << size;
}

TEST(ProducedBatch, HeadersThatLieAreRefused) {
  const Buffer batch = batch_of({"a", "b"});
  EXPECT_EQ(check(with<std::int32_t>(batch, batch_layout::record_count, 1)).code, ErrorCode::invalid_record);
  EXPECT_EQ(check(with<std::int32_t>(batch, batch_layout::last_offset_delta, 5)).code, ErrorCode::invalid_record);
  EXPECT_EQ(check(with<std::int16_t>(batch, batch_layout::attributes, 1 << 5)).code, ErrorCode::invalid_record);  // control
  EXPECT_EQ(check(with<std::int16_t>(batch, batch_layout::attributes, 1 << 4)).code,
            ErrorCode::invalid_record);  // transactional, of no producer
  EXPECT_EQ(check(with<std::int16_t>(batch, batch_layout::attributes, 1 << 3)).code, ErrorCode::invalid_timestamp);  // LogAppendTime
  EXPECT_EQ(check(with<std::int16_t>(batch, batch_layout::attributes, 7)).code, ErrorCode::invalid_record);          // no such codec
  EXPECT_EQ(check(with<std::int64_t>(batch, batch_layout::producer_id, 4)).code, ErrorCode::invalid_record);         // without a sequence
  Buffer old = batch;
  old[batch_layout::magic] = 1;
  EXPECT_EQ(check(old).code, ErrorCode::invalid_record);
  old[batch_layout::magic] = 3;
  EXPECT_EQ(check(old).code, ErrorCode::corrupt_message);  // unlike the older ones it never was
  EXPECT_EQ(check(batch_of({"a"}, {.base_offset = Offset(7)})).code, ErrorCode::invalid_record);
}

// Damage on the way is worth another try; what was sent so is not.
TEST(ProducedBatch, ADamagedHeaderIsToldFromOneThatLies) {
  Buffer batch = with<std::int32_t>(batch_of({"a", "b"}), batch_layout::record_count, 7);
  EXPECT_EQ(check(batch).code, ErrorCode::invalid_record);
  batch[batch_layout::crc] = static_cast<char>(batch[batch_layout::crc] ^ 1);
  EXPECT_EQ(check(batch).code, ErrorCode::corrupt_message);
}

TEST(ProducedBatch, RecordsThatConsumersCouldNotReadAreRefused) {
  Buffer batch = batch_of({"a", "b"});
  const Buffer cut = with<std::int32_t>(batch.substr(0, batch.size() - 1), batch_layout::length,
                                        static_cast<std::int32_t>(batch.size() - 1 - batch_layout::log_overhead));
  EXPECT_EQ(check(cut).code, ErrorCode::invalid_record);
  EXPECT_EQ(check(cut).refused, (std::vector<std::int32_t>{1}));
  RecordBatchFields zstd;
  zstd.compression = Compression::zstd;
  Buffer compressed = batch_of({"a", std::string(1000, 'b')}, zstd);
  compressed[batch_layout::header_size + 9] = static_cast<char>(compressed[batch_layout::header_size + 9] ^ 0x55);
  EXPECT_EQ(check(with<std::int8_t>(compressed, batch_layout::magic, 2)).code, ErrorCode::invalid_record);
}

TEST(ProducedBatch, ABombIsRefused) {
  Buffer bomb;
  compress(Compression::zstd, Buffer(decompressed_size_max + 1, '\0'), bomb);
  Buffer batch = batch_of({"a"}).substr(0, batch_layout::header_size) + bomb;
  store_be(batch.data() + batch_layout::length, static_cast<std::int32_t>(batch.size() - batch_layout::log_overhead));
  EXPECT_EQ(check(with<std::int16_t>(batch, batch_layout::attributes, 4)).code, ErrorCode::invalid_record);
}

TEST(ProducedBatch, ZstdNeedsAProducerWhoseConsumersKnowIt) {
  RecordBatchFields zstd;
  zstd.compression = Compression::zstd;
  EXPECT_EQ(check(batch_of({"a"}, zstd), {}, 6).code, ErrorCode::unsupported_compression_type);
  EXPECT_EQ(check(batch_of({"a"}, zstd), {}, 7).code, ErrorCode::none);
}

TEST(ProducedBatch, ACompactedTopicNeedsKeys) {
  RecordBatchBuilder builder;
  builder.add(now, "k", "v");
  builder.add(now, std::nullopt, "v");
  const Buffer batch = builder.finish({});
  EXPECT_EQ(check(batch).code, ErrorCode::none);
  EXPECT_EQ(check(batch, {{"cleanup.policy", "compact"}}).code, ErrorCode::invalid_record);
  EXPECT_EQ(check(batch, {{"cleanup.policy", "compact"}}).refused, (std::vector<std::int32_t>{1}));
}

// A client sends again what is not named.
TEST(ProducedBatch, AllRecordsAtFaultAreNamedATimestampsFaultFirst) {
  RecordBatchBuilder builder;
  for (int i = 0; i < 7; ++i) builder.add(now, i % 3 == 0 ? std::nullopt : std::optional<Bytes>("k"), "v");
  const ConfigValues compacted{{"cleanup.policy", "compact"}, {"message.timestamp.after.max.ms", "1000"}};
  const Verdict keys = check(builder.finish({}), compacted);
  EXPECT_EQ(keys.code, ErrorCode::invalid_record);
  EXPECT_EQ(keys.refused, (std::vector<std::int32_t>{0, 3, 6}));
  RecordBatchBuilder late;
  late.add(now, std::nullopt, "v");
  late.add(now, "k", "v");
  late.add(now + std::chrono::milliseconds(1001), "k", "v");
  const Verdict both = check(late.finish({}), compacted);
  EXPECT_EQ(both.code, ErrorCode::invalid_timestamp);
  EXPECT_EQ(both.refused, (std::vector<std::int32_t>{0, 2}));
}

TEST(ProducedBatch, RecordsAtFaultAreNamedUpToABound) {
  RecordBatchBuilder builder;
  for (std::size_t i = 0; i < refused_records_max + 1; ++i) builder.add(now, std::nullopt, "");
  EXPECT_EQ(check(builder.finish({}), {{"cleanup.policy", "compact"}}).refused.size(), refused_records_max);
}

RecordBatchFields fields_of(Compression codec) {
  RecordBatchFields fields;
  fields.compression = codec;
  fields.producer_id = ProducerId(77);
  fields.producer_epoch = ProducerEpoch(3);
  fields.base_sequence = Sequence(41);
  fields.transactional = true;
  return fields;
}

Buffer wordy_batch(Compression codec) {
  RecordBatchBuilder builder;
  for (int i = 0; i < 200; ++i) builder.add(now, fmt::format("key {}", i), fmt::format("words and words, {} times", i * i));
  return builder.finish(fields_of(codec));
}

TEST(ProducedBatch, ATopicsCodecTakesThePlaceOfTheProducers) {
  using enum Compression;
  constexpr std::array codecs = {none, gzip, snappy, lz4, zstd};
  for (const Compression from : codecs) {
    EXPECT_EQ(check(wordy_batch(from), {{"compression.type", "producer"}}).appended, wordy_batch(from));
    for (const Compression to : codecs) {
      const std::string name = to == none ? "uncompressed" : std::string(to_string(to));
      const Verdict verdict = check(wordy_batch(from), {{"compression.type", name}});
      ASSERT_EQ(verdict.code, ErrorCode::none);
      if (from == to) {
        EXPECT_EQ(verdict.appended, wordy_batch(from)) << "it stays as it came";
        continue;
      }
      const auto batch = RecordBatchView::parse(verdict.appended);
      ASSERT_TRUE(batch && batch->bytes().size() == verdict.appended.size());
      EXPECT_TRUE(batch->crc_matches());
      EXPECT_EQ(batch->compression(), to);
      // Packed by its producer it would be the same batch.
      Buffer expected;
      ASSERT_TRUE(decompress(to, batch->records(), decompressed_size_max, expected));
      EXPECT_EQ(Bytes(expected), RecordBatchView::parse(wordy_batch(none))->records());
      EXPECT_EQ(with(verdict.appended.substr(0, batch_layout::header_size), batch_layout::length, 0),
                with(wordy_batch(to).substr(0, batch_layout::header_size), batch_layout::length, 0));
    }
  }
}

TEST(ProducedBatch, ATopicsCodecHasALevelAndKeepsTheSizeLimit) {
  const auto size = [](const ConfigValues& config) { return check(wordy_batch(Compression::none), config).appended.size(); };
  EXPECT_LT(size({{"compression.type", "gzip"}, {"compression.gzip.level", "9"}}),
            size({{"compression.type", "gzip"}, {"compression.gzip.level", "1"}}));
  EXPECT_LT(size({{"compression.type", "zstd"}, {"compression.zstd.level", "19"}}),
            size({{"compression.type", "zstd"}, {"compression.zstd.level", "-5"}}));
  EXPECT_EQ(size({{"compression.type", "zstd"}, {"compression.zstd.level", "3"}}), size({{"compression.type", "zstd"}}));
  // A batch that fits as it came, and no longer once it is unpacked.
  const std::size_t packed = wordy_batch(Compression::zstd).size();
  EXPECT_EQ(check(wordy_batch(Compression::zstd), {{"max.message.bytes", std::to_string(packed)}}).code, ErrorCode::none);
  EXPECT_EQ(
      check(wordy_batch(Compression::zstd), {{"max.message.bytes", std::to_string(packed)}, {"compression.type", "uncompressed"}}).code,
      ErrorCode::message_too_large);
  for (const char* const wrong : {"0", "10", "-2", "fast"})
    EXPECT_FALSE(check_values(topic_keys(), {{"compression.gzip.level", wrong}})) << wrong;
  EXPECT_TRUE(
      check_values(topic_keys(), {{"compression.gzip.level", "-1"}, {"compression.lz4.level", "17"}, {"compression.zstd.level", "-9"}}));
}

TEST(ProducedBatch, ATopicsCodecAndItsTimestampsGoTogether) {
  const Verdict verdict =
      check(batch_of({"a"}, {}, now_ms - 5000), {{"compression.type", "lz4"}, {"message.timestamp.type", "LogAppendTime"}});
  const auto batch = RecordBatchView::parse(verdict.appended);
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->crc_matches());
  EXPECT_EQ(batch->compression(), Compression::lz4);
  EXPECT_EQ(batch->timestamp_type(), TimestampType::log_append_time);
  EXPECT_EQ(batch->max_timestamp_ms(), now_ms);
}

TEST(ProducedBatch, SizeAndTimestampsKeepTheTopicsLimits) {
  const Buffer batch = batch_of({"a"}, {}, now_ms - 5000);
  EXPECT_EQ(check(batch, {{"max.message.bytes", std::to_string(batch.size())}}).code, ErrorCode::none);
  EXPECT_EQ(check(batch, {{"max.message.bytes", std::to_string(batch.size() - 1)}}).code, ErrorCode::message_too_large);
  EXPECT_EQ(check(batch, {{"message.timestamp.before.max.ms", "5000"}}).code, ErrorCode::none);
  EXPECT_EQ(check(batch, {{"message.timestamp.before.max.ms", "4999"}}).code, ErrorCode::invalid_timestamp);
  EXPECT_EQ(check(batch_of({"a"}, {}, now_ms + 10), {{"message.timestamp.after.max.ms", "9"}}).code, ErrorCode::invalid_timestamp);
  EXPECT_EQ(check(batch_of({"a"}, {}, now_ms + 10), {{"message.timestamp.difference.max.ms", "9"}}).code, ErrorCode::invalid_timestamp);
  EXPECT_EQ(check(batch_of({"a"}, {}, -1)).code, ErrorCode::none);  // a producer without a clock
  EXPECT_EQ(check(batch_of({"a"}, {}, -2)).code, ErrorCode::invalid_timestamp);
}

TEST(ProducedBatch, TheBrokersTimeIsWrittenIntoTheBatch) {
  const Verdict verdict = check(batch_of({"a", "b"}, {}, 5), {{"message.timestamp.type", "LogAppendTime"}});
  ASSERT_EQ(verdict.code, ErrorCode::none);
  EXPECT_EQ(verdict.log_append_time_ms, now_ms);
  const auto batch = RecordBatchView::parse(verdict.appended);
  ASSERT_TRUE(batch.has_value());
  EXPECT_TRUE(batch->crc_matches());
  EXPECT_EQ(batch->timestamp_type(), TimestampType::log_append_time);
  EXPECT_EQ(batch->max_timestamp_ms(), now_ms);
}

TEST(ProducedBatch, AWrongLargestTimestampIsSetRight) {
  const Verdict verdict = check(with<std::int64_t>(batch_of({"a"}, {}, 77), batch_layout::max_timestamp, 5));
  ASSERT_EQ(verdict.code, ErrorCode::none);
  const auto batch = RecordBatchView::parse(verdict.appended);
  ASSERT_TRUE(batch.has_value());
  EXPECT_TRUE(batch->crc_matches());
  EXPECT_EQ(batch->max_timestamp_ms(), 77);
}

// Whatever a producer sends: what passes can be read to its last record.
TEST(ProducedBatch, WhatPassesCanBeRead) {
  EXPECT_TRUE(rc::check("what passes can be read", [] {
    RecordBatchFields fields;
    fields.compression = static_cast<Compression>(*rc::gen::inRange(0, 5));
    Buffer batch = batch_of(*rc::gen::nonEmpty<std::vector<std::string>>(), fields);
    const auto changes = *rc::gen::inRange(0, 4);
    for (int i = 0; i < changes; ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(batch_layout::attributes, batch.size());
      batch[at] = *rc::gen::arbitrary<char>();
    }
    batch = with<std::int8_t>(batch, batch_layout::magic, 2);
    const Verdict verdict = check(batch);
    if (verdict.code != ErrorCode::none) return;
    const auto view = RecordBatchView::parse(verdict.appended);
    RC_ASSERT(view.has_value());
    RC_ASSERT(view->crc_matches());
    RecordReader reader(decompressed_size_max);
    RC_ASSERT(reader.start(*view).has_value());
    std::int32_t count = 0;
    for (auto record = reader.next();; record = reader.next()) {
      RC_ASSERT(record.has_value());
      if (*record == nullptr) break;
      RC_ASSERT((*record)->parse_headers().has_value());
      ++count;
    }
    RC_ASSERT(count == view->last_offset_delta() + 1);
  }));
}

}  // namespace
}  // namespace tripos::broker
