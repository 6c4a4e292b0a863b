#include "wire/framing.h"

#include <gtest/gtest.h>

#include <random>

#include "wire/api_versions.h"
#include "wire/metadata.h"

namespace tripos::wire {
namespace {

Buffer framed(Bytes body) {
  Buffer frame;
  append_be(frame, static_cast<std::int32_t>(body.size()));
  return frame.append(body);
}

// All frames that come out of `slice`; nothing more after malformed.
std::vector<Buffer> frames_of(FrameDecoder& decoder, Bytes slice, bool* malformed = nullptr) {
  std::vector<Buffer> frames;
  while (true) {
    const auto step = decoder.next(slice);
    if (const Bytes* frame = std::get_if<Bytes>(&step)) {
      frames.emplace_back(*frame);
      continue;
    }
    if (malformed != nullptr) *malformed = std::holds_alternative<Malformed>(step);
    return frames;
  }
}

TEST(FrameDecoder, SlicesOfEverySizeGiveTheSameFrames) {
  const std::vector<Buffer> bodies = {"a", "", std::string(1000, 'b'), "cd", std::string(70, 'e'), ""};
  Buffer stream;
  for (const auto& body : bodies) stream += framed(body);
  for (std::size_t slice_size = 1; slice_size <= stream.size(); ++slice_size) {
    FrameDecoder decoder(1000);
    std::vector<Buffer> frames;
    for (std::size_t at = 0; at < stream.size(); at += slice_size) {
      const Buffer slice = stream.substr(at, slice_size);  // its bytes are gone when the next one comes
      for (auto& frame : frames_of(decoder, slice)) frames.push_back(std::move(frame));
    }
    ASSERT_EQ(frames, bodies) << "slices of " << slice_size;
    EXPECT_EQ(decoder.buffered_bytes(), 0U);
  }
}

TEST(FrameDecoder, RandomSlicesGiveTheSameFrames) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<Buffer> bodies(20);
    Buffer stream;
    for (auto& body : bodies) {
      body.assign(random() % 300, static_cast<char>(random()));
      stream += framed(body);
    }
    FrameDecoder decoder(300);
    std::vector<Buffer> frames;
    for (std::size_t at = 0; at < stream.size();) {
      const Buffer slice = stream.substr(at, random() % 400);
      at += slice.size();
      for (auto& frame : frames_of(decoder, slice)) frames.push_back(std::move(frame));
    }
    ASSERT_EQ(frames, bodies) << "seed " << seed;
  }
}

TEST(FrameDecoder, AFrameThatLiesInASliceIsNotCopied) {
  FrameDecoder decoder(100);
  const Buffer stream = framed("whole") + framed("cut").substr(0, 5);
  Bytes slice = stream;
  const auto step = decoder.next(slice);
  ASSERT_TRUE(std::holds_alternative<Bytes>(step));
  EXPECT_EQ(std::get<Bytes>(step).data(), stream.data() + 4);
  EXPECT_TRUE(std::holds_alternative<FrameDecoder::NeedMore>(decoder.next(slice)));
  EXPECT_TRUE(slice.empty());
  EXPECT_EQ(decoder.buffered_bytes(), 5U);
}

TEST(FrameDecoder, FramesAboveTheLimitAndNegativeOnesAreMalformed) {
  const char* const sizes[] = {"\x00\x00\x00\x65", "\x7f\xff\xff\xff", "\x80\x00\x00\x00", "\xff\xff\xff\xff", "GET "};
  for (const char* size : sizes) {
    FrameDecoder decoder(100);
    bool malformed = false;
    EXPECT_TRUE(frames_of(decoder, Bytes(size, 4), &malformed).empty());
    EXPECT_TRUE(malformed);
  }
  FrameDecoder decoder(100);
  EXPECT_EQ(frames_of(decoder, framed(std::string(100, 'x'))).size(), 1U);
}

TEST(RequestFrame, OfAnUnknownVersionOrKeyIsStillReadable) {
  Output out;
  begin_request(out, {.api_key = ApiKey::api_versions, .api_version = 99, .correlation_id = 7, .client_id = "new"});
  const auto newer = decode_request_frame(Bytes(out.tail()).substr(4));
  ASSERT_TRUE(newer);
  EXPECT_EQ(newer->header.correlation_id, 7);
  EXPECT_EQ(newer->header.client_id, "new");
  Output unknown;
  begin_request(unknown, {.api_key = ApiKey{12345}, .api_version = 0, .correlation_id = 8, .client_id = std::nullopt});
  const auto other = decode_request_frame(Bytes(unknown.tail()).substr(4));
  ASSERT_TRUE(other);
  EXPECT_EQ(other->header.api_key, ApiKey{12345});
}

TEST(RequestFrame, UnknownTaggedFieldsOfAHeaderAreSkipped) {
  Output out;
  begin_request(out, {.api_key = ApiKey::metadata, .api_version = 12, .correlation_id = 1, .client_id = "c"});
  Buffer frame = out.tail().substr(4);
  frame.back() = 2;                      // two tagged fields,
  frame.append("\x00\x01x\x09\x00", 5);  // tag 0 of one byte, tag 9 of none
  frame += "body";
  const auto request = decode_request_frame(frame);
  ASSERT_TRUE(request) << request.error().text();
  EXPECT_EQ(request->body, "body");
}

TEST(ResponseFrame, OfApiVersionsHasNoTaggedFieldsInItsHeader) {
  const Buffer frame = encode_response_frame(ApiVersionsResponse(), 3, 1).flatten().value();
  EXPECT_EQ(frame.substr(0, 8), Buffer("\x00\x00\x00\x0c\x00\x00\x00\x01", 8));
  EXPECT_TRUE(response_header_is_flexible(ApiKey::metadata, 9));
  EXPECT_FALSE(response_header_is_flexible(ApiKey::metadata, 8));
  for (std::int16_t version = 0; version <= 4; ++version) EXPECT_FALSE(response_header_is_flexible(ApiKey::api_versions, version));
}

TEST(Frame, RequestAndResponseComeThroughWhole) {
  MetadataRequest request;
  request.topics.emplace().emplace_back().name = "exams";
  const Buffer sent = encode_request_frame(request, 12, 5, "tripos").flatten().value();
  FrameDecoder decoder(1000);
  const auto frames = frames_of(decoder, sent);
  ASSERT_EQ(frames.size(), 1U);
  const auto frame = decode_request_frame(frames[0]);
  ASSERT_TRUE(frame);
  const auto decoded = MetadataRequest::decode(frame->body, frame->header.api_version);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, request);
}

}  // namespace
}  // namespace tripos::wire
