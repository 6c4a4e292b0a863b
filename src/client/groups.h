// Consumer groups of a broker: list, describe, what they have committed; change and remove it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/kafka_connection.h"

namespace tripos::client {

struct TopicAndPartition {
  std::string topic;
  std::int32_t partition = 0;
  friend auto operator<=>(const TopicAndPartition&, const TopicAndPartition&) = default;
};

struct GroupListing {
  std::string id;
  std::string state;
  std::string protocol_type;  // "consumer"; empty: only ever used to store offsets
};

struct GroupMember {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string host;
  std::vector<TopicAndPartition> assignment;  // of a consumer
};

struct GroupDescription {
  std::string id;
  std::string state;
  std::string protocol_type;
  std::string protocol;  // the assignor, while the group is stable
  std::vector<GroupMember> members;
  [[nodiscard]] bool is_active() const { return state != "Empty" && state != "Dead"; }
};

struct GroupOffset {
  std::int64_t offset = -1;
  std::string metadata;
};
using GroupOffsets = std::map<TopicAndPartition, GroupOffset>;

// By id.
[[nodiscard]] Result<std::vector<GroupListing>> list_groups(KafkaConnection& connection);
// not_found: there is no such group.
[[nodiscard]] Result<GroupDescription> describe_group(KafkaConnection& connection, const std::string& id);
[[nodiscard]] Result<GroupOffsets> committed_offsets(KafkaConnection& connection, const std::string& id);
// As somebody who is no member: refused while the group has some.
[[nodiscard]] Result<> commit_offsets(KafkaConnection& connection, const std::string& id, const GroupOffsets& offsets);
// Refused while it has members.
[[nodiscard]] Result<> delete_group(KafkaConnection& connection, const std::string& id);

}  // namespace tripos::client
