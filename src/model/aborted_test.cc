#include "model/aborted.h"

#include <gtest/gtest.h>

namespace tripos {
namespace {

bool is_aborted(const AbortedBatches& aborted, std::int64_t producer, std::int64_t offset, bool transactional = true) {
  RecordBatchBuilder builder;
  builder.add(WallTime(), std::nullopt, Bytes("v"));
  RecordBatchFields fields;
  fields.base_offset = Offset(offset);
  fields.producer_id = ProducerId(producer);
  fields.transactional = transactional;
  const Buffer bytes = builder.finish(fields);
  return aborted.contains(*RecordBatchView::parse(bytes));
}

TEST(AbortedBatches, AreThoseOfTheProducerBetweenFirstOffsetAndMarker) {
  const std::vector<AbortedTransaction> transactions = {
      {ProducerId(1), Offset(10), Offset(20)}, {ProducerId(2), Offset(15), Offset(16)}, {ProducerId(1), Offset(30), Offset(40)}};
  const AbortedBatches aborted(transactions);
  for (const auto& [offset, expected] : std::vector<std::pair<int, bool>>{
           {9, false}, {10, true}, {19, true}, {20, true}, {21, false}, {29, false}, {30, true}, {39, true}, {41, false}}) {
    EXPECT_EQ(is_aborted(aborted, 1, offset), expected) << offset;
    EXPECT_FALSE(is_aborted(aborted, 1, offset, false)) << offset;
    EXPECT_FALSE(is_aborted(aborted, 3, offset)) << offset;
  }
  EXPECT_TRUE(is_aborted(aborted, 2, 15));
  EXPECT_FALSE(is_aborted(aborted, 2, 14));
  EXPECT_FALSE(is_aborted(AbortedBatches(), 1, 10));
}

}  // namespace
}  // namespace tripos
