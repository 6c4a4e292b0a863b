// From one generation to the next: collecting the members, electing the leader, waiting for their SyncGroups.
#include <algorithm>

#include "base/check.h"
#include "broker/group/group.h"
#include "broker/group/group_step.h"

namespace tripos::groups {

void Group::prepare_rebalance(Step& step) {
  if (state_ != State::empty && state_ != State::completing_rebalance && state_ != State::stable) return;
  if (state_ == State::completing_rebalance) {
    storing_assignment_.reset();
    answer_syncs(step, wire::ErrorCode::rebalance_in_progress);
  }
  sync_deadline_.reset();
  const milliseconds timeout = members_.rebalance_timeout();
  const milliseconds delay = settings_.initial_rebalance_delay;
  if (state_ == State::empty) {
    rebalance_ = Rebalance{true, step.now + delay, std::max(timeout - delay, milliseconds(0)), false};
  } else {
    rebalance_ = Rebalance{false, step.now + timeout, milliseconds(0), false};
  }
  wake_at(rebalance_->deadline);
  state_ = State::preparing_rebalance;
}

void Group::advance_rebalance(Step& step) {
  if (state_ != State::preparing_rebalance) return;
  const bool is_due = rebalance_->deadline <= step.now;
  if (rebalance_->initial) {
    if (!is_due) return;
    if (rebalance_->member_added && rebalance_->extension > milliseconds(0)) {
      const milliseconds delay = std::min(settings_.initial_rebalance_delay, rebalance_->extension);
      rebalance_->deadline = step.now + delay;
      rebalance_->extension -= delay;
      rebalance_->member_added = false;
      wake_at(rebalance_->deadline);
      if (delay > milliseconds(0)) return;
    }
    complete_join(step);
  } else if (is_due || (members_.joined_count() == members_.size() && pending_.empty())) {
    complete_join(step);
  }
}

void Group::complete_join(Step& step) {
  // Static members are given until the end of their session; the others must have come back.
  std::vector<std::string> missing;
  for (const auto& [id, member] : members_.all()) {
    if (!member.awaiting_join && !member.instance_id) missing.push_back(id);
  }
  for (const std::string& id : missing) members_.remove(id);

  if (!members_.empty() && !members_.elect_joined_leader()) {
    // Only static members are left, and none is here: wait until one joins or their sessions end.
    rebalance_ = Rebalance{false, step.now + std::max(members_.rebalance_timeout(), milliseconds(1)), milliseconds(0), false};
    wake_at(rebalance_->deadline);
    return;
  }
  rebalance_.reset();
  ++generation_;
  if (members_.empty()) {
    state_ = State::empty;
    protocol_name_.reset();
    store(step, metadata());
    return;
  }
  state_ = State::completing_rebalance;
  protocol_name_ = members_.select_protocol();
  members_.for_each([&](Member& member) {
    member.owes_sync = true;
    member.is_new = false;
    // The assignments are of the generation before; nobody may take them for the new one's.
    member.assignment.clear();
    if (const auto request = members_.set_awaiting_join(member, std::nullopt)) {
      step.answer(current_generation(*request, member));
      touch(step, member);
    }
  });
  sync_deadline_ = step.now + std::max(members_.rebalance_timeout(), milliseconds(1));
  wake_at(*sync_deadline_);
}

void Group::finish_sync_phase() noexcept {
  if (!sync_deadline_) return;
  const auto owes = [](const auto& entry) { return entry.second.owes_sync; };
  if (std::none_of(members_.all().begin(), members_.all().end(), owes)) sync_deadline_.reset();
}

void Group::expire_owed_syncs(Step& step) {
  sync_deadline_.reset();
  std::vector<std::string> owing;
  for (const auto& [id, member] : members_.all()) {
    if (member.owes_sync) owing.push_back(id);
  }
  for (const std::string& id : owing) remove_member(step, id);
}

}  // namespace tripos::groups
