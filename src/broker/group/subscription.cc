#include "broker/group/subscription.h"

#include <iterator>

#include "broker/group/group.h"
#include "wire/consumer_protocol.h"
#include "wire/versioned.h"

namespace tripos::groups {

std::optional<Topics> parse_subscription(Bytes metadata) {
  auto subscription = wire::decode_versioned<wire::ConsumerProtocolSubscription>(metadata, wire::NewerVersion::read_as_our_newest);
  if (!subscription) return std::nullopt;
  return Topics(std::make_move_iterator(subscription->topics.begin()), std::make_move_iterator(subscription->topics.end()));
}

std::optional<Topics> subscribed_topics(const Group& group) {
  if (group.members().empty()) return Topics();
  if (group.protocol_type() != "consumer" || !group.protocol_name()) return std::nullopt;
  Topics all;
  for (const auto& [id, member] : group.members().all()) {
    auto topics = parse_subscription(member.metadata_of(*group.protocol_name()));
    if (!topics) return std::nullopt;
    all.merge(*topics);
  }
  return all;
}

}  // namespace tripos::groups
