// Membership: the members of a group, and what is counted over them (who waits, which protocols all of them offer).
// Invariants: static_members_ maps each instance id to the one member that has it; support_[p] = number of members that offer p;
// joined_count_ = number of members with awaiting_join; the leader is a member, or nobody if there are none.
// Threads: one.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/group/member.h"

namespace tripos::groups {

class Membership {
 public:
  using Map = std::map<std::string, Member, std::less<>>;

  [[nodiscard]] const Map& all() const noexcept { return members_; }
  [[nodiscard]] bool empty() const noexcept { return members_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
  [[nodiscard]] std::size_t joined_count() const noexcept { return joined_count_; }
  [[nodiscard]] const std::optional<std::string>& leader() const noexcept { return leader_; }
  [[nodiscard]] bool is_leader(std::string_view id) const noexcept { return leader_ == id; }

  [[nodiscard]] Member* find(std::string_view id) noexcept;
  [[nodiscard]] const Member* find(std::string_view id) const noexcept;
  // The id of the static member with this instance id.
  [[nodiscard]] const std::string* find_static(std::string_view instance_id) const noexcept;

  // Its id and instance id are not taken. The first becomes the leader.
  Member& add(Member member);
  // There is such a member. What it waits for is the caller's to answer, before.
  void remove(std::string_view id);
  // A static member has come back and gets a new id; the leader stays the leader.
  Member& rename(std::string_view old_id, std::string new_id);

  void set_protocols(Member& member, std::vector<Protocol> protocols);
  // Returns the request that waited until now.
  std::optional<RequestId> set_awaiting_join(Member& member, std::optional<RequestId> request);
  void for_each(const std::function<void(Member&)>& visit);

  // If the leader has not rejoined, one of those who have takes its place; false: nobody has rejoined.
  bool elect_joined_leader();
  void restore_leader(std::optional<std::string> leader);

  // May somebody who offers these join: is one of them offered by all members?
  [[nodiscard]] bool supports_one_of(const std::vector<Protocol>& protocols) const;
  // Of the protocols that all offer, the one that most members like best. There are members, and they have one in common.
  [[nodiscard]] std::string select_protocol() const;
  [[nodiscard]] milliseconds rebalance_timeout() const noexcept;  // the longest of all members

 private:
  void count_protocols(const Member& member, int change);
  Map members_;
  std::map<std::string, std::string, std::less<>> static_members_;
  std::map<std::string, std::size_t, std::less<>> support_;
  std::optional<std::string> leader_;
  std::size_t joined_count_ = 0;
};

}  // namespace tripos::groups
