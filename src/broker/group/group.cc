#include "broker/group/group.h"

#include <algorithm>

#include "base/check.h"
#include "broker/group/group_step.h"

namespace tripos::groups {

std::string_view to_string(State state) noexcept {
  switch (state) {
    case State::empty: return "Empty";
    case State::preparing_rebalance: return "PreparingRebalance";
    case State::completing_rebalance: return "CompletingRebalance";
    case State::stable: return "Stable";
    case State::dead: return "Dead";
  }
  return "Dead";
}

Group::Group(std::string id, const GroupSettings& settings) : id_(std::move(id)), settings_(settings) {}

Group Group::restore(std::string id, const GroupSettings& settings, GroupMetadata metadata, MonotonicTime now) {
  Group group(std::move(id), settings);
  Step step{now, {}};
  group.generation_ = metadata.generation;
  if (!metadata.protocol_type.empty()) group.protocol_type_ = std::move(metadata.protocol_type);
  group.protocol_name_ = std::move(metadata.protocol);
  for (MemberMetadata& stored : metadata.members) {
    const bool is_twice = group.members_.find(stored.member_id) != nullptr ||
                          (stored.instance_id && group.members_.find_static(*stored.instance_id) != nullptr);
    if (is_twice) continue;
    Member member;
    member.id = std::move(stored.member_id);
    member.instance_id = std::move(stored.instance_id);
    member.client_id = std::move(stored.client_id);
    member.client_host = std::move(stored.client_host);
    member.rebalance_timeout = milliseconds(stored.rebalance_timeout_ms);
    member.session_timeout = milliseconds(stored.session_timeout_ms);
    member.protocols.push_back(Protocol{group.protocol_name_.value_or(""), std::move(stored.subscription)});
    member.assignment = std::move(stored.assignment);
    member.is_new = false;
    group.touch(step, group.members_.add(std::move(member)));
  }
  group.members_.restore_leader(std::move(metadata.leader));
  if (!group.members_.empty()) group.state_ = State::stable;
  return group;
}

Effects Group::step(Event event, MonotonicTime now) {
  Step step{now, {}};
  std::visit([&](auto& kind) { handle(step, kind); }, event);
  advance_rebalance(step);
  return std::move(step.effects);
}

void Group::handle(Step& step, Heartbeat& event) {
  if (state_ == State::dead) return step.answer_plain(event.request, wire::ErrorCode::coordinator_not_available);
  wire::ErrorCode error = check_member(event.member_id, event.instance_id);
  if (error == wire::ErrorCode::none && event.generation != generation_) error = wire::ErrorCode::illegal_generation;
  if (error == wire::ErrorCode::none) {
    touch(step, *members_.find(event.member_id));
    if (state_ == State::preparing_rebalance) error = wire::ErrorCode::rebalance_in_progress;
  }
  step.answer_plain(event.request, error);
}

void Group::handle(Step& step, Commit& event) {
  if (state_ == State::dead) return step.answer_plain(event.request, wire::ErrorCode::coordinator_not_available);
  const bool names_member = event.generation >= 0 || !event.member_id.empty() || event.instance_id;
  wire::ErrorCode error = wire::ErrorCode::none;
  if (event.generation < 0 && state_ == State::empty) {
    // There is no member that this could be.
  } else if (!names_member) {
    // Partitions that a group has shared out can't be committed from outside. In a transaction they can, as on Kafka: its producer is
    // fenced by its transactional id.
    if (!event.transactional) error = wire::ErrorCode::unknown_member_id;
  } else {
    error = check_member(event.member_id, event.instance_id);
    if (error == wire::ErrorCode::none && event.generation != generation_) error = wire::ErrorCode::illegal_generation;
    // The member knows the new generation but not its partitions: it is to sync first.
    if (error == wire::ErrorCode::none && state_ == State::completing_rebalance && !event.transactional)
      error = wire::ErrorCode::rebalance_in_progress;
    if (error == wire::ErrorCode::none) touch(step, *members_.find(event.member_id));
  }
  step.answer_plain(event.request, error);
}

void Group::handle(Step& step, Delete& event) {
  if (state_ == State::dead) return step.answer_plain(event.request, wire::ErrorCode::group_id_not_found);
  if (state_ != State::empty) return step.answer_plain(event.request, wire::ErrorCode::non_empty_group);
  state_ = State::dead;
  pending_.clear();
  step.answer_plain(event.request, wire::ErrorCode::none);
}

void Group::handle(Step& step, Leave& event) {
  LeaveAnswer answer{event.request, wire::ErrorCode::none, {}};
  if (state_ == State::dead) {
    answer.error = wire::ErrorCode::coordinator_not_available;
  } else {
    for (LeavingMember& leaving : event.members) {
      const wire::ErrorCode error = leave(step, leaving);
      answer.members.push_back(LeftMember{std::move(leaving), error});
    }
  }
  step.answer(std::move(answer));
}

wire::ErrorCode Group::leave(Step& step, const LeavingMember& leaving) {
  if (leaving.member_id.empty()) {
    const std::string* member_id = leaving.instance_id ? members_.find_static(*leaving.instance_id) : nullptr;
    if (member_id == nullptr) return wire::ErrorCode::unknown_member_id;
    remove_member(step, std::string(*member_id));
    return wire::ErrorCode::none;
  }
  if (const auto pending = pending_.find(leaving.member_id); pending != pending_.end()) {
    pending_.erase(pending);
    return wire::ErrorCode::none;
  }
  const wire::ErrorCode error = check_member(leaving.member_id, leaving.instance_id);
  if (error == wire::ErrorCode::none) remove_member(step, leaving.member_id);
  return error;
}

void Group::handle(Step& step, TimePassed& /*event*/) {
  std::erase_if(pending_, [&](const auto& entry) { return entry.second <= step.now; });

  std::vector<std::string> expired;
  for (const auto& [id, member] : members_.all()) {
    if (member.can_expire() && member.expires <= step.now) expired.push_back(id);
  }
  // Removing one prepares a rebalance, which answers and so renews those who wait, but nobody who is silent.
  for (const std::string& id : expired) {
    if (members_.find(id) != nullptr) remove_member(step, id);
  }
  if (sync_deadline_ && *sync_deadline_ <= step.now) expire_owed_syncs(step);
  advance_rebalance(step);
  find_next_deadline();
}

wire::ErrorCode Group::check_member(std::string_view member_id, const std::optional<std::string>& instance_id) const {
  if (instance_id) {
    const std::string* current = members_.find_static(*instance_id);
    if (current == nullptr) return wire::ErrorCode::unknown_member_id;
    return *current == member_id ? wire::ErrorCode::none : wire::ErrorCode::fenced_instance_id;
  }
  return members_.find(member_id) == nullptr ? wire::ErrorCode::unknown_member_id : wire::ErrorCode::none;
}

void Group::remove_member(Step& step, const std::string& member_id) {
  Member* member = members_.find(member_id);
  CHECK(member != nullptr);
  if (const auto request = members_.set_awaiting_join(*member, std::nullopt))
    refuse_join(step, *request, "", wire::ErrorCode::unknown_member_id);
  if (const auto request = std::exchange(member->awaiting_sync, std::nullopt)) {
    step.answer(SyncAnswer{*request, wire::ErrorCode::unknown_member_id, {}, {}, {}});
  }
  members_.remove(member_id);
  finish_sync_phase();
  if (state_ == State::stable || state_ == State::completing_rebalance) prepare_rebalance(step);
}

void Group::touch(Step& step, Member& member, std::optional<milliseconds> timeout) {
  member.expires = step.now + timeout.value_or(member.session_timeout);
  wake_at(member.expires);
}

void Group::wake_at(MonotonicTime deadline) noexcept {
  if (!next_deadline_ || deadline < *next_deadline_) next_deadline_ = deadline;
}

void Group::find_next_deadline() {
  next_deadline_.reset();
  for (const auto& [id, lapses] : pending_) wake_at(lapses);
  for (const auto& [id, member] : members_.all()) {
    if (member.can_expire()) wake_at(member.expires);
  }
  if (rebalance_) wake_at(rebalance_->deadline);
  if (sync_deadline_) wake_at(*sync_deadline_);
}

}  // namespace tripos::groups
