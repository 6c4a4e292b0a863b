#include "model/batch_order.h"

#include <gtest/gtest.h>

namespace tripos {
namespace {

TEST(BatchOrder, TakesOffsetsThatRiseAndHaveGaps) {
  BatchOrder order(Offset(5), Offset(20));
  EXPECT_TRUE(order.take(0, Offset(5), Offset(7)).has_value());
  EXPECT_TRUE(order.take(70, Offset(7), Offset(8)).has_value());
  EXPECT_TRUE(order.take(140, Offset(12), Offset(20)).has_value());
}

TEST(BatchOrder, RefusesWhatLiesBelowTheFirstOffset) {
  BatchOrder order(Offset(5), Offset(20));
  EXPECT_EQ(order.take(0, Offset(4), Offset(6)).error().code, ErrorCode::corrupt);
}

TEST(BatchOrder, RefusesOffsetsThatGoBackAndNamesTheByte) {
  BatchOrder order(Offset(0), Offset(20));
  ASSERT_TRUE(order.take(0, Offset(0), Offset(10)).has_value());
  const auto refused = order.take(70, Offset(9), Offset(11));
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("byte 70"), std::string::npos) << refused.error().message;
}

TEST(BatchOrder, RefusesOffsetsBehindTheEnd) {
  BatchOrder order(Offset(0), Offset(20));
  EXPECT_TRUE(order.take(0, Offset(0), Offset(20)).has_value());
  BatchOrder other(Offset(0), Offset(20));
  EXPECT_EQ(other.take(0, Offset(19), Offset(21)).error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace tripos
