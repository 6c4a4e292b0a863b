// The topics that a consumer subscribes to, out of the metadata of its protocol (ConsumerProtocolSubscription).
// The one look that the broker takes into what members tell each other: offsets of a topic that is in use neither expire nor are deleted.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "base/bytes.h"

namespace tripos::groups {

class Group;

using Topics = std::set<std::string, std::less<>>;

// None: not a subscription.
[[nodiscard]] std::optional<Topics> parse_subscription(Bytes metadata);

// What the members of the group subscribe to. None: not known (another protocol type, or a subscription that can't be read), so perhaps
// any.
[[nodiscard]] std::optional<Topics> subscribed_topics(const Group& group);

}  // namespace tripos::groups
