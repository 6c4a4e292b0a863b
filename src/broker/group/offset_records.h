// The records of __consumer_offsets: keys and values as Kafka writes them (docs/format/consumer_offsets.md, big-endian).
// Written: OffsetCommitKey v1, GroupMetadataKey v2, OffsetCommitValue v3 (v1 with an explicit expiry), GroupMetadataValue v3.
// Read: keys v0-v2, values v0-v4; others' keys (Kafka's newer group protocols) are not ours and are skipped. No value: the key is deleted.
// Threads: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/error.h"
#include "broker/group/group_metadata.h"

namespace tripos::groups {

struct CommittedOffset {
  std::int64_t offset = -1;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  std::int64_t commit_timestamp_ms = -1;                 // wall clock
  std::optional<std::int64_t> expire_timestamp_ms = {};  // OffsetCommit v2-v4 with a retention of its own
  std::uint64_t order = 0;                               // among all that the log holds: of two, the later one counts. Not stored.
  friend bool operator==(const CommittedOffset&, const CommittedOffset&) = default;
};

struct OffsetKey {
  std::string group;
  std::string topic;
  std::int32_t partition = 0;
  friend auto operator<=>(const OffsetKey&, const OffsetKey&) = default;
};

struct GroupKey {
  std::string group;
  friend auto operator<=>(const GroupKey&, const GroupKey&) = default;
};

struct ForeignKey {
  std::int16_t version = 0;
};

using OffsetsTopicKey = std::variant<OffsetKey, GroupKey, ForeignKey>;

[[nodiscard]] Buffer encode(const OffsetKey& key);
[[nodiscard]] Buffer encode(const GroupKey& key);
[[nodiscard]] Buffer encode(const CommittedOffset& value);
[[nodiscard]] Buffer encode(const GroupMetadata& value);

// malformed: the bytes break the format of the version that they name, or the version is not known.
[[nodiscard]] Result<OffsetsTopicKey> decode_offsets_topic_key(Bytes bytes);
[[nodiscard]] Result<CommittedOffset> decode_committed_offset(Bytes bytes);
[[nodiscard]] Result<GroupMetadata> decode_group_metadata(Bytes bytes);

}  // namespace tripos::groups
