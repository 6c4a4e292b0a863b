#include <gtest/gtest.h>

#include "wire/metadata.h"

namespace tripos::wire {
namespace {

TEST(Wire, AMalformedMessageSaysWhereAndWhy) {
  Output out;
  MetadataRequest request;
  request.topics = std::vector<MetadataRequest::MetadataRequestTopic>(2);
  (*request.topics)[1].name = "exams";
  request.encode(out, 8);
  Buffer bytes = out.tail();
  bytes.resize(10);
  const auto decoded = MetadataRequest::decode(bytes, 8);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().text(), "byte 8, field topics[1].name: 5 bytes needed, 2 left");
}

}  // namespace
}  // namespace tripos::wire
