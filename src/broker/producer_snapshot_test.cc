#include "broker/producer_snapshot.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"

namespace tripos::broker {
namespace {

ProducedBatch batch(std::int64_t producer, std::int16_t epoch, std::int32_t first, std::int32_t last, bool transactional) {
  return {.producer_id = ProducerId(producer),
          .epoch = ProducerEpoch(epoch),
          .first_sequence = Sequence(first),
          .last_sequence = Sequence(last),
          .transactional = transactional};
}

struct Remembered {
  ProducerStates producers;
  AbortedTransactions aborted;
};

// Five batches of one producer, a transaction that is open, one that has ended, a producer of which only a marker is known.
Remembered remembered() {
  Remembered made;
  for (std::int32_t i = 0; i < 7; ++i)
    made.producers.record(batch(1, 0, i * 2, i * 2 + 1, false), Offset(i * 2), Offset(i * 2 + 1), 50 + i, 99);
  made.producers.record(batch(2, 3, 0, 4, true), Offset(14), Offset(18), 60, 100);
  made.producers.record(batch(3, 1, 0, 0, true), Offset(19), Offset(19), 61, 101);
  const auto marker = [](std::int64_t id, std::int16_t epoch) {
    return TransactionMarker{
        .producer_id = ProducerId(id), .producer_epoch = ProducerEpoch(epoch), .committed = false, .coordinator_epoch = 4};
  };
  const auto ended = made.producers.record_marker(marker(3, 2), Offset(20), 102);
  made.aborted.add(
      {.transaction = {.producer_id = ProducerId(3), .first = ended->first, .last = ended->marker}, .last_stable = ended->last_stable});
  (void)made.producers.record_marker(marker(4, 9), Offset(21), 103);
  return made;
}

TEST(ProducerSnapshot, IsReadAsItWasWritten) {
  const Remembered from = remembered();
  const Buffer bytes = encode_producer_snapshot(from.producers, from.aborted);
  const auto read = decode_producer_snapshot(bytes, "snapshot");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->producers.all(), from.producers.all());
  EXPECT_EQ(read->producers.first_unstable(), Offset(14));
  EXPECT_EQ(read->aborted.all(), from.aborted.all());
}

TEST(ProducerSnapshot, BeginsAsKafkasDoes) {
  ProducerStates producers;
  producers.record(batch(258, 3, 5, 9, true), Offset(1000), Offset(1004), 60, 77);
  const Buffer bytes = encode_producer_snapshot(producers, {});
  const Bytes entry = Bytes(bytes).substr(10);
  EXPECT_EQ(load_be<std::int16_t>(bytes.data()), 1);
  EXPECT_EQ(load_be<std::uint32_t>(bytes.data() + 2), crc32c(Bytes(bytes).substr(6)));
  EXPECT_EQ(load_be<std::int32_t>(bytes.data() + 6), 1);
  EXPECT_EQ(load_be<std::int64_t>(entry.data()), 258);        // producer id
  EXPECT_EQ(load_be<std::int16_t>(entry.data() + 8), 3);      // epoch
  EXPECT_EQ(load_be<std::int32_t>(entry.data() + 10), 9);     // last sequence
  EXPECT_EQ(load_be<std::int64_t>(entry.data() + 14), 1004);  // last offset
  EXPECT_EQ(load_be<std::int32_t>(entry.data() + 22), 4);     // offset delta
  EXPECT_EQ(load_be<std::int64_t>(entry.data() + 26), 77);    // timestamp
  EXPECT_EQ(load_be<std::int32_t>(entry.data() + 34), -1);    // coordinator epoch
  EXPECT_EQ(load_be<std::int64_t>(entry.data() + 38), 1000);  // first offset of the open transaction
}

TEST(ProducerSnapshot, AnythingElseIsRefused) {
  const Remembered from = remembered();
  const Buffer whole = encode_producer_snapshot(from.producers, from.aborted);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_FALSE(decode_producer_snapshot(Bytes(whole).substr(0, i), "").has_value()) << i;
    Buffer changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x40);
    EXPECT_FALSE(decode_producer_snapshot(changed, "").has_value()) << i;
    // With a checksum that fits, it is read or refused, but believed in no size.
    store_be(changed.data() + 2, crc32c(Bytes(changed).substr(6)));
    (void)decode_producer_snapshot(changed, "");
  }
}

TEST(AbortedTransactions, AreFoundByTheRangeThatTheyReachInto) {
  AbortedTransactions aborted;
  const auto add = [&aborted](std::int64_t producer, std::int64_t first, std::int64_t last, std::int64_t stable) {
    aborted.add({.transaction = {.producer_id = ProducerId(producer), .first = Offset(first), .last = Offset(last)},
                 .last_stable = Offset(stable)});
  };
  add(1, 10, 20, 5);  // while a transaction from offset 5 on is open
  add(2, 5, 30, 31);
  add(3, 40, 50, 51);
  const auto producers = [&aborted](std::int64_t from, std::int64_t end) {
    std::vector<std::int64_t> found;
    for (const auto& each : aborted.overlapping(Offset(from), Offset(end))) found.push_back(each.producer_id.value());
    return found;
  };
  using Found = std::vector<std::int64_t>;
  EXPECT_EQ(producers(0, 5), Found{});
  EXPECT_EQ(producers(0, 6), Found{2});
  EXPECT_EQ(producers(0, 100), (Found{2, 1, 3}));  // by their first offsets
  EXPECT_EQ(producers(20, 21), (Found{2, 1}));
  EXPECT_EQ(producers(21, 40), Found{2});
  EXPECT_EQ(producers(31, 41), Found{3});
  EXPECT_EQ(producers(51, 100), Found{});
  aborted.drop_below(Offset(30));
  EXPECT_EQ(producers(0, 100), (Found{2, 3}));
}

TEST(AbortedTransactions, TheIndexOfASegmentHoldsTheMarkersInIt) {
  AbortedTransactions aborted;
  aborted.add({.transaction = {.producer_id = ProducerId(1), .first = Offset(1), .last = Offset(9)}, .last_stable = Offset(10)});
  aborted.add({.transaction = {.producer_id = ProducerId(2), .first = Offset(3), .last = Offset(10)}, .last_stable = Offset(11)});
  EXPECT_EQ(aborted.index_of(Offset(0), Offset(9)), "");
  const Buffer index = aborted.index_of(Offset(5), Offset(10));
  ASSERT_EQ(index.size(), 34U);
  EXPECT_EQ(load_be<std::int16_t>(index.data()), 0);
  EXPECT_EQ(load_be<std::int64_t>(index.data() + 2), 1);
  EXPECT_EQ(load_be<std::int64_t>(index.data() + 10), 1);
  EXPECT_EQ(load_be<std::int64_t>(index.data() + 18), 9);
  EXPECT_EQ(load_be<std::int64_t>(index.data() + 26), 10);
}

}  // namespace
}  // namespace tripos::broker
