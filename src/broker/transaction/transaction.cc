#include "broker/transaction/transaction.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"

namespace tripos::transactions {

namespace {

// The last epoch that a producer is given; the one above it is for fencing.
constexpr ProducerEpoch epoch_max{std::numeric_limits<std::int16_t>::max() - 1};
constexpr std::chrono::milliseconds store_retry{1000};

bool is_exhausted(ProducerEpoch epoch) noexcept { return epoch >= epoch_max; }

State completed(State prepared) noexcept { return prepared == State::prepare_commit ? State::complete_commit : State::complete_abort; }

}  // namespace

Transaction Transaction::restore(TransactionMetadata metadata, MonotonicTime now, std::int64_t wall_ms) {
  Transaction self;
  self.metadata_ = std::move(metadata);
  if (self.metadata_.state == State::ongoing) {
    // The wall clock may have jumped: the rest is neither negative nor more than the whole.
    const auto timeout = std::int64_t{self.metadata_.timeout_ms};
    const std::int64_t rest =
        std::clamp<std::int64_t>(self.metadata_.start_timestamp_ms + timeout - wall_ms, 0, std::max<std::int64_t>(timeout, 0));
    self.deadline_ = now + std::chrono::milliseconds(rest);
  }
  return self;
}

std::optional<WriteMarkers> Transaction::pending_markers() const {
  if (!is_prepared(state())) return std::nullopt;
  return WriteMarkers{.producer = {metadata_.producer_id, metadata_.producer_epoch},
                      .committed = state() == State::prepare_commit,
                      .partitions = metadata_.partitions};
}

wire::ErrorCode Transaction::verify(const ProducerIdAndEpoch& producer, const TopicPartitionName& partition) const {
  if (producer.id != metadata_.producer_id) return wire::ErrorCode::invalid_producer_id_mapping;
  if (producer.epoch != metadata_.producer_epoch) return wire::ErrorCode::invalid_producer_epoch;
  // A transaction whose end is being stored takes no more records: they would stand behind its marker.
  const bool is_ending = pending_ && pending_->next && pending_->next->state != State::ongoing;
  if (state() != State::ongoing || is_ending || !metadata_.partitions.contains(partition)) return wire::ErrorCode::invalid_txn_state;
  return wire::ErrorCode::none;
}

bool Transaction::needs_producer_id(const std::optional<ProducerIdAndEpoch>& expected) const noexcept {
  if (is_new()) return true;
  return is_exhausted(metadata_.producer_epoch) && !(expected && is_retry(*expected));
}

Effects Transaction::step(Event event, MonotonicTime now, std::int64_t wall_ms) {
  now_ = now;
  wall_ms_ = wall_ms;
  return std::visit([this](auto&& each) { return on(std::forward<decltype(each)>(each)); }, std::move(event));
}

// ---- Requests

// Whether the answer to an earlier request for the next epoch (or, behind the last epoch, the next id) may have been lost.
bool Transaction::is_retry(const ProducerIdAndEpoch& expected) const noexcept {
  const bool is_same = expected.id == metadata_.producer_id || (expected.id == metadata_.last_producer_id && is_exhausted(expected.epoch));
  return is_same && expected.epoch == metadata_.last_producer_epoch;
}

wire::ErrorCode Transaction::next_producer(const InitProducer& event, TransactionMetadata& next) const {
  const auto& expected = event.expected;
  if (!is_new() && expected) {
    if (is_retry(*expected)) return wire::ErrorCode::none;  // as it is
    if (*expected != ProducerIdAndEpoch{metadata_.producer_id, metadata_.producer_epoch}) return wire::ErrorCode::producer_fenced;
  }
  next.last_producer_epoch = expected ? metadata_.producer_epoch : no_producer_epoch;
  if (is_new() || is_exhausted(metadata_.producer_epoch)) {
    if (!event.new_id) return wire::ErrorCode::concurrent_transactions;  // things have changed since the event was made
    next.last_producer_id = expected ? metadata_.producer_id : no_producer_id;
    next.producer_id = *event.new_id;
    next.producer_epoch = ProducerEpoch(0);
  } else {
    next.last_producer_id = metadata_.producer_id;
    next.producer_epoch = metadata_.producer_epoch + 1;
  }
  return wire::ErrorCode::none;
}

Effects Transaction::on(InitProducer&& event) {
  const auto refuse = [&event](wire::ErrorCode error) {
    return Effects{InitAnswer{.request = event.request, .error = error, .producer = {}}};
  };
  if (pending_ || is_prepared(state()) || state() == State::dead) return refuse(wire::ErrorCode::concurrent_transactions);
  TransactionMetadata next = metadata_;
  const wire::ErrorCode error = next_producer(event, next);
  if (error == wire::ErrorCode::producer_fenced) return refuse(error);
  if (state() == State::ongoing) {
    // The transaction that is open ends first; the producer asks again.
    Effects effects = abort_and_fence();
    effects.emplace_back(InitAnswer{.request = event.request, .error = wire::ErrorCode::concurrent_transactions, .producer = {}});
    return effects;
  }
  if (error != wire::ErrorCode::none) return refuse(error);
  next.timeout_ms = event.timeout_ms;
  next.state = State::empty;
  next.partitions.clear();
  next.start_timestamp_ms = -1;
  return store({.next = std::move(next), .init = event, .request = {}});
}

wire::ErrorCode Transaction::check_producer(const ProducerIdAndEpoch& producer) const {
  if (is_new() || state() == State::dead || producer.id != metadata_.producer_id) return wire::ErrorCode::invalid_producer_id_mapping;
  if (producer.epoch != metadata_.producer_epoch) return wire::ErrorCode::producer_fenced;
  if (pending_) return wire::ErrorCode::concurrent_transactions;
  return wire::ErrorCode::none;
}

Effects Transaction::on(AddPartitions&& event) {
  const auto answer = [&event](wire::ErrorCode error) { return Effects{PlainAnswer{event.request, error}}; };
  if (const wire::ErrorCode error = check_producer(event.producer); error != wire::ErrorCode::none) return answer(error);
  if (is_prepared(state())) return answer(wire::ErrorCode::concurrent_transactions);
  const bool continues = state() == State::ongoing;
  if (continues && std::ranges::includes(metadata_.partitions, event.partitions)) return answer(wire::ErrorCode::none);
  TransactionMetadata next = metadata_;
  if (!continues) {
    next.partitions.clear();
    next.start_timestamp_ms = wall_ms_;
  }
  next.state = State::ongoing;
  next.partitions.merge(event.partitions);
  return store({.next = std::move(next), .init = {}, .request = event.request});
}

Effects Transaction::on(End&& event) {
  const auto answer = [&event](wire::ErrorCode error) { return Effects{PlainAnswer{event.request, error}}; };
  if (const wire::ErrorCode error = check_producer(event.producer); error != wire::ErrorCode::none) return answer(error);
  switch (state()) {
    case State::ongoing: {
      TransactionMetadata next = metadata_;
      next.state = event.committed ? State::prepare_commit : State::prepare_abort;
      return store({.next = std::move(next), .init = {}, .request = event.request});
    }
    case State::prepare_commit:
    case State::prepare_abort: {
      const bool same = event.committed == (state() == State::prepare_commit);
      return answer(same ? wire::ErrorCode::concurrent_transactions : wire::ErrorCode::invalid_txn_state);
    }
    case State::complete_commit:
    case State::complete_abort: {
      const bool same = event.committed == (state() == State::complete_commit);
      return answer(same ? wire::ErrorCode::none : wire::ErrorCode::invalid_txn_state);
    }
    case State::empty:
    case State::dead: break;
  }
  return answer(wire::ErrorCode::invalid_txn_state);
}

// ---- What becomes of the effects

Effects Transaction::store(Pending pending) {
  CHECK(!pending_);
  if (pending.next) pending.next->update_timestamp_ms = wall_ms_;
  pending_ = std::move(pending);
  return {Store{.metadata = pending_->next, .awaited = true}};
}

Effects Transaction::abort_and_fence() {
  TransactionMetadata next = metadata_;
  next.state = State::prepare_abort;
  if (metadata_.producer_epoch <= epoch_max) {
    next.producer_epoch = metadata_.producer_epoch + 1;
    // The producer of that transaction may go on, if it comes before another: nobody has been given the new epoch.
    next.last_producer_epoch = metadata_.producer_epoch;
  }
  return store({.next = std::move(next), .init = {}, .request = {}});
}

Effects Transaction::on(Stored&& event) {
  CHECK(pending_);
  Pending done = std::move(*std::exchange(pending_, std::nullopt));
  if (event.error == wire::ErrorCode::none) return take_effect(std::move(done));
  if (done.init) return {InitAnswer{.request = done.init->request, .error = event.error, .producer = {}}};
  if (done.request) return {PlainAnswer{*done.request, event.error}};
  if (deadline_) deadline_ = std::max(*deadline_, now_ + store_retry);  // an abort of our own is tried again
  return {};
}

Effects Transaction::take_effect(Pending done) {
  if (!done.next) {
    metadata_.state = State::dead;
    return {};
  }
  const bool was_ongoing = state() == State::ongoing;
  metadata_ = std::move(*done.next);
  if (state() != State::ongoing) {
    deadline_.reset();
  } else if (!was_ongoing) {
    deadline_ = now_ + std::chrono::milliseconds(metadata_.timeout_ms);
  }
  if (done.init) {
    return {InitAnswer{
        .request = done.init->request, .error = wire::ErrorCode::none, .producer = {metadata_.producer_id, metadata_.producer_epoch}}};
  }
  if (auto markers = pending_markers()) {
    ending_ = done.request;
    return {std::move(*markers)};
  }
  CHECK(done.request);
  return {PlainAnswer{*done.request, wire::ErrorCode::none}};
}

Effects Transaction::on(MarkersDurable&& event) {
  CHECK(is_prepared(state()) && !pending_);
  metadata_.straddling = std::move(event.straddling);
  metadata_.state = completed(state());
  metadata_.partitions.clear();
  metadata_.update_timestamp_ms = wall_ms_;
  Effects effects = {Store{.metadata = metadata_, .awaited = false}};
  if (const auto request = std::exchange(ending_, std::nullopt)) effects.emplace_back(PlainAnswer{*request, wire::ErrorCode::none});
  return effects;
}

Effects Transaction::on(TimePassed&&) {
  if (!deadline_ || now_ < *deadline_ || pending_) return {};
  return abort_and_fence();
}

Effects Transaction::on(Expire&&) {
  if (pending_ || is_new() || state() == State::ongoing || is_prepared(state()) || state() == State::dead) return {};
  return store({.next = std::nullopt, .init = {}, .request = {}});
}

}  // namespace tripos::transactions
