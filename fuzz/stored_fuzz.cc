// What the broker and the batch layer store beside the records: any bytes are refused or understood; what is understood is written such
// that it reads back the same. First byte: which.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/crc32c.h"
#include "broker/group/offset_records.h"
#include "broker/metadata_record.h"
#include "input.h"
#include "lambda/manifest.h"
#include "log/checkpoint.h"

namespace tripos {
namespace {

using fuzz::Input;

void fuzz_checkpoint(Input input) {
  Buffer text(input.rest());
  if (const auto sum = text.rfind("crc32c "); sum != Buffer::npos) {  // one that fits
    text.resize(sum);
    text += fmt::format("crc32c {}\n", crc32c(text));
  }
  const auto checkpoint = log::decode_checkpoint(text);
  if (!checkpoint) {
    CHECK(checkpoint.error().code == ErrorCode::corrupt);
    return;
  }
  CHECK(log::decode_checkpoint(log::encode_checkpoint(*checkpoint)).value() == *checkpoint);
}

void fuzz_metadata(Input input) {
  const Bytes key = input.take_short();
  const auto value = input.flag() ? std::optional<Bytes>(input.rest()) : std::nullopt;
  const auto record = broker::decode_metadata(key, value);
  if (!record) return;
  const auto encoded = broker::encode_metadata(*record);
  CHECK(broker::decode_metadata(encoded.key, encoded.value).value() == *record);
}

void fuzz_offsets_key(Input input) {
  const auto key = groups::decode_offsets_topic_key(input.rest());
  if (!key) {
    CHECK(key.error().code == ErrorCode::malformed);
    return;
  }
  if (const auto* offset = std::get_if<groups::OffsetKey>(&*key)) {
    CHECK(std::get<groups::OffsetKey>(groups::decode_offsets_topic_key(groups::encode(*offset)).value()) == *offset);
  }
  if (const auto* group = std::get_if<groups::GroupKey>(&*key)) {
    CHECK(std::get<groups::GroupKey>(groups::decode_offsets_topic_key(groups::encode(*group)).value()) == *group);
  }
}

void fuzz_committed_offset(Input input) {
  const auto committed = groups::decode_committed_offset(input.rest());
  if (!committed) {
    CHECK(committed.error().code == ErrorCode::malformed);
    return;
  }
  auto back = groups::decode_committed_offset(groups::encode(*committed)).value();
  if (committed->expire_timestamp_ms) back.leader_epoch = committed->leader_epoch;  // the version that has an expiry has no epoch
  CHECK(back == *committed);
}

void fuzz_group_metadata(Input input) {
  const auto group = groups::decode_group_metadata(input.rest());
  if (!group) {
    CHECK(group.error().code == ErrorCode::malformed);
    return;
  }
  CHECK(groups::decode_group_metadata(groups::encode(*group)).value() == *group);
}

void fuzz_manifest(Input input) {
  const auto manifest = lambda::Manifest::parse(input.rest(), "manifest");
  if (!manifest) return;
  CHECK(lambda::Manifest::parse(manifest->text(), "its own text").value() == *manifest);
}

}  // namespace
}  // namespace tripos

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tripos::fuzz::Input input(data, size);
  switch (input.take<std::uint8_t>() % 6) {
    case 0: tripos::fuzz_checkpoint(input); break;
    case 1: tripos::fuzz_metadata(input); break;
    case 2: tripos::fuzz_offsets_key(input); break;
    case 3: tripos::fuzz_committed_offset(input); break;
    case 4: tripos::fuzz_group_metadata(input); break;
    default: tripos::fuzz_manifest(input);
  }
  return 0;
}
