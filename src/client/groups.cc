#include "client/groups.h"

#include <algorithm>

#include "base/bytes.h"
#include "wire/consumer_protocol.h"
#include "wire/delete_groups.h"
#include "wire/describe_groups.h"
#include "wire/list_groups.h"
#include "wire/offset_commit.h"
#include "wire/offset_fetch.h"

namespace tripos::client {
namespace {

constexpr std::int16_t one_group_version_max = 7;      // of OffsetFetch: later ones ask for several groups
constexpr std::int16_t commit_names_version_max = 9;   // of OffsetCommit: later ones name topics by their ids
constexpr std::int16_t describe_dead_version_max = 5;  // of DescribeGroups: a group that is not there is Dead, not an error
constexpr std::int32_t no_generation = -1;
constexpr std::size_t protocol_version_size = 2;

std::string group_subject(const std::string& group) { return "group " + group; }

// What a member was told to consume; nothing of it if it is not in the consumers' own format.
std::vector<TopicAndPartition> parse_assignment(Bytes bytes) {
  std::vector<TopicAndPartition> places;
  if (bytes.size() < protocol_version_size) return places;
  const auto version = std::clamp<std::int16_t>(load_be<std::int16_t>(bytes.data()), 0, wire::ConsumerProtocolAssignment::version_max);
  const auto assignment = wire::ConsumerProtocolAssignment::decode(bytes.substr(protocol_version_size), version);
  if (!assignment) return places;
  for (const auto& topic : assignment->assigned_partitions) {
    for (const std::int32_t partition : topic.partitions) places.push_back({.topic = topic.topic, .partition = partition});
  }
  std::ranges::sort(places);
  return places;
}

}  // namespace

Result<std::vector<GroupListing>> list_groups(KafkaConnection& connection) {
  TRIPOS_ASSIGN(const auto response, connection.call<wire::ListGroupsResponse>(wire::ListGroupsRequest{}));
  if (response.error_code != wire::ErrorCode::none) return tl::unexpected(kafka_error(response.error_code, "the groups"));
  std::vector<GroupListing> groups;
  for (const auto& group : response.groups) {
    groups.push_back({.id = group.group_id, .state = group.group_state, .protocol_type = group.protocol_type});
  }
  std::ranges::sort(groups, {}, &GroupListing::id);
  return groups;
}

Result<GroupDescription> describe_group(KafkaConnection& connection, const std::string& id) {
  wire::DescribeGroupsRequest request;
  request.groups = {id};
  TRIPOS_ASSIGN(const auto response, connection.call<wire::DescribeGroupsResponse>(request, describe_dead_version_max));
  if (response.groups.size() != 1) return fail(ErrorCode::malformed, "the broker answered {} groups for one", response.groups.size());
  const auto& group = response.groups.front();
  if (group.error_code != wire::ErrorCode::none) return tl::unexpected(kafka_error(group.error_code, group_subject(id)));
  if (group.group_state == "Dead") return fail(ErrorCode::not_found, "there is no group {}: tripos group list names all", id);
  GroupDescription description{
      .id = id, .state = group.group_state, .protocol_type = group.protocol_type, .protocol = group.protocol_data, .members = {}};
  for (const auto& member : group.members) {
    description.members.push_back({.id = member.member_id,
                                   .instance_id = member.group_instance_id,
                                   .client_id = member.client_id,
                                   .host = member.client_host,
                                   .assignment = parse_assignment(member.member_assignment)});
  }
  return description;
}

Result<GroupOffsets> committed_offsets(KafkaConnection& connection, const std::string& id) {
  wire::OffsetFetchRequest request;
  request.group_id = id;
  request.topics = std::nullopt;  // all
  TRIPOS_ASSIGN(const auto response, connection.call<wire::OffsetFetchResponse>(request, one_group_version_max));
  if (response.error_code != wire::ErrorCode::none) return tl::unexpected(kafka_error(response.error_code, group_subject(id)));
  GroupOffsets offsets;
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != wire::ErrorCode::none) {
        return tl::unexpected(kafka_error(
            partition.error_code, fmt::format("{}, partition {} of topic {}", group_subject(id), partition.partition_index, topic.name)));
      }
      if (partition.committed_offset < 0) continue;
      offsets[{.topic = topic.name, .partition = partition.partition_index}] = {.offset = partition.committed_offset,
                                                                                .metadata = partition.metadata.value_or("")};
    }
  }
  return offsets;
}

Result<> commit_offsets(KafkaConnection& connection, const std::string& id, const GroupOffsets& offsets) {
  wire::OffsetCommitRequest request;
  request.group_id = id;
  request.generation_id_or_member_epoch = no_generation;
  for (const auto& [place, offset] : offsets) {  // by topic
    if (request.topics.empty() || request.topics.back().name != place.topic) request.topics.emplace_back().name = place.topic;
    auto& partition = request.topics.back().partitions.emplace_back();
    partition.partition_index = place.partition;
    partition.committed_offset = offset.offset;
    partition.committed_metadata = offset.metadata;
  }
  TRIPOS_ASSIGN(const auto response, connection.call<wire::OffsetCommitResponse>(request, commit_names_version_max));
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code == wire::ErrorCode::none) continue;
      if (partition.error_code == wire::ErrorCode::unknown_member_id) {
        return fail(ErrorCode::conflict, "group {} has members: stop its consumers first, nothing was changed", id);
      }
      return tl::unexpected(kafka_error(
          partition.error_code, fmt::format("{}, partition {} of topic {}", group_subject(id), partition.partition_index, topic.name)));
    }
  }
  return {};
}

Result<> delete_group(KafkaConnection& connection, const std::string& id) {
  wire::DeleteGroupsRequest request;
  request.groups_names = {id};
  TRIPOS_ASSIGN(const auto response, connection.call<wire::DeleteGroupsResponse>(request));
  for (const auto& result : response.results) {
    if (result.error_code == wire::ErrorCode::none) continue;
    if (result.error_code == wire::ErrorCode::non_empty_group) {
      return fail(ErrorCode::conflict, "group {} has members: stop its consumers first, nothing was removed", id);
    }
    if (result.error_code == wire::ErrorCode::group_id_not_found) {
      return fail(ErrorCode::not_found, "there is no group {}: tripos group list names all", id);
    }
    return tl::unexpected(kafka_error(result.error_code, group_subject(id)));
  }
  return {};
}

}  // namespace tripos::client
