#include "broker/group/offset_records.h"

#include <fmt/format.h>

#include <utility>

#include "wire/group_records.h"
#include "wire/versioned.h"

namespace tripos::groups {
namespace {

constexpr std::int16_t offset_key_version = 1;
constexpr std::int16_t group_key_version = 2;
constexpr std::int16_t offset_value_version = 3;
constexpr std::int16_t offset_value_version_with_expiry = 1;
constexpr std::int16_t group_value_version = 3;
constexpr std::int64_t no_expiry = -1;

auto broken(std::string_view what, const wire::Malformed& malformed) {
  return fail(ErrorCode::malformed, "{} in __consumer_offsets: {}", what, malformed.text());
}

}  // namespace

Buffer encode(const OffsetKey& key) {
  wire::OffsetCommitKey to;
  to.group = key.group;
  to.topic = key.topic;
  to.partition = key.partition;
  return wire::encode_versioned(to, offset_key_version);
}

Buffer encode(const GroupKey& key) {
  wire::GroupMetadataKey to;
  to.group = key.group;
  return wire::encode_versioned(to, group_key_version);
}

Buffer encode(const CommittedOffset& value) {
  wire::OffsetCommitValue to;
  to.offset = value.offset;
  to.leader_epoch = value.leader_epoch;
  to.metadata = value.metadata;
  to.commit_timestamp = value.commit_timestamp_ms;
  to.expire_timestamp = value.expire_timestamp_ms.value_or(no_expiry);
  return wire::encode_versioned(to, value.expire_timestamp_ms ? offset_value_version_with_expiry : offset_value_version);
}

Buffer encode(const GroupMetadata& value) {
  wire::GroupMetadataValue to;
  to.protocol_type = value.protocol_type;
  to.generation = value.generation;
  to.protocol = value.protocol;
  to.leader = value.leader;
  to.current_state_timestamp = value.state_timestamp_ms;
  to.members.reserve(value.members.size());
  for (const MemberMetadata& member : value.members) {
    auto& stored = to.members.emplace_back();
    stored.member_id = member.member_id;
    stored.group_instance_id = member.instance_id;
    stored.client_id = member.client_id;
    stored.client_host = member.client_host;
    stored.rebalance_timeout = member.rebalance_timeout_ms;
    stored.session_timeout = member.session_timeout_ms;
    stored.subscription = member.subscription;
    stored.assignment = member.assignment;
  }
  return wire::encode_versioned(to, group_value_version);
}

Result<OffsetsTopicKey> decode_offsets_topic_key(Bytes bytes) {
  const auto version = wire::decode_version(bytes);
  if (!version) return broken("a key", version.error());
  if (*version > group_key_version) return OffsetsTopicKey(ForeignKey{*version});
  if (*version == group_key_version) {
    auto key = wire::decode_versioned<wire::GroupMetadataKey>(bytes);
    if (!key) return broken("the key of a group", key.error());
    return OffsetsTopicKey(GroupKey{std::move(key->group)});
  }
  auto key = wire::decode_versioned<wire::OffsetCommitKey>(bytes);
  if (!key) return broken("the key of an offset", key.error());
  return OffsetsTopicKey(OffsetKey{std::move(key->group), std::move(key->topic), key->partition});
}

Result<CommittedOffset> decode_committed_offset(Bytes bytes) {
  auto from = wire::decode_versioned<wire::OffsetCommitValue>(bytes);
  if (!from) return broken("an offset", from.error());
  CommittedOffset value{from->offset, from->leader_epoch, std::move(from->metadata), from->commit_timestamp, std::nullopt, 0};
  if (from->expire_timestamp != no_expiry) value.expire_timestamp_ms = from->expire_timestamp;
  return value;
}

Result<GroupMetadata> decode_group_metadata(Bytes bytes) {
  auto from = wire::decode_versioned<wire::GroupMetadataValue>(bytes);
  if (!from) return broken("a group", from.error());
  GroupMetadata value;
  value.protocol_type = std::move(from->protocol_type);
  value.generation = from->generation;
  value.protocol = std::move(from->protocol);
  value.leader = std::move(from->leader);
  value.state_timestamp_ms = from->current_state_timestamp;
  for (auto& stored : from->members) {
    MemberMetadata member;
    member.member_id = std::move(stored.member_id);
    member.instance_id = std::move(stored.group_instance_id);
    member.client_id = std::move(stored.client_id);
    member.client_host = std::move(stored.client_host);
    member.rebalance_timeout_ms = stored.rebalance_timeout < 0 ? stored.session_timeout : stored.rebalance_timeout;
    member.session_timeout_ms = stored.session_timeout;
    member.subscription = Buffer(stored.subscription);
    member.assignment = Buffer(stored.assignment);
    value.members.push_back(std::move(member));
  }
  return value;
}

}  // namespace tripos::groups
