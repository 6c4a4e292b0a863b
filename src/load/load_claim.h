// LoadClaims: one load per topic at a time (docs/adr/0017).
//
//   state    event                                         becomes
//   free     claim()                                       held
//   held     the last hold of the claim goes               free     (a load ends, its connection closes, its last append is answered)
//   held     claim() by another, idle for `idle_max`       held by the other; the old claim is lost
//   held     claim() by another, else                      held; the other gets conflict
//   lost     enter()                                       lost; the load is told
//
// Threads: any.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "io/clock.h"
#include "model/ids.h"

namespace tripos::load {

class LoadClaims : public std::enable_shared_from_this<LoadClaims> {
 public:
  static constexpr MonotonicClock::duration idle_max = std::chrono::seconds(60);

  class Claim {
   public:
    Claim(std::shared_ptr<LoadClaims> claims, const TopicId& topic) : claims_(std::move(claims)), topic_(topic) {}
    ~Claim();
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

    // Something is done for the load until as many leave() have come. conflict: the claim is lost.
    [[nodiscard]] Result<> enter();
    void leave();

   private:
    friend class LoadClaims;
    std::shared_ptr<LoadClaims> claims_;
    TopicId topic_;
    // Under the lock of claims_.
    bool lost_ = false;
    std::size_t busy_count_ = 0;
    MonotonicTime last_used_{};
  };

  explicit LoadClaims(io::Clock& clock) : clock_(clock) {}

  // conflict: somebody loads it. `name`: of the topic, for messages.
  [[nodiscard]] Result<std::shared_ptr<Claim>> claim(const TopicId& topic, const std::string& name);

 private:
  io::Clock& clock_;
  std::mutex mutex_;
  std::map<TopicId, Claim*> held_;
};

// Holds a claim entered.
class EnteredClaim {
 public:
  [[nodiscard]] static Result<EnteredClaim> enter(std::shared_ptr<LoadClaims::Claim> claim) {
    TRIPOS_TRY(claim->enter());
    return EnteredClaim(std::move(claim));
  }
  EnteredClaim(EnteredClaim&&) noexcept = default;
  EnteredClaim& operator=(EnteredClaim&&) = delete;
  ~EnteredClaim() {
    if (claim_) claim_->leave();
  }

 private:
  explicit EnteredClaim(std::shared_ptr<LoadClaims::Claim> claim) : claim_(std::move(claim)) {}
  std::shared_ptr<LoadClaims::Claim> claim_;
};

}  // namespace tripos::load
