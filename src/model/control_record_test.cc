#include "model/control_record.h"

#include <gtest/gtest.h>

namespace tripos {
namespace {

constexpr WallTime noon{std::chrono::milliseconds(1'517'141'411'000)};

TEST(TransactionMarker, IsReadAsItWasBuilt) {
  for (const bool committed : {false, true}) {
    const TransactionMarker marker{
        .producer_id = ProducerId(4711), .producer_epoch = ProducerEpoch(3), .committed = committed, .coordinator_epoch = 7};
    const Buffer bytes = build_marker_batch(marker, noon);
    const auto batch = RecordBatchView::parse(bytes);
    ASSERT_TRUE(batch.has_value());
    EXPECT_EQ(bytes.size(), 78U);  // as Kafka's
    EXPECT_TRUE(batch->crc_matches());
    EXPECT_TRUE(batch->is_control());
    EXPECT_TRUE(batch->is_transactional());
    EXPECT_EQ(batch->base_sequence(), no_sequence);
    EXPECT_EQ(read_marker_batch(*batch).value(), marker);
  }
}

TEST(TransactionMarker, OtherBatchesAreRefused) {
  RecordBatchBuilder builder;
  const auto refused = [&builder](std::optional<Bytes> key, std::optional<Bytes> value, bool control) {
    builder.add(noon, key, value);
    RecordBatchFields fields;
    fields.control = control;
    const Buffer bytes = builder.finish(fields);
    const auto marker = read_marker_batch(*RecordBatchView::parse(bytes));
    return !marker && marker.error().code == ErrorCode::malformed;
  };
  const Bytes commit("\0\0\0\1", 4);
  const Bytes value("\0\0\0\0\0\0", 6);
  EXPECT_TRUE(refused(commit, value, false));
  EXPECT_TRUE(refused(Bytes("\0\0\0\2", 4), value, true));  // a leader change, which nobody writes here
  EXPECT_TRUE(refused(commit.substr(0, 3), value, true));
  EXPECT_TRUE(refused(commit, value.substr(0, 5), true));
  EXPECT_TRUE(refused(std::nullopt, value, true));
  EXPECT_FALSE(refused(commit, value, true));
}

}  // namespace
}  // namespace tripos
