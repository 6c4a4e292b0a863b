// Member: one client in a group. MemberId and instance id are Kafka's strings; the group gives the former, the operator the latter.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/strong_id.h"
#include "base/time.h"

namespace tripos::groups {

using RequestId = StrongId<struct RequestIdTag, std::uint64_t>;  // of a request that waits for its answer
using std::chrono::milliseconds;

// A way to share out partitions that a member offers (an assignor's name), and what the assignor is to know of the member.
struct Protocol {
  std::string name;
  Buffer metadata;
  friend bool operator==(const Protocol&, const Protocol&) = default;
};

struct Member {
  std::string id;
  std::optional<std::string> instance_id;  // group.instance.id: the member is static
  std::string client_id;
  std::string client_host;
  milliseconds rebalance_timeout{};
  milliseconds session_timeout{};
  std::vector<Protocol> protocols;  // best first
  Buffer assignment;                // of the current generation; empty until the leader has given it

  bool is_new = true;                      // its first JoinGroup has not been answered: it can't send heartbeats yet
  bool owes_sync = false;                  // was told the generation, has not sent SyncGroup since
  MonotonicTime expires{};                 // unless it waits for an answer of ours
  std::optional<RequestId> awaiting_join;  // changed through Membership only, which counts them
  std::optional<RequestId> awaiting_sync;

  // The metadata of one of its protocols; empty if it does not offer it.
  [[nodiscard]] Bytes metadata_of(std::string_view protocol) const noexcept {
    for (const Protocol& offered : protocols) {
      if (offered.name == protocol) return offered.metadata;
    }
    return {};
  }

  // A member that waits for our answer can't send heartbeats on the same connection, and is excused; a new one is bounded all the same,
  // since its connection may be gone and it would come back under another id.
  [[nodiscard]] bool can_expire() const noexcept { return is_new || (!awaiting_join && !awaiting_sync); }
};

}  // namespace tripos::groups
