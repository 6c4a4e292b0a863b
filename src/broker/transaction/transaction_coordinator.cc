#include "broker/transaction/transaction_coordinator.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "broker/group/offsets_partition.h"

namespace tripos::transactions {

namespace {

// What a producer is told when a record can't be stored: to look for the coordinator and try again, unless that is no use.
wire::ErrorCode store_error(wire::ErrorCode error) {
  if (error == wire::ErrorCode::none) return error;
  const bool is_too_large = error == wire::ErrorCode::message_too_large || error == wire::ErrorCode::record_list_too_large;
  return is_too_large ? wire::ErrorCode::unknown_server_error : wire::ErrorCode::coordinator_not_available;
}

template <typename Callbacks, typename... Values>
void answer(Callbacks& callbacks, RequestId request, Values... values) {
  auto node = callbacks.extract(request);
  CHECK(!node.empty());
  node.mapped()(values...);
}

}  // namespace

TransactionCoordinator::TransactionCoordinator(const TransactionSettings& settings, std::unique_ptr<TransactionLog> log,
                                               std::unique_ptr<TransactionPartitions> partitions, NextProducerId next_producer_id,
                                               io::Executor& executor, const io::Clock& clock)
    : settings_(settings),
      log_(std::move(log)),
      partitions_(std::move(partitions)),
      next_producer_id_(std::move(next_producer_id)),
      executor_(executor),
      clock_(clock),
      alive_(std::make_shared<TransactionCoordinator*>(this)) {}

TransactionCoordinator::~TransactionCoordinator() {
  *alive_ = nullptr;
  executor_.cancel(expiry_timer_);
  for (auto& [id, entry] : entries_) executor_.cancel(entry.timer);
}

// ---- Entries

TransactionCoordinator::Entry* TransactionCoordinator::find_entry(std::string_view id, std::uint64_t incarnation) {
  const auto found = entries_.find(id);
  return found != entries_.end() && found->second.incarnation == incarnation ? &found->second : nullptr;
}

TransactionCoordinator::Entry& TransactionCoordinator::entry_of(const std::string& id) {
  const auto [entry, added] = entries_.try_emplace(id);
  if (added) entry->second.incarnation = ++last_incarnation_;
  return entry->second;
}

const Transaction* TransactionCoordinator::find(std::string_view id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() || found->second.transaction.is_new() ? nullptr : &found->second.transaction;
}

void TransactionCoordinator::for_each(const std::function<void(const std::string&, const Transaction&)>& visit) const {
  for (const auto& [id, entry] : entries_) {
    if (!entry.transaction.is_new()) visit(id, entry.transaction);
  }
}

PartitionId TransactionCoordinator::partition_of(std::string_view id) const {
  return groups::offsets_partition(id, log_->partition_count());  // Kafka's rule is the same for both topics
}

wire::ErrorCode TransactionCoordinator::check_id(std::string_view id) const {
  if (id.empty()) return wire::ErrorCode::invalid_request;
  return unread_partitions_.contains(partition_of(id).value()) ? wire::ErrorCode::coordinator_not_available : wire::ErrorCode::none;
}

// ---- Start

TransactionLoadReport TransactionCoordinator::load() {
  TransactionLoadReport report;
  const MonotonicTime now = clock_.monotonic();
  for (std::int32_t partition = 0; partition < log_->partition_count(); ++partition) {
    std::map<std::string, TransactionMetadata> loaded;
    const auto skip = [&report](const Error& error) {
      ++report.skipped_records;
      if (report.first_broken.empty()) report.first_broken = error.message;
    };
    const auto read = log_->read_all(PartitionId(partition), [&](std::optional<Bytes> key, std::optional<Bytes> value) {
      auto id = decode_transaction_key(key.value_or(Bytes()));
      if (!id) return skip(id.error());
      if (!value) {
        loaded.erase(*id);
        return;
      }
      auto metadata = decode_transaction_metadata(*value);
      if (!metadata) return skip(metadata.error());
      loaded[std::move(*id)] = std::move(*metadata);
    });
    if (!read) {
      report.unread.push_back(read.error().message);
      unread_partitions_.insert(partition);
      continue;
    }
    for (auto& [id, metadata] : loaded) {
      if (metadata.state == State::dead) continue;
      if (!metadata.straddling.empty()) partitions_->restore(id, metadata.straddling);
      Entry& entry = entry_of(id);
      auto first_offsets = std::exchange(metadata.first_offsets, std::nullopt);
      entry.transaction = Transaction::restore(std::move(metadata), now, wall_ms());
      if (const auto markers = entry.transaction.pending_markers()) {
        completing_[markers->producer.id] = {.partitions = markers->partitions, .first_offsets = std::move(first_offsets)};
      }
      set_timer(id, entry);
    }
  }
  report.transactions = entries_.size();
  schedule_expiry();
  return report;
}

bool TransactionCoordinator::is_completing(ProducerId producer_id, const TopicPartitionName& partition, Offset first) const {
  const auto found = completing_.find(producer_id);
  if (found == completing_.end() || !found->second.partitions.contains(partition)) return false;
  const auto& first_offsets = found->second.first_offsets;
  if (!first_offsets) return true;
  const auto begin = first_offsets->find(partition);
  return begin != first_offsets->end() && first >= begin->second;
}

void TransactionCoordinator::complete_prepared() {
  std::vector<std::pair<std::string, std::uint64_t>> prepared;
  for (const auto& [id, entry] : entries_) {
    if (entry.transaction.pending_markers()) prepared.emplace_back(id, entry.incarnation);
  }
  for (const auto& [id, incarnation] : prepared) {
    if (const Entry* entry = find_entry(id, incarnation)) write_markers(id, incarnation, *entry->transaction.pending_markers());
  }
}

// ---- Requests

void TransactionCoordinator::init_producer(const std::string& id, std::int32_t timeout_ms, std::optional<ProducerIdAndEpoch> expected,
                                           const InitCallback& done) {
  if (const wire::ErrorCode error = check_id(id); error != wire::ErrorCode::none) return done(error, {});
  if (timeout_ms <= 0 || std::chrono::milliseconds(timeout_ms) > settings_.timeout_max) {
    return done(wire::ErrorCode::invalid_transaction_timeout, {});
  }
  const auto begin = [this, id, timeout_ms, expected, done](std::optional<ProducerId> new_id) {
    InitProducer event{.request = next_request(), .timeout_ms = timeout_ms, .expected = expected, .new_id = new_id};
    inits_.emplace(event.request, done);
    perform(id, entry_of(id), event);
  };
  const Transaction* known = find(id);
  if (known != nullptr && !known->needs_producer_id(expected)) return begin(std::nullopt);
  next_producer_id_([alive = alive_, begin, done](tl::expected<ProducerId, wire::ErrorCode> new_id) {
    if (*alive == nullptr) return;
    if (!new_id) return done(store_error(new_id.error()), {});
    begin(*new_id);
  });
}

void TransactionCoordinator::add_partitions(const std::string& id, ProducerIdAndEpoch producer, Partitions partitions, ErrorCallback done) {
  if (const wire::ErrorCode error = check_id(id); error != wire::ErrorCode::none) return done(error);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return done(wire::ErrorCode::invalid_producer_id_mapping);
  AddPartitions event{.request = next_request(), .producer = producer, .partitions = std::move(partitions)};
  plain_.emplace(event.request, std::move(done));
  perform(id, found->second, std::move(event));
}

void TransactionCoordinator::end(const std::string& id, ProducerIdAndEpoch producer, bool committed, ErrorCallback done) {
  if (const wire::ErrorCode error = check_id(id); error != wire::ErrorCode::none) return done(error);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return done(wire::ErrorCode::invalid_producer_id_mapping);
  End event{.request = next_request(), .producer = producer, .committed = committed};
  plain_.emplace(event.request, std::move(done));
  perform(id, found->second, event);
}

wire::ErrorCode TransactionCoordinator::verify(std::string_view id, const ProducerIdAndEpoch& producer,
                                               const TopicPartitionName& partition) const {
  if (const wire::ErrorCode error = check_id(id); error != wire::ErrorCode::none) return error;
  const Transaction* transaction = find(id);
  return transaction == nullptr ? wire::ErrorCode::invalid_producer_id_mapping : transaction->verify(producer, partition);
}

// ---- Effects

void TransactionCoordinator::perform(const std::string& id, Entry& entry, Event event) {
  Effects effects = entry.transaction.step(std::move(event), clock_.monotonic(), wall_ms());
  const std::uint64_t incarnation = entry.incarnation;
  if (entry.transaction.state() == State::dead) {
    executor_.cancel(entry.timer);
    entries_.erase(std::string(id));
  } else {
    set_timer(id, entry);
  }
  for (Effect& effect : effects) perform(id, incarnation, effect);  // `entry` may be gone from the first on
}

void TransactionCoordinator::perform(const std::string& id, std::uint64_t incarnation, Effect& effect) {
  if (const auto* init = std::get_if<InitAnswer>(&effect)) {
    answer(inits_, init->request, init->error, init->producer);
  } else if (const auto* plain = std::get_if<PlainAnswer>(&effect)) {
    answer(plain_, plain->request, plain->error);
  } else if (auto* stored = std::get_if<Store>(&effect)) {
    store(id, incarnation, *stored);
  } else {
    const auto& markers = std::get<WriteMarkers>(effect);
    completing_[markers.producer.id] = {.partitions = markers.partitions, .first_offsets = {}};
    write_markers(id, incarnation, markers);
  }
}

void TransactionCoordinator::store(const std::string& id, std::uint64_t incarnation, Store& effect) {
  std::optional<Buffer> value;
  if (effect.metadata) {
    TransactionMetadata& metadata = *effect.metadata;
    if (is_prepared(metadata.state)) metadata.first_offsets = partitions_->first_offsets(metadata.producer_id, metadata.partitions);
    value = encode(metadata);
  }
  log_->append(partition_of(id), encode_transaction_key(id), std::move(value),
               [alive = alive_, id, incarnation, awaited = effect.awaited](wire::ErrorCode error) {
                 TransactionCoordinator* self = *alive;
                 Entry* entry = self == nullptr || !awaited ? nullptr : self->find_entry(id, incarnation);
                 if (entry != nullptr) self->perform(id, *entry, Stored{store_error(error)});
               });
}

void TransactionCoordinator::write_markers(const std::string& id, std::uint64_t incarnation, const WriteMarkers& effect) {
  const TransactionMarker marker{
      .producer_id = effect.producer.id, .producer_epoch = effect.producer.epoch, .committed = effect.committed, .coordinator_epoch = 0};
  Entry* entry = find_entry(id, incarnation);
  CHECK(entry != nullptr);
  entry->markers_left = effect.partitions.size() + 1;  // and this call
  for (const TopicPartitionName& partition : effect.partitions) write_marker(id, incarnation, partition, marker);
  marker_written(id, incarnation);
}

void TransactionCoordinator::write_marker(const std::string& id, std::uint64_t incarnation, const TopicPartitionName& partition,
                                          const TransactionMarker& marker) {
  partitions_->append_marker(partition, marker, [alive = alive_, id, incarnation, partition, marker](wire::ErrorCode error) {
    TransactionCoordinator* self = *alive;
    if (self == nullptr) return;
    const bool is_done = error == wire::ErrorCode::none || error == wire::ErrorCode::unknown_topic_or_partition ||
                         error == wire::ErrorCode::invalid_producer_epoch;
    if (is_done) return self->marker_written(id, incarnation);
    // A full disk, a damaged partition: the decision stands, and nothing of the transaction is shown before all markers are there.
    (void)self->executor_.post_after(self->settings_.marker_retry, [alive, id, incarnation, partition, marker] {
      if (*alive != nullptr) (*alive)->write_marker(id, incarnation, partition, marker);
    });
  });
}

void TransactionCoordinator::marker_written(const std::string& id, std::uint64_t incarnation) {
  Entry* entry = find_entry(id, incarnation);
  CHECK(entry != nullptr && entry->markers_left > 0);  // a transaction that is being completed does not expire
  if (--entry->markers_left > 0) return;
  const auto markers = entry->transaction.pending_markers();
  CHECK(markers.has_value());
  completing_.erase(markers->producer.id);
  const TransactionMarker marker{.producer_id = markers->producer.id,
                                 .producer_epoch = markers->producer.epoch,
                                 .committed = markers->committed,
                                 .coordinator_epoch = 0};
  partitions_->release(id, marker, markers->partitions);
  perform(id, *entry, MarkersDurable{.straddling = partitions_->straddling(id)});
}

// ---- Time

void TransactionCoordinator::set_timer(const std::string& id, Entry& entry) {
  const std::optional<MonotonicTime> due = entry.transaction.next_deadline();
  if (!due || (entry.timer_due && *entry.timer_due <= *due)) return;  // when the timer runs, it is set anew
  executor_.cancel(entry.timer);
  entry.timer_due = due;
  const auto delay = std::max(*due - clock_.monotonic(), MonotonicClock::duration::zero());
  entry.timer = executor_.post_after(delay, [this, id, incarnation = entry.incarnation] {
    Entry* found = find_entry(id, incarnation);
    if (found == nullptr) return;
    found->timer = io::no_timer;
    found->timer_due.reset();
    perform(id, *found, TimePassed{});
  });
}

void TransactionCoordinator::expire_ids() {
  const std::int64_t before_ms = wall_ms() - settings_.id_expiration.count();
  std::vector<std::pair<std::string, std::uint64_t>> idle;
  for (const auto& [id, entry] : entries_) {
    if (entry.transaction.metadata().update_timestamp_ms >= before_ms) continue;
    if (!partitions_->straddling(id).empty()) continue;  // a restart must know of them
    idle.emplace_back(id, entry.incarnation);
  }
  for (const auto& [id, incarnation] : idle) {
    if (Entry* entry = find_entry(id, incarnation)) perform(id, *entry, Expire{});
  }
}

void TransactionCoordinator::schedule_expiry() {
  expiry_timer_ = executor_.post_after(settings_.expiration_check_interval, [this] {
    expire_ids();
    schedule_expiry();
  });
}

}  // namespace tripos::transactions
