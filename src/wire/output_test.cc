#include "wire/output.h"

#include <gtest/gtest.h>

#include "wire/fetch.h"
#include "wire/framing.h"

namespace tripos::wire {
namespace {

class FakeFile final : public LeasedFile {
 public:
  explicit FakeFile(Buffer content) : content_(std::move(content)) {}
  int descriptor() const noexcept override { return -1; }
  const std::string& name() const noexcept override { return content_; }
  Result<> read(std::uint64_t position, std::size_t count, Buffer& to) const override {
    to.append(content_, position, count);
    return {};
  }

 private:
  Buffer content_;
};

FetchResponse response_with(RecordsPayload records) {
  FetchResponse response;
  response.responses.emplace_back().partitions.emplace_back().records = std::move(records);
  return response;
}

TEST(Output, SlicesStaySlicesAndTheFrameCountsThem) {
  const auto file = std::make_shared<FakeFile>("0123456789");
  RecordsPayload records;
  records.add(LogSlice{.file = file, .begin = 2, .end = 6});
  records.add(Buffer("own"));
  records.add(LogSlice{.file = file, .begin = 9, .end = 10});
  EXPECT_EQ(records.size_bytes(), 8U);
  const FetchResponse response = response_with(std::move(records));
  const Output out = encode_response_frame(response, 12, 1);
  const auto slices =
      std::count_if(out.parts().begin(), out.parts().end(), [](const auto& part) { return std::holds_alternative<LogSlice>(part); });
  EXPECT_EQ(slices, 2);

  const Buffer frame = out.flatten().value();
  EXPECT_EQ(load_be<std::int32_t>(frame.data()), static_cast<std::int32_t>(frame.size() - 4));
  EXPECT_EQ(frame.size(), out.size_bytes());
  const auto header = decode_response_frame(Bytes(frame).substr(4), ApiKey::fetch, 12);
  ASSERT_TRUE(header);
  const auto decoded = FetchResponse::decode(header->body, 12);
  ASSERT_TRUE(decoded) << decoded.error().text();
  EXPECT_EQ(decoded->responses[0].partitions[0].records.decoded_bytes(), "2345own9");
}

TEST(Output, TakenPartsLeaveAnEmptyChain) {
  Output out;
  out.append(Bytes("head"));
  out.append(LogSlice{.file = nullptr, .begin = 0, .end = 5});
  out.append(Bytes("tail"));
  EXPECT_EQ(out.size_bytes(), 13U);
  const auto parts = out.take_parts();
  EXPECT_EQ(parts.size(), 3U);
  EXPECT_EQ(out.size_bytes(), 0U);
  out.append(Bytes("again"));
  EXPECT_EQ(out.flatten().value(), "again");
}

TEST(RecordsPayload, NullAndEmptyAreDifferent) {
  for (const bool null : {false, true}) {
    const FetchResponse response = response_with(null ? RecordsPayload::null() : RecordsPayload());
    Output out;
    response.encode(out, 11);
    const Buffer bytes = out.flatten().value();
    const auto decoded = FetchResponse::decode(bytes, 11);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->responses[0].partitions[0].records.is_null(), null);
    EXPECT_EQ(decoded->responses[0].partitions[0].records.decoded_bytes(), "");
  }
}

}  // namespace
}  // namespace tripos::wire
