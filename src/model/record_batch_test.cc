#include "model/record_batch.h"

#include <gtest/gtest.h>

#include <random>

#include "model/compression.h"

namespace tripos {
namespace {

constexpr std::size_t size_max = 1 << 20;
constexpr Compression all_codecs[] = {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd};

WallTime at_ms(std::int64_t ms) { return WallTime(WallClock::duration(ms)); }

Buffer three_records(Compression codec) {
  RecordBatchBuilder builder;
  builder.add(at_ms(1000), "key", "value one");
  builder.add(at_ms(990), std::nullopt, std::nullopt, {{"trace", Bytes("abc")}, {"empty", std::nullopt}});
  builder.add(at_ms(1010), "", Buffer(5000, 'x'));
  RecordBatchFields fields;
  fields.base_offset = Offset(40);
  fields.compression = codec;
  return builder.finish(fields);
}

class EachCodec : public testing::TestWithParam<Compression> {};
INSTANTIATE_TEST_SUITE_P(Codecs, EachCodec, testing::ValuesIn(all_codecs),
                         [](const auto& codec) { return std::string(to_string(codec.param)); });

TEST_P(EachCodec, RecordsReadBackAsAdded) {
  const Buffer bytes = three_records(GetParam());
  const auto batch = RecordBatchView::parse(bytes);
  ASSERT_TRUE(batch.has_value()) << batch.error().message;
  EXPECT_TRUE(batch->crc_matches());
  EXPECT_EQ(batch->compression(), GetParam());
  EXPECT_EQ(batch->base_offset(), Offset(40));
  EXPECT_EQ(batch->next_offset(), Offset(43));
  EXPECT_EQ(batch->max_timestamp_ms(), 1010);

  RecordReader reader(size_max);
  ASSERT_TRUE(reader.start(*batch).has_value());
  const Record* record = reader.next().value();
  EXPECT_EQ(record->offset, Offset(40));
  EXPECT_EQ(record->timestamp_ms, 1000);
  EXPECT_EQ(record->key, "key");
  EXPECT_EQ(record->value, "value one");
  record = reader.next().value();
  EXPECT_EQ(record->timestamp_ms, 990);
  EXPECT_FALSE(record->key.has_value());
  EXPECT_FALSE(record->value.has_value());
  const auto headers = record->parse_headers().value();
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers[0].key, "trace");
  EXPECT_EQ(headers[0].value, "abc");
  EXPECT_FALSE(headers[1].value.has_value());
  record = reader.next().value();
  EXPECT_EQ(record->key, "");
  EXPECT_EQ(record->value->size(), 5000U);
  EXPECT_EQ(reader.next().value(), nullptr);
}

TEST_P(EachCodec, EveryTruncationIsRefused) {
  Buffer compressed;
  Buffer out;
  Buffer text;
  for (int i = 0; i < 2000; ++i) text += fmt::format("line {}\n", i * i);
  compress(GetParam(), text, compressed);
  ASSERT_TRUE(decompress(GetParam(), compressed, size_max, out).has_value());
  EXPECT_EQ(out, text);
  if (GetParam() == Compression::none) return;  // has no end of its own
  for (std::size_t cut = 1; cut < compressed.size(); cut += 1 + cut / 50) {
    const auto result = decompress(GetParam(), Bytes(compressed).substr(0, cut), size_max, out);
    EXPECT_FALSE(result.has_value() && out == text) << cut;
    if (GetParam() != Compression::snappy) {  // its framing has no end mark: cut between blocks it is a shorter stream
      EXPECT_FALSE(result.has_value()) << cut;
    }
  }
}

TEST_P(EachCodec, ABombEndsAtTheLimit) {
  Buffer compressed;
  Buffer out;
  compress(GetParam(), Buffer(10 * size_max, '\0'), compressed);
  const auto result = decompress(GetParam(), compressed, size_max, out);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::too_large);
  EXPECT_LE(out.capacity(), 4 * size_max);
}

TEST_P(EachCodec, ExactlyTheLimitIsAllowed) {
  Buffer compressed;
  Buffer out;
  compress(GetParam(), Buffer(size_max, 'a'), compressed);
  EXPECT_TRUE(decompress(GetParam(), compressed, size_max, out).has_value());
  EXPECT_EQ(out.size(), size_max);
  EXPECT_FALSE(decompress(GetParam(), compressed, size_max - 1, out).has_value());
}

TEST(Snappy, PlainBlocksAreReadToo) {  // librdkafka writes them
  const Bytes plain("\x05\x10hello", 7);
  Buffer out;
  ASSERT_TRUE(decompress(Compression::snappy, plain, size_max, out).has_value());
  EXPECT_EQ(out, "hello");
}

TEST(RecordBatch, AnyChangedByteIsSeen) {
  const Buffer bytes = three_records(Compression::none);
  for (std::size_t i = 0; i < 200; ++i) {
    if (i < batch_layout::length || (i >= batch_layout::leader_epoch && i < batch_layout::magic))
      continue;  // outside of the CRC: the broker writes them
    Buffer changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    const auto batch = RecordBatchView::parse(changed);
    EXPECT_FALSE(batch.has_value() && batch->bytes().size() == bytes.size() && batch->crc_matches()) << "byte " << i;
  }
}

TEST(RecordBatch, OffsetAndEpochLieOutsideOfTheCrc) {
  Buffer bytes = three_records(Compression::lz4);
  set_base_offset(bytes.data(), Offset(123456789));
  set_leader_epoch(bytes.data(), LeaderEpoch(7));
  const auto batch = RecordBatchView::parse(bytes);
  ASSERT_TRUE(batch.has_value());
  EXPECT_TRUE(batch->crc_matches());
  EXPECT_EQ(batch->base_offset(), Offset(123456789));
  EXPECT_EQ(batch->leader_epoch(), LeaderEpoch(7));
}

TEST(RecordBatch, LogAppendTimeReplacesEveryTimestamp) {
  Buffer bytes = three_records(Compression::zstd);
  set_log_append_time(bytes.data(), bytes.size(), at_ms(777));
  const auto batch = RecordBatchView::parse(bytes);
  ASSERT_TRUE(batch.has_value() && batch->crc_matches());
  EXPECT_EQ(batch->timestamp_type(), TimestampType::log_append_time);
  RecordReader reader(size_max);
  ASSERT_TRUE(reader.start(*batch).has_value());
  while (const Record* record = reader.next().value()) EXPECT_EQ(record->timestamp_ms, 777);
}

TEST(RecordBatch, NoBytesMakeTheReaderReadAstray) {
  std::mt19937 random(11);
  const Buffer bytes = three_records(Compression::none);
  for (int round = 0; round < 20'000; ++round) {
    Buffer changed = bytes;
    for (std::uint32_t n = random() % 4 + 1; n > 0; --n) changed[random() % 130] = static_cast<char>(random());
    changed.resize(random() % 3 == 0 ? random() % changed.size() : changed.size());
    const auto batch = RecordBatchView::parse(changed);
    if (!batch) continue;
    RecordReader reader(size_max);
    if (!reader.start(*batch)) continue;
    for (;;) {
      const auto record = reader.next();
      if (!record || *record == nullptr) break;
      (void)(*record)->parse_headers();
    }
  }
}

TEST(RecordBatch, CountAndOffsetsMustAgree) {
  Buffer bytes = three_records(Compression::none);
  store_be(bytes.data() + batch_layout::record_count, std::int32_t{4});
  EXPECT_FALSE(RecordBatchView::parse(bytes).has_value()) << "four records in three offsets";
  store_be(bytes.data() + batch_layout::record_count, std::int32_t{2});
  const auto batch = RecordBatchView::parse(bytes);
  ASSERT_TRUE(batch.has_value()) << "a compacted batch has fewer records than offsets";
  RecordReader reader(size_max);
  ASSERT_TRUE(reader.start(*batch).has_value());
  EXPECT_TRUE(reader.next().has_value());
  EXPECT_TRUE(reader.next().has_value());
  EXPECT_FALSE(reader.next().has_value()) << "a third record stands behind the second, the last";
}

}  // namespace
}  // namespace tripos
