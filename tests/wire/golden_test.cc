// What Kafka's own client wrote, our codec reads and writes again byte by byte: every message in every version.
// The file is what GOLDEN_FILE of the environment names, or the one that is kept beside this test.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "golden_file.h"
#include "wire/framing.h"

namespace tripos::wire {
namespace {

const std::vector<GoldenLine>& golden_lines() {
  static const std::vector<GoldenLine> lines = [] {
    const char* path = std::getenv("GOLDEN_FILE");
    return read_golden_file(path != nullptr ? path : TRIPOS_GOLDEN_FILE);
  }();
  return lines;
}

// A freshly written file is there only where Java and Kafka's jars are.
class Golden : public testing::Test {
 protected:
  void SetUp() override {
    if (golden_lines().empty() && std::getenv("GOLDEN_FILE") != nullptr)
      GTEST_SKIP() << "no fresh golden file: see tests/wire/make_golden.sh";
    ASSERT_FALSE(golden_lines().empty());
  }
};

TEST_F(Golden, EveryMessageComesBackByteByByte) {
  for (const GoldenLine& golden : golden_lines()) {
    if (golden.kind != "message") continue;
    const MessageRow* row = find_row(golden.name);
    ASSERT_NE(row, nullptr) << golden.name;
    const auto out = row->transcode(golden.bytes, golden.version);
    ASSERT_TRUE(out) << golden.name << " version " << golden.version << ": " << out.error().text();
    ASSERT_EQ(out->flatten().value(), golden.bytes) << golden.name << " version " << golden.version;
  }
}

TEST_F(Golden, EveryVersionOfEveryMessageIsThere) {
  std::map<std::string, std::set<std::int16_t>> versions;
  for (const GoldenLine& golden : golden_lines()) {
    if (golden.kind == "message") versions[golden.name].insert(golden.version);
  }
  for (const MessageRow& row : message_table()) {
    EXPECT_EQ(static_cast<int>(versions[std::string(row.name)].size()), row.version_max - row.version_min + 1)
        << row.name << ": tests/wire/make_golden.sh writes the file anew";
  }
}

TEST_F(Golden, HeadersComeBackByteByByte) {
  std::size_t count = 0;
  for (const GoldenLine& golden : golden_lines()) {
    if (golden.kind != "header") continue;
    ++count;
    SCOPED_TRACE(golden.name + " version " + std::to_string(golden.version));
    const MessageRow* row = find_row(golden.name);
    ASSERT_NE(row, nullptr);
    const std::int32_t correlation_id = static_cast<std::int32_t>(row->api_key) * 1000 + golden.version;
    const Buffer frame = golden.bytes + "body";
    Output out;
    if (row->kind == MessageKind::request) {
      const auto request = decode_request_frame(frame);
      ASSERT_TRUE(request) << request.error().text();
      EXPECT_EQ(request->header.api_key, row->api_key);
      EXPECT_EQ(request->header.api_version, golden.version);
      EXPECT_EQ(request->header.correlation_id, correlation_id);
      EXPECT_EQ(request->header.client_id.value_or("(none)"), golden.version % 2 == 0 ? "golden" : "(none)");
      EXPECT_EQ(request->body, "body");
      begin_request(out, request->header);
    } else {
      const auto response = decode_response_frame(frame, row->api_key, golden.version);
      ASSERT_TRUE(response) << response.error().text();
      EXPECT_EQ(response->correlation_id, correlation_id);
      EXPECT_EQ(response->body, "body");
      begin_response(out, row->api_key, golden.version, correlation_id);
    }
    EXPECT_EQ(out.flatten().value().substr(4), golden.bytes);  // behind the frame's size
  }
  EXPECT_GT(count, 0U);
}

}  // namespace
}  // namespace tripos::wire
