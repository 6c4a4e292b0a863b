// The Kafka codec over any bytes. First byte: a message of the table, or headers, or framing; second: the version; then the bytes.
// What decodes must encode to bytes that decode to the same again.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "wire/framing.h"
#include "wire/message_table.h"

namespace tripos::wire {
namespace {

void fuzz_message(const MessageRow& row, std::uint8_t version_choice, Bytes bytes) {
  const int version_count = row.version_max - row.version_min + 1;
  const auto version = static_cast<std::int16_t>(row.version_min + version_choice % version_count);
  const auto once = row.transcode(bytes, version);
  if (!once) return;
  const Buffer encoded = once->flatten().value();
  const auto twice = row.transcode(encoded, version);
  CHECK(twice.has_value());
  CHECK(twice->flatten().value() == encoded);
}

void fuzz_headers(std::uint8_t key, Bytes bytes) {
  if (const auto request = decode_request_frame(bytes)) {
    Output out;
    begin_request(out, request->header);
    CHECK(decode_request_frame(Bytes(out.tail()).substr(4)).has_value());
  }
  (void)decode_response_frame(bytes, ApiKey{static_cast<std::int16_t>(key % 100)}, static_cast<std::int16_t>(key / 16));
}

// The same frames whether the bytes come at once or in slices.
void fuzz_framing(std::uint8_t slice_size, Bytes bytes) {
  constexpr std::size_t frame_size_max = 1000;
  const auto frames = [&](std::size_t step_size) {
    FrameDecoder decoder(frame_size_max);
    Buffer all;
    while (!bytes.empty()) {
      const Buffer held(bytes.substr(0, step_size));  // its bytes are gone when the next slice comes
      Bytes slice = held;
      bytes.remove_prefix(slice.size());
      while (true) {
        const auto step = decoder.next(slice);
        if (std::holds_alternative<Malformed>(step)) return all + "malformed";
        const Bytes* frame = std::get_if<Bytes>(&step);
        if (frame == nullptr) break;
        CHECK(frame->size() <= frame_size_max);
        all.append(*frame).push_back('|');
      }
    }
    return all;
  };
  const Bytes all_bytes = bytes;
  const Buffer at_once = frames(bytes.size());
  bytes = all_bytes;
  CHECK(frames(std::size_t{1} + slice_size % 7) == at_once);
}

}  // namespace
}  // namespace tripos::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tripos::wire;
  if (size < 2) return 0;
  const tripos::Bytes bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto table = message_table();
  if (data[0] < table.size()) {
    fuzz_message(table[data[0]], data[1], bytes);
  } else if (data[0] % 2 == 0) {
    fuzz_headers(data[1], bytes);
  } else {
    fuzz_framing(data[1], bytes);
  }
  return 0;
}
