#include "wire/framing.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "wire/message_table.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace tripos::wire {
namespace {

// What is set aside at once for a frame that spans slices; more comes only as bytes arrive.
constexpr std::size_t frame_reserve_bytes = std::size_t{64} << 10;

}  // namespace

std::optional<Malformed> FrameDecoder::set_size() {
  const auto size = load_be<std::int32_t>(size_bytes_);
  if (size < 0 || static_cast<std::size_t>(size) > frame_size_max_) {
    return Malformed{.byte = 0, .field = "size", .reason = fmt::format("a frame of {} bytes; at most {} are taken", size, frame_size_max_)};
  }
  size_ = static_cast<std::size_t>(size);
  return std::nullopt;
}

FrameDecoder::Step FrameDecoder::next(Bytes& slice) {
  if (delivered_) {
    delivered_ = false;
    frame_.clear();
    if (frame_.capacity() > kept_bytes_max_) Buffer().swap(frame_);
  }
  if (size_bytes_taken_ < sizeof size_bytes_) {
    if (slice.empty()) return NeedMore{};
    const std::size_t taken = std::min(sizeof size_bytes_ - size_bytes_taken_, slice.size());
    std::memcpy(size_bytes_ + size_bytes_taken_, slice.data(), taken);
    size_bytes_taken_ += taken;
    slice.remove_prefix(taken);
    if (size_bytes_taken_ < sizeof size_bytes_) return NeedMore{};
    if (auto malformed = set_size()) {
      size_bytes_taken_ = 0;
      return *std::move(malformed);
    }
  }
  if (frame_.empty() && slice.size() >= size_) {  // the whole frame lies in the slice: no copy
    const Bytes frame = slice.substr(0, size_);
    slice.remove_prefix(size_);
    size_bytes_taken_ = 0;
    return frame;
  }
  if (frame_.empty()) frame_.reserve(std::min(size_, frame_reserve_bytes));
  const std::size_t taken = std::min(size_ - frame_.size(), slice.size());
  frame_.append(slice.substr(0, taken));
  slice.remove_prefix(taken);
  if (frame_.size() < size_) return NeedMore{};
  size_bytes_taken_ = 0;
  delivered_ = true;
  return Bytes(frame_);
}

bool request_header_is_flexible(ApiKey key, std::int16_t version) noexcept { return version >= flexible_from(key); }

bool response_header_is_flexible(ApiKey key, std::int16_t version) noexcept {
  return key != ApiKey::api_versions && version >= flexible_from(key);
}

Decoded<RequestFrame> decode_request_frame(Bytes frame) {
  Reader in(frame, false);  // the client id has its classic form in every version
  std::int16_t key = 0;
  RequestFrame request;
  auto& header = request.header;
  std::optional<Bytes> client_id;
  if (!in.int16("request_api_key", key) || !in.int16("request_api_version", header.api_version) ||
      !in.int32("correlation_id", header.correlation_id) || !in.nullable_short_bytes("client_id", client_id)) {
    return in.malformed();
  }
  header.api_key = static_cast<ApiKey>(key);
  header.client_id = client_id;
  if (request_header_is_flexible(header.api_key, header.api_version)) {
    in.set_flexible(true);
    if (!in.tagged_fields()) return in.malformed();
  }
  request.body = in.rest();
  return request;
}

Decoded<ResponseFrame> decode_response_frame(Bytes frame, ApiKey key, std::int16_t version) {
  Reader in(frame, response_header_is_flexible(key, version));
  ResponseFrame response;
  if (!in.int32("correlation_id", response.correlation_id) || !in.tagged_fields()) return in.malformed();
  response.body = in.rest();
  return response;
}

void begin_request(Output& out, const RequestHeader& header) {
  out.append_integer(std::int32_t{0});
  out.append_integer(static_cast<std::int16_t>(header.api_key));
  out.append_integer(header.api_version);
  out.append_integer(header.correlation_id);
  Writer classic(out, false);
  header.client_id ? classic.string(*header.client_id) : classic.int16(-1);
  Writer(out, request_header_is_flexible(header.api_key, header.api_version)).no_tagged_fields();
}

void begin_response(Output& out, ApiKey key, std::int16_t version, std::int32_t correlation_id) {
  out.append_integer(std::int32_t{0});
  out.append_integer(correlation_id);
  Writer(out, response_header_is_flexible(key, version)).no_tagged_fields();
}

}  // namespace tripos::wire
