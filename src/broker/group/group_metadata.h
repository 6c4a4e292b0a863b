// GroupMetadata: what is kept of a group in __consumer_offsets, so that its members go on after a restart
// (docs/format/consumer_offsets.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace tripos::groups {

struct MemberMetadata {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::int32_t rebalance_timeout_ms = 0;
  std::int32_t session_timeout_ms = 0;
  Buffer subscription;  // the metadata of the protocol that was chosen
  Buffer assignment;
  friend bool operator==(const MemberMetadata&, const MemberMetadata&) = default;
};

struct GroupMetadata {
  std::string protocol_type;
  std::int32_t generation = 0;
  std::optional<std::string> protocol;
  std::optional<std::string> leader;
  std::int64_t state_timestamp_ms = -1;  // when the group came into its state, by the wall clock; -1: not known
  std::vector<MemberMetadata> members;
  friend bool operator==(const GroupMetadata&, const GroupMetadata&) = default;
};

}  // namespace tripos::groups
