// Frames and headers: what stands around every message on a Kafka connection (protocol guide, "Protocol Primitives").
//
//   frame    int32 size, then `size` bytes
//   request  int16 api key, int16 api version, int32 correlation id, nullable string client id, [tagged fields], body
//   response int32 correlation id, [tagged fields], body
//
// Tagged fields stand in the header where the message's version is flexible, except in ApiVersions responses: a client that
// does not yet know what the broker speaks must be able to read them.
// Ownership: views into what was fed. Threads: none; each connection has its own decoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "wire/api_key.h"
#include "wire/output.h"
#include "wire/types.h"

namespace tripos::wire {

// Cuts a stream of bytes into frames. Usage, with each slice that a socket gave:
//   while (true) {
//     auto step = decoder.next(slice);  // moves `slice` past what was taken
//     if (const Bytes* frame = std::get_if<Bytes>(&step)) { handle(*frame); continue; }
//     if (std::holds_alternative<Malformed>(step)) close the connection;  // where the next frame starts is unknown
//     break;                            // NeedMore: the slice is used up
//   }
class FrameDecoder {
 public:
  struct NeedMore {};
  // Bytes: one whole frame without its size, valid until the next call and as long as the slice. After Malformed the decoder is done.
  using Step = std::variant<NeedMore, Bytes, Malformed>;

  // A frame of more than `kept_bytes_max` does not keep its memory for the next one: a server has many connections, and few large frames.
  explicit FrameDecoder(std::size_t frame_size_max, std::size_t kept_bytes_max = 1u << 20) noexcept
      : frame_size_max_(frame_size_max), kept_bytes_max_(kept_bytes_max) {}

  [[nodiscard]] Step next(Bytes& slice);

  // Bytes of an unfinished frame that are kept here.
  [[nodiscard]] std::size_t buffered_bytes() const noexcept { return size_bytes_taken_ + (delivered_ ? 0 : frame_.size()); }

 private:
  [[nodiscard]] std::optional<Malformed> set_size();

  std::size_t frame_size_max_;
  std::size_t kept_bytes_max_;
  char size_bytes_[4] = {};
  std::size_t size_bytes_taken_ = 0;
  std::size_t size_ = 0;
  Buffer frame_;            // what has arrived of a frame that spans slices
  bool delivered_ = false;  // frame_ was handed out
};

struct RequestHeader {
  ApiKey api_key{};
  std::int16_t api_version = 0;
  std::int32_t correlation_id = 0;
  std::optional<std::string_view> client_id;
};

struct RequestFrame {
  RequestHeader header;
  Bytes body;
};

// Reads the header of any request, also of keys and versions that are not ours (an ApiVersions request of a newer client
// must be answered): a version above ours is taken to be flexible where our newest is.
[[nodiscard]] Decoded<RequestFrame> decode_request_frame(Bytes frame);

struct ResponseFrame {
  std::int32_t correlation_id = 0;
  Bytes body;
};

[[nodiscard]] Decoded<ResponseFrame> decode_response_frame(Bytes frame, ApiKey key, std::int16_t version);

// Whether the headers around this version have tagged fields.
[[nodiscard]] bool request_header_is_flexible(ApiKey key, std::int16_t version) noexcept;
[[nodiscard]] bool response_header_is_flexible(ApiKey key, std::int16_t version) noexcept;

// A frame's size (still zero) and header; Output::patch_frame_size() finishes it.
void begin_request(Output& out, const RequestHeader& header);
void begin_response(Output& out, ApiKey key, std::int16_t version, std::int32_t correlation_id);

// Whole frames, size included.
template <typename Request>
[[nodiscard]] Output encode_request_frame(const Request& request, std::int16_t version, std::int32_t correlation_id,
                                          std::optional<std::string_view> client_id) {
  Output out;
  begin_request(out, {.api_key = Request::api_key, .api_version = version, .correlation_id = correlation_id, .client_id = client_id});
  request.encode(out, version);
  out.patch_frame_size();
  return out;
}

template <typename Response>
[[nodiscard]] Output encode_response_frame(const Response& response, std::int16_t version, std::int32_t correlation_id) {
  Output out;
  begin_response(out, Response::api_key, version, correlation_id);
  response.encode(out, version);
  out.patch_frame_size();
  return out;
}

}  // namespace tripos::wire
