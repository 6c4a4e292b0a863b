#include "wire/reader.h"

#include <gtest/gtest.h>

#include "wire/api_versions.h"
#include "wire/create_topics.h"
#include "wire/fetch.h"
#include "wire/join_group.h"
#include "wire/metadata.h"
#include "wire/writer.h"

namespace tripos::wire {
namespace {

template <typename Message>
Buffer encoded(const Message& message, std::int16_t version) {
  Output out;
  message.encode(out, version);
  return out.flatten().value();
}

template <typename Message>
std::string reason(Bytes bytes, std::int16_t version) {
  const auto decoded = Message::decode(bytes, version);
  return decoded ? "decoded" : decoded.error().text();
}

TEST(Malformed, SaysWhereInWhichFieldAndWhy) {
  MetadataRequest request;
  request.topics.emplace(2);
  request.topics->at(1).name = "exams";
  const Buffer bytes = encoded(request, 8);
  EXPECT_EQ(reason<MetadataRequest>(Bytes(bytes).substr(0, 10), 8), "byte 8, field topics[1].name: 5 bytes needed, 2 left");
  EXPECT_EQ(reason<MetadataRequest>(bytes, 14), "byte 0, field (whole): version 14 is outside of 0 to 13");
}

TEST(Malformed, NamesTheWholePathOfANestedField) {
  CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.assignments.emplace_back().broker_ids = {1, 2, 3};
  Buffer bytes = encoded(request, 2);
  // topics 4, name 2, partitions 4, replication 2, assignments 4, partition 4, then the count of broker ids
  store_be(bytes.data() + 20, std::int32_t{100});
  EXPECT_EQ(
      reason<CreateTopicsRequest>(bytes, 2),
      "byte 24, field topics[0].assignments[0].broker_ids: 100 elements of at least 4 bytes do not fit into the 21 bytes that are left");
}

TEST(Reader, NullWhereAVersionHasNoneIsMalformed) {
  Buffer bytes;
  append_be(bytes, std::int32_t{-1});
  EXPECT_EQ(reason<MetadataRequest>(bytes, 0), "byte 0, field topics: null, which this version does not allow");
  EXPECT_EQ(reason<MetadataRequest>(bytes, 1), "decoded");
}

TEST(Reader, LengthsBelowNullAreMalformed) {
  Buffer bytes;
  append_be(bytes, std::int32_t{-2});
  EXPECT_EQ(reason<MetadataRequest>(bytes, 1), "byte 0, field topics: impossible length -2");
}

TEST(Reader, UnknownTaggedFieldsAreSkipped) {
  ApiVersionsRequest request;
  request.client_software_name = "kcat";
  Buffer bytes = encoded(request, 3);
  bytes.back() = 1;
  bytes.append("\x05\x03xyz", 5);
  const auto decoded = ApiVersionsRequest::decode(bytes, 3);
  ASSERT_TRUE(decoded) << decoded.error().text();
  EXPECT_EQ(*decoded, request);
}

TEST(Reader, TaggedFieldsKeepTheirOrderAndTheirSize) {
  const Buffer plain = encoded(ApiVersionsRequest(), 3);
  const auto with_tags = [&](Bytes tags) { return plain.substr(0, plain.size() - 1).append(tags); };
  EXPECT_EQ(reason<ApiVersionsRequest>(with_tags(Bytes("\x02\x01\x00\x02\x00", 5)), 3), "decoded");
  EXPECT_NE(reason<ApiVersionsRequest>(with_tags(Bytes("\x02\x02\x00\x01\x00", 5)), 3).find("tag 1 after tag 2"), std::string::npos);
  EXPECT_NE(reason<ApiVersionsRequest>(with_tags(Bytes("\x02\x01\x00\x01\x00", 5)), 3).find("tag 1 after tag 1"), std::string::npos);
  EXPECT_NE(reason<ApiVersionsRequest>(with_tags(Bytes("\x01\x01\x09x", 4)), 3).find("9 bytes needed, 1 left"), std::string::npos);

  FetchRequest fetch;
  fetch.cluster_id = "c";
  Buffer bytes = encoded(fetch, 12);
  ASSERT_EQ(bytes.substr(bytes.size() - 5), Buffer("\x01\x00\x02\x02\x63", 5));  // one field, tag 0, two bytes: "c"
  bytes[bytes.size() - 3] = 3;
  bytes.push_back('x');
  EXPECT_NE(reason<FetchRequest>(bytes, 12).find("tag 0 has 1 bytes too many"), std::string::npos) << reason<FetchRequest>(bytes, 12);
  bytes[bytes.size() - 4] = 1;  // a string that does not fit into its tagged field, though it fits into the message
  EXPECT_NE(reason<FetchRequest>(bytes, 12).find("field cluster_id: 1 bytes needed, 0 left"), std::string::npos)
      << reason<FetchRequest>(bytes, 12);
}

TEST(Reader, BytesBehindAMessageAreLeftAlone) {
  // As Kafka's own broker does: what clients append by mistake has never been refused.
  EXPECT_EQ(reason<MetadataRequest>(encoded(MetadataRequest(), 4) + "more", 4), "decoded");
}

TEST(Reader, AStringIsNeverLongerThanItCanBeWrittenAgain) {
  ApiVersionsRequest request;
  request.client_software_name.assign(string_bytes_max, 'x');
  Buffer bytes = encoded(request, 3);
  EXPECT_EQ(reason<ApiVersionsRequest>(bytes, 3), "decoded");
  bytes.replace(0, 3, Bytes("\x81\x80\x02", 3));  // 32768, plus one
  bytes.insert(3, "x");
  EXPECT_EQ(reason<ApiVersionsRequest>(bytes, 3), "byte 3, field client_software_name: a string of 32768 bytes; at most 32767 are allowed");
}

TEST(Writer, TheTextOfAnErrorIsCutNotFatal) {
  for (const auto version : {std::int16_t{4}, std::int16_t{5}}) {
    CreateTopicsResponse response;
    std::string text(string_bytes_max - 1, 'x');
    response.topics.emplace_back().error_message = text + "ä";  // its second byte would not fit
    const Buffer bytes = encoded(response, version);
    EXPECT_EQ(CreateTopicsResponse::decode(bytes, version)->topics[0].error_message, text);
  }
}

TEST(Writer, NullWhereAVersionHasNoneIsWrittenEmpty) {
  JoinGroupResponse response;
  response.protocol_name.reset();
  EXPECT_EQ(JoinGroupResponse::decode(encoded(response, 6), 6)->protocol_name, "");
  EXPECT_EQ(JoinGroupResponse::decode(encoded(response, 7), 7)->protocol_name, std::nullopt);
}

TEST(Writer, TaggedFieldsAtTheirDefaultAreNotWritten) {
  FetchRequest request;
  const std::size_t plain = encoded(request, 15).size();
  request.replica_state.replica_id = -1;
  EXPECT_EQ(encoded(request, 15).size(), plain);
  request.replica_state.replica_id = 1;
  EXPECT_GT(encoded(request, 15).size(), plain);
  EXPECT_EQ(FetchRequest::decode(encoded(request, 15), 15)->replica_state.replica_id, 1);
}

}  // namespace
}  // namespace tripos::wire
