#include "load/load_claim.h"

namespace tripos::load {

LoadClaims::Claim::~Claim() {
  const std::lock_guard lock(claims_->mutex_);
  const auto held = claims_->held_.find(topic_);
  if (held != claims_->held_.end() && held->second == this) claims_->held_.erase(held);
}

Result<> LoadClaims::Claim::enter() {
  const std::lock_guard lock(claims_->mutex_);
  if (lost_) {
    return fail(ErrorCode::conflict,
                "nothing came for more than {} seconds, and another load of the topic has begun: load again when that has ended, which "
                "goes on where this one stopped",
                std::chrono::duration_cast<std::chrono::seconds>(idle_max).count());
  }
  ++busy_count_;
  return {};
}

void LoadClaims::Claim::leave() {
  const std::lock_guard lock(claims_->mutex_);
  --busy_count_;
  last_used_ = claims_->clock_.monotonic();
}

Result<std::shared_ptr<LoadClaims::Claim>> LoadClaims::claim(const TopicId& topic, const std::string& name) {
  auto claim = std::make_shared<Claim>(shared_from_this(), topic);
  const std::lock_guard lock(mutex_);
  Claim*& holder = held_[topic];
  claim->last_used_ = clock_.monotonic();
  if (holder != nullptr) {
    if (holder->busy_count_ > 0 || claim->last_used_ - holder->last_used_ <= idle_max) {
      return fail(ErrorCode::conflict,
                  "another load of topic {} is under way: wait until it has ended, or add everything again with --append", name);
    }
    holder->lost_ = true;
  }
  holder = claim.get();
  return claim;
}

}  // namespace tripos::load
