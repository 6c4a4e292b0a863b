#include "broker/group/membership.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"

namespace tripos::groups {

Member* Membership::find(std::string_view id) noexcept {
  const auto found = members_.find(id);
  return found == members_.end() ? nullptr : &found->second;
}

const Member* Membership::find(std::string_view id) const noexcept {
  const auto found = members_.find(id);
  return found == members_.end() ? nullptr : &found->second;
}

const std::string* Membership::find_static(std::string_view instance_id) const noexcept {
  const auto found = static_members_.find(instance_id);
  return found == static_members_.end() ? nullptr : &found->second;
}

Member& Membership::add(Member member) {
  if (member.instance_id) {
    CHECK(static_members_.emplace(*member.instance_id, member.id).second);
  }
  count_protocols(member, 1);
  if (member.awaiting_join) ++joined_count_;
  if (!leader_) leader_ = member.id;
  std::string id = member.id;
  const auto [added, is_added] = members_.emplace(std::move(id), std::move(member));
  CHECK(is_added);
  return added->second;
}

void Membership::remove(std::string_view id) {
  const auto found = members_.find(id);
  CHECK(found != members_.end());
  const Member& member = found->second;
  if (member.instance_id) static_members_.erase(*member.instance_id);
  if (member.awaiting_join) --joined_count_;
  count_protocols(member, -1);
  const bool was_leader = is_leader(id);
  members_.erase(found);
  if (was_leader) leader_ = members_.empty() ? std::nullopt : std::optional(members_.begin()->first);
}

Member& Membership::rename(std::string_view old_id, std::string new_id) {
  auto node = members_.extract(members_.find(old_id));
  CHECK(!node.empty() && node.mapped().instance_id);
  if (is_leader(node.key())) leader_ = new_id;
  static_members_[*node.mapped().instance_id] = new_id;
  node.mapped().id = new_id;
  node.key() = std::move(new_id);
  const auto inserted = members_.insert(std::move(node));
  CHECK(inserted.inserted);
  return inserted.position->second;
}

void Membership::set_protocols(Member& member, std::vector<Protocol> protocols) {
  count_protocols(member, -1);
  member.protocols = std::move(protocols);
  count_protocols(member, 1);
}

std::optional<RequestId> Membership::set_awaiting_join(Member& member, std::optional<RequestId> request) {
  if (member.awaiting_join && !request) --joined_count_;
  if (!member.awaiting_join && request) ++joined_count_;
  return std::exchange(member.awaiting_join, request);
}

void Membership::for_each(const std::function<void(Member&)>& visit) {
  for (auto& [id, member] : members_) visit(member);
}

bool Membership::elect_joined_leader() {
  const Member* leader = leader_ ? find(*leader_) : nullptr;
  if (leader != nullptr && leader->awaiting_join) return true;
  const auto joined =
      std::find_if(members_.begin(), members_.end(), [](const auto& entry) { return entry.second.awaiting_join.has_value(); });
  if (joined == members_.end()) return false;
  leader_ = joined->first;
  return true;
}

void Membership::restore_leader(std::optional<std::string> leader) {
  if (leader && find(*leader) != nullptr) leader_ = std::move(leader);
}

bool Membership::supports_one_of(const std::vector<Protocol>& protocols) const {
  return std::any_of(protocols.begin(), protocols.end(), [this](const Protocol& protocol) {
    const auto offered = support_.find(protocol.name);
    return offered != support_.end() && offered->second == members_.size();
  });
}

std::string Membership::select_protocol() const {
  CHECK(!members_.empty());
  std::map<std::string_view, std::size_t> votes;
  for (const auto& [id, member] : members_) {
    const auto liked = std::find_if(member.protocols.begin(), member.protocols.end(),
                                    [this](const Protocol& protocol) { return support_.find(protocol.name)->second == members_.size(); });
    CHECK(liked != member.protocols.end());
    ++votes[liked->name];
  }
  const auto chosen = std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return std::string(chosen->first);
}

milliseconds Membership::rebalance_timeout() const noexcept {
  milliseconds longest{0};
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout);
  return longest;
}

// A protocol that a member names twice counts once.
void Membership::count_protocols(const Member& member, int change) {
  std::set<std::string_view> names;
  for (const Protocol& protocol : member.protocols) {
    if (!names.insert(protocol.name).second) continue;
    if (change > 0) {
      ++support_[protocol.name];
    } else {
      const auto offered = support_.find(protocol.name);
      CHECK(offered != support_.end());
      if (--offered->second == 0) support_.erase(offered);
    }
  }
}

}  // namespace tripos::groups
