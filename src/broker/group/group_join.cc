// JoinGroup.
#include <algorithm>

#include "base/check.h"
#include "broker/group/group.h"
#include "broker/group/group_step.h"

namespace tripos::groups {

void Group::handle(Step& step, Join& event) {
  if (state_ == State::dead) return refuse_join(step, event.request, event.member_id, wire::ErrorCode::coordinator_not_available);
  if (!accepts(event.member_id)) {
    if (members_.find(event.member_id) != nullptr) remove_member(step, event.member_id);
    pending_.erase(event.member_id);
    return refuse_join(step, event.request, "", wire::ErrorCode::group_max_size_reached);
  }
  const bool is_consistent = members_.empty() ? !event.protocol_type.empty() && !event.protocols.empty()
                                              : protocol_type_ == event.protocol_type && members_.supports_one_of(event.protocols);
  if (!is_consistent) return refuse_join(step, event.request, event.member_id, wire::ErrorCode::inconsistent_group_protocol);
  if (event.member_id.empty()) {
    join_new(step, event);
  } else {
    join_known(step, event);
  }
}

// While a rebalance is prepared those who wait count, not those who may never come back.
bool Group::accepts(std::string_view member_id) const {
  const Member* member = members_.find(member_id);
  switch (state_) {
    case State::empty:
    case State::dead: return true;
    case State::preparing_rebalance: return (member != nullptr && member->awaiting_join) || members_.joined_count() < settings_.size_max;
    case State::completing_rebalance:
    case State::stable: return member != nullptr || members_.size() < settings_.size_max;
  }
  return true;
}

void Group::join_new(Step& step, Join& event) {
  std::string new_id = std::move(event.new_member_id);
  if (event.instance_id) {
    if (const std::string* old_id = members_.find_static(*event.instance_id)) {
      event.new_member_id = std::move(new_id);
      return replace_static_member(step, event, std::string(*old_id));
    }
    return add_member(step, event, std::move(new_id));
  }
  if (!event.must_know_its_id) return add_member(step, event, std::move(new_id));
  const MonotonicTime lapses = step.now + event.session_timeout;
  pending_[new_id] = lapses;
  wake_at(lapses);
  refuse_join(step, event.request, std::move(new_id), wire::ErrorCode::member_id_required);
}

void Group::join_known(Step& step, Join& event) {
  if (pending_.contains(event.member_id)) {
    if (event.instance_id) {
      return refuse_join(step, event.request, event.member_id,
                         wire::ErrorCode::unknown_member_id);  // those ids are given to dynamic members only
    }
    return add_member(step, event, event.member_id);
  }
  if (const wire::ErrorCode error = check_member(event.member_id, event.instance_id); error != wire::ErrorCode::none) {
    return refuse_join(step, event.request, event.member_id, error);
  }
  Member& member = *members_.find(event.member_id);
  const bool same_metadata = member.protocols == event.protocols;
  // The answer to its first JoinGroup may have been lost (completing), or a follower asks again (stable): the generation has not changed.
  // A leader that joins again wants the partitions shared out anew, since topics have changed.
  const bool is_answered_now = (state_ == State::completing_rebalance && same_metadata) ||
                               (state_ == State::stable && same_metadata && !members_.is_leader(member.id));
  if (is_answered_now) {
    touch(step, member);
    return step.answer(current_generation(event.request, member));
  }
  update_member(step, member, event);
  prepare_rebalance(step);
}

void Group::add_member(Step& step, Join& event, std::string member_id) {
  pending_.erase(member_id);
  Member member;
  member.id = std::move(member_id);
  member.instance_id = std::move(event.instance_id);
  member.client_id = std::move(event.client_id);
  member.client_host = std::move(event.client_host);
  member.rebalance_timeout = event.rebalance_timeout;
  member.session_timeout = event.session_timeout;
  member.protocols = std::move(event.protocols);
  member.awaiting_join = event.request;
  if (members_.empty()) protocol_type_ = std::move(event.protocol_type);
  if (state_ == State::preparing_rebalance && generation_ == 0) rebalance_->member_added = true;
  touch(step, members_.add(std::move(member)), settings_.new_member_join_timeout);
  prepare_rebalance(step);
}

void Group::replace_static_member(Step& step, Join& event, const std::string& old_id) {
  Member& old_member = *members_.find(old_id);
  if (const auto request = members_.set_awaiting_join(old_member, std::nullopt))
    refuse_join(step, *request, old_id, wire::ErrorCode::fenced_instance_id);
  if (const auto request = std::exchange(old_member.awaiting_sync, std::nullopt)) {
    step.answer(SyncAnswer{*request, wire::ErrorCode::fenced_instance_id, {}, {}, {}});
  }
  const std::string leader_before = members_.leader().value_or("");
  Member& member = members_.rename(old_id, std::move(event.new_member_id));
  member.client_id = event.client_id;
  member.client_host = event.client_host;
  update_member(step, member, event);
  touch(step, member);

  // Restarting a static member must not move partitions, unless the group would now choose another protocol.
  if (state_ == State::stable && protocol_name_ == members_.select_protocol()) {
    store(step, metadata());
    storing_static_members_.emplace(last_store_, StoringStaticMember{member.id, event.request, leader_before, event.can_skip_assignment});
    return;
  }
  prepare_rebalance(step);
}

// The member waits for the answer to this JoinGroup. One that it has sent before, on a connection that it must have given up, is told to
// try again.
void Group::update_member(Step& step, Member& member, Join& event) {
  members_.set_protocols(member, std::move(event.protocols));
  member.rebalance_timeout = event.rebalance_timeout;
  member.session_timeout = event.session_timeout;
  if (const auto superseded = members_.set_awaiting_join(member, event.request)) {
    refuse_join(step, *superseded, member.id, wire::ErrorCode::rebalance_in_progress);
  }
}

void Group::refuse_join(Step& step, RequestId request, std::string member_id, wire::ErrorCode error) const {
  JoinAnswer answer;
  answer.request = request;
  answer.error = error;
  answer.member_id = std::move(member_id);
  step.answer(std::move(answer));
}

JoinAnswer Group::current_generation(RequestId request, const Member& member) const {
  JoinAnswer answer;
  answer.request = request;
  answer.member_id = member.id;
  answer.generation = generation_;
  answer.protocol_type = protocol_type_;
  answer.protocol_name = protocol_name_;
  answer.leader = members_.leader().value_or("");
  if (members_.is_leader(member.id)) {
    for (const auto& [id, other] : members_.all()) {
      answer.members.push_back(JoinedMember{id, other.instance_id, Buffer(other.metadata_of(*protocol_name_))});
    }
  }
  return answer;
}

}  // namespace tripos::groups
