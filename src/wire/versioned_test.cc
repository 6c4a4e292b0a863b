#include "wire/versioned.h"

#include <gtest/gtest.h>

#include "wire/consumer_protocol.h"
#include "wire/group_records.h"

namespace tripos::wire {
namespace {

TEST(Versioned, TheVersionStandsInFront) {
  OffsetCommitKey key;
  key.group = "g";
  key.topic = "t";
  key.partition = 3;
  const Buffer bytes = encode_versioned(key, 1);
  EXPECT_EQ(bytes, Buffer("\x00\x01\x00\x01g\x00\x01t\x00\x00\x00\x03", 12));
  EXPECT_EQ(decode_version(bytes), 1);
  EXPECT_EQ(*decode_versioned<OffsetCommitKey>(bytes), key);
}

TEST(Versioned, AKeyOfAGroupIsNotOneOfAnOffset) {
  GroupMetadataKey key;
  key.group = "g";
  const Buffer bytes = encode_versioned(key, 2);
  EXPECT_EQ(*decode_versioned<GroupMetadataKey>(bytes), key);
  EXPECT_FALSE(decode_versioned<OffsetCommitKey>(bytes));
}

TEST(Versioned, ANewerSubscriptionIsReadAsOurNewest) {
  ConsumerProtocolSubscription subscription;
  subscription.topics = {"exams"};
  Buffer bytes = encode_versioned(subscription, 3);
  store_be(bytes.data(), std::int16_t{9});
  bytes += "fields of the future";
  EXPECT_FALSE(decode_versioned<ConsumerProtocolSubscription>(bytes));
  const auto decoded = decode_versioned<ConsumerProtocolSubscription>(bytes, NewerVersion::read_as_our_newest);
  ASSERT_TRUE(decoded) << decoded.error().text();
  EXPECT_EQ(*decoded, subscription);
}

TEST(Versioned, PositionsOfErrorsCountTheVersion) {
  EXPECT_EQ(decode_versioned<OffsetCommitKey>(Bytes("\x00\x01\x00", 3)).error().byte, 2U);
  EXPECT_EQ(decode_versioned<OffsetCommitKey>(Bytes("\x00", 1)).error().field, "version");
}

}  // namespace
}  // namespace tripos::wire
