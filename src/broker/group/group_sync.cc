// SyncGroup: the leader's assignment, stored before anybody gets it, then handed to each member.
#include <algorithm>

#include "base/check.h"
#include "broker/group/group.h"
#include "broker/group/group_step.h"

namespace tripos::groups {

void Group::handle(Step& step, Sync& event) {
  const auto answer = [&](wire::ErrorCode error) { step.answer(SyncAnswer{event.request, error, {}, {}, {}}); };
  if (state_ == State::dead) return answer(wire::ErrorCode::coordinator_not_available);
  if (const wire::ErrorCode error = check_member(event.member_id, event.instance_id); error != wire::ErrorCode::none) return answer(error);
  if (event.generation != generation_) return answer(wire::ErrorCode::illegal_generation);
  const bool is_inconsistent =
      (event.protocol_type && event.protocol_type != protocol_type_) || (event.protocol_name && event.protocol_name != protocol_name_);
  if (is_inconsistent) return answer(wire::ErrorCode::inconsistent_group_protocol);
  Member& member = *members_.find(event.member_id);
  touch(step, member);
  switch (state_) {
    case State::dead:
    case State::empty: return answer(wire::ErrorCode::unknown_member_id);
    case State::preparing_rebalance: return answer(wire::ErrorCode::rebalance_in_progress);
    case State::completing_rebalance:
      if (const auto superseded = std::exchange(member.awaiting_sync, event.request)) {
        step.answer(SyncAnswer{*superseded, wire::ErrorCode::rebalance_in_progress, {}, {}, {}});
      }
      member.owes_sync = false;
      finish_sync_phase();
      if (members_.is_leader(member.id) && !storing_assignment_) store_assignment(step, std::move(event.assignments));
      return;
    case State::stable:
      member.owes_sync = false;
      finish_sync_phase();
      return step.answer(SyncAnswer{event.request, wire::ErrorCode::none, protocol_type_, protocol_name_, member.assignment});
  }
}

void Group::store_assignment(Step& step, std::vector<Assignment> assignments) {
  GroupMetadata next = metadata();
  for (MemberMetadata& member : next.members) {
    const auto given =
        std::find_if(assignments.begin(), assignments.end(), [&](const Assignment& a) { return a.member_id == member.member_id; });
    if (given != assignments.end()) member.assignment = given->assignment;
  }
  store(step, std::move(next));
  storing_assignment_ = StoringAssignment{last_store_, std::move(assignments)};
}

void Group::handle(Step& step, Stored& event) {
  if (storing_assignment_ && storing_assignment_->store == event.store) {
    CHECK(state_ == State::completing_rebalance);
    if (event.error == wire::ErrorCode::none) {
      for (Assignment& given : storing_assignment_->assignments) {
        if (Member* member = members_.find(given.member_id)) member->assignment = std::move(given.assignment);
      }
      storing_assignment_.reset();
      state_ = State::stable;
      answer_syncs(step, wire::ErrorCode::none);
    } else {
      storing_assignment_.reset();
      answer_syncs(step, event.error);
      prepare_rebalance(step);
    }
    return;
  }
  const auto storing = storing_static_members_.find(event.store);
  if (storing == storing_static_members_.end()) return;
  const StoringStaticMember stored = std::move(storing->second);
  storing_static_members_.erase(storing);
  Member* member = members_.find(stored.member_id);
  // Since then it may have left, joined again, or be part of a rebalance that will answer it.
  if (member == nullptr || member->awaiting_join != stored.request || state_ != State::stable) return;
  members_.set_awaiting_join(*member, std::nullopt);
  touch(step, *member);
  if (event.error != wire::ErrorCode::none) return refuse_join(step, stored.request, "", event.error);
  JoinAnswer answer = current_generation(stored.request, *member);
  if (stored.can_skip_assignment) {
    answer.skip_assignment = members_.is_leader(member->id);
  } else {
    // An assignment by a leader would be lost on a stable group: an old client is not told that it leads.
    answer.leader = stored.leader_before;
    answer.members.clear();
  }
  step.answer(std::move(answer));
}

void Group::answer_syncs(Step& step, wire::ErrorCode error) {
  members_.for_each([&](Member& member) {
    if (error != wire::ErrorCode::none) member.assignment.clear();
    const auto request = std::exchange(member.awaiting_sync, std::nullopt);
    if (!request) return;
    if (error == wire::ErrorCode::none) {
      step.answer(SyncAnswer{*request, error, protocol_type_, protocol_name_, member.assignment});
    } else {
      step.answer(SyncAnswer{*request, error, {}, {}, {}});
    }
    touch(step, member);
  });
}

void Group::store(Step& step, GroupMetadata metadata) {
  last_store_ = last_store_ + 1;
  step.answer(Store{last_store_, std::move(metadata)});
}

GroupMetadata Group::metadata() const {
  GroupMetadata result;
  result.protocol_type = protocol_type_.value_or("");
  result.generation = generation_;
  result.protocol = protocol_name_;
  result.leader = members_.leader();
  for (const auto& [id, member] : members_.all()) {
    MemberMetadata stored;
    stored.member_id = id;
    stored.instance_id = member.instance_id;
    stored.client_id = member.client_id;
    stored.client_host = member.client_host;
    stored.rebalance_timeout_ms = static_cast<std::int32_t>(member.rebalance_timeout.count());
    stored.session_timeout_ms = static_cast<std::int32_t>(member.session_timeout.count());
    stored.subscription = Buffer(member.metadata_of(protocol_name_.value_or("")));
    stored.assignment = member.assignment;
    result.members.push_back(std::move(stored));
  }
  return result;
}

}  // namespace tripos::groups
