// Random runs of one transactional id: producers that come, go on, and are fenced; records that are stored, refused or lost in a crash.
// The naive model knows nothing of states: it keeps what was told to whom, and checks that it fits together.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <vector>

#include "broker/transaction/transaction.h"

namespace tripos::transactions {
namespace {

using wire::ErrorCode;

class World {
 public:
  void init(int index, bool goes_on) {
    Client& client = clients_.at(static_cast<std::size_t>(index));
    InitProducer event{.request = next_request(), .timeout_ms = 1000, .expected = {}, .new_id = {}};
    if (goes_on && client.has_producer()) event.expected = client.producer;
    if (transaction_.needs_producer_id(event.expected)) event.new_id = ProducerId(next_id_++);
    asked_[event.request] = {.client = index, .goes_on = event.expected.has_value(), .committed = {}, .partitions = {}};
    apply(event);
  }

  void add(int index, std::int32_t partition) {
    const Partitions partitions = {{"t", partition}};
    const RequestId request = next_request();
    asked_[request] = {.client = index, .goes_on = false, .committed = {}, .partitions = partitions};
    apply(AddPartitions{request, clients_.at(static_cast<std::size_t>(index)).producer, partitions});
  }

  void end(int index, bool committed) {
    const RequestId request = next_request();
    asked_[request] = {.client = index, .goes_on = false, .committed = committed, .partitions = {}};
    apply(End{request, clients_.at(static_cast<std::size_t>(index)).producer, committed});
  }

  void finish_store(bool succeeds) {
    if (!storing_) return;
    if (succeeds) {
      durable_ = storing_->metadata;
      before_completion_.reset();
    }
    storing_.reset();
    apply(Stored{succeeds ? ErrorCode::none : ErrorCode::coordinator_not_available});
  }

  void markers_durable() {
    if (!writing_) return;
    finished_ = writing_->committed;
    writing_.reset();
    decided_.reset();
    open_.clear();
    apply(MarkersDurable{});
  }

  void pass(int ms) {
    now_ += std::chrono::milliseconds(ms);
    wall_ms_ += ms;
    if (transaction_.next_deadline() && *transaction_.next_deadline() <= now_) apply(TimePassed{});
  }

  // Whatever was under way may be durable, or may be lost; answers are.
  void crash(bool survives) {
    if (survives && storing_) {
      durable_ = storing_->metadata;
    } else if (!survives && before_completion_) {
      durable_ = before_completion_;  // nobody waited for the record of the completion
    }
    before_completion_.reset();
    storing_.reset();
    writing_.reset();
    asked_.clear();
    transaction_ = durable_ ? Transaction::restore(*durable_, now_, wall_ms_) : Transaction();
    if (auto markers = transaction_.pending_markers()) begin_writing(*markers);
  }

  void check() {
    int writers = 0;
    for (const Client& client : clients_) {
      for (std::int32_t partition = 0; partition < 3; ++partition) {
        if (transaction_.verify(client.producer, {"t", partition}) != ErrorCode::none) continue;
        RC_ASSERT(client.producer == newest_);  // a fenced producer never writes
        RC_ASSERT(!writing_ && !is_ending());
        ++writers;
      }
      for (const Client& other : clients_) {
        RC_ASSERT(&client == &other || !client.has_producer() || client.producer != other.producer);  // nobody shares an epoch
      }
    }
    RC_ASSERT(writers <= 3);
  }

 private:
  struct Client {
    ProducerIdAndEpoch producer{ProducerId(1), ProducerEpoch(0)};  // nobody's, at first
    [[nodiscard]] bool has_producer() const { return producer.id != ProducerId(1); }
  };
  struct Asked {
    int client;
    bool goes_on;
    std::optional<bool> committed;
    Partitions partitions;
  };

  RequestId next_request() { return last_request_ = last_request_ + 1; }

  [[nodiscard]] bool is_ending() const { return storing_ && storing_->metadata && storing_->metadata->state != State::ongoing; }

  void begin_writing(const WriteMarkers& markers) {
    RC_ASSERT(!writing_);
    // What was decided once stays decided: also after a crash in the middle of it.
    if (decided_ && decided_->producer == markers.producer) RC_ASSERT(decided_->committed == markers.committed);
    RC_ASSERT(std::ranges::includes(markers.partitions, open_));  // nothing that was written to is left out
    RC_ASSERT(durable_ && (durable_->state == State::prepare_commit || durable_->state == State::prepare_abort));
    decided_ = writing_ = markers;
    if (markers.committed) RC_ASSERT(asked_to_commit_);
  }

  void apply(Event event) {
    for (Effect& effect : transaction_.step(std::move(event), now_, wall_ms_)) {
      if (const auto* init = std::get_if<InitAnswer>(&effect)) {
        answered(*init);
      } else if (const auto* plain = std::get_if<PlainAnswer>(&effect)) {
        answered(*plain);
      } else if (const auto* markers = std::get_if<WriteMarkers>(&effect)) {
        begin_writing(*markers);
      } else {
        const auto& store = std::get<Store>(effect);
        RC_ASSERT(!storing_);  // one at a time
        if (store.awaited) {
          storing_ = store;
        } else {
          before_completion_ = std::exchange(durable_, store.metadata);
        }
      }
    }
  }

  void answered(const InitAnswer& answer) {
    const auto asked = asked_.extract(answer.request);
    RC_ASSERT(!asked.empty());
    if (answer.error != ErrorCode::none) return;
    Client& client = clients_.at(static_cast<std::size_t>(asked.mapped().client));
    // A fresh producer gets what nobody had; one that goes on may be told again what it was told before.
    const bool is_known = std::ranges::find(given_, answer.producer) != given_.end();
    RC_ASSERT(!is_known || (asked.mapped().goes_on && answer.producer == newest_));
    for (Client& other : clients_) {
      if (&other != &client && other.producer == answer.producer) other = Client();  // the retry of a request that had two senders
    }
    given_.push_back(answer.producer);
    newest_ = answer.producer;
    client.producer = answer.producer;
    open_.clear();
    asked_to_commit_ = false;
    RC_ASSERT(durable_ && durable_->producer_id == answer.producer.id && durable_->producer_epoch == answer.producer.epoch);
  }

  void answered(const PlainAnswer& answer) {
    const auto asked = asked_.extract(answer.request);
    RC_ASSERT(!asked.empty());
    const Asked& request = asked.mapped();
    if (answer.error != ErrorCode::none) return;
    RC_ASSERT(clients_.at(static_cast<std::size_t>(request.client)).producer == newest_);
    if (request.committed) {
      RC_ASSERT(finished_ == request.committed && !writing_);  // its markers are durable
    } else {
      open_.insert(request.partitions.begin(), request.partitions.end());
      RC_ASSERT(durable_ && durable_->state == State::ongoing && std::ranges::includes(durable_->partitions, open_));
    }
  }

 public:
  void note_commit_wish() { asked_to_commit_ = true; }

 private:
  Transaction transaction_;
  MonotonicTime now_{std::chrono::seconds(100)};
  std::int64_t wall_ms_ = 1'000'000;
  std::vector<Client> clients_ = std::vector<Client>(3);
  std::int64_t next_id_ = 1000;
  RequestId last_request_{0};
  std::map<RequestId, Asked> asked_;
  std::optional<Store> storing_;
  std::optional<TransactionMetadata> durable_;
  std::optional<TransactionMetadata> before_completion_;  // what is durable if the record of the completion is not
  std::optional<WriteMarkers> writing_;
  std::optional<WriteMarkers> decided_;
  std::optional<bool> finished_;
  std::vector<ProducerIdAndEpoch> given_;
  ProducerIdAndEpoch newest_;
  Partitions open_;  // that the newest producer was told it may write to
  bool asked_to_commit_ = false;
};

TEST(Transaction, RandomRunsFitTogether) {
  const bool holds = rc::check("what is told to producers fits together", [] {
    World world;
    const auto steps = *rc::gen::inRange(1, 120);
    for (int i = 0; i < steps; ++i) {
      const int client = *rc::gen::inRange(0, 3);
      switch (*rc::gen::inRange(0, 16)) {
        case 0: world.init(client, false); break;
        case 1:
        case 2: world.init(client, true); break;
        case 3:
        case 4:
        case 5: world.add(client, *rc::gen::inRange(0, 3)); break;
        case 6:
        case 7: {
          world.note_commit_wish();
          world.end(client, true);
          break;
        }
        case 8: world.end(client, false); break;
        case 9:
        case 10:
        case 11: world.finish_store(true); break;
        case 12: world.finish_store(false); break;
        case 13: world.markers_durable(); break;
        case 14: world.pass(*rc::gen::inRange(1, 1500)); break;
        default: world.crash(*rc::gen::arbitrary<bool>()); break;
      }
      world.check();
    }
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace tripos::transactions
