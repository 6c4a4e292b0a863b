#include "broker/partition.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tripos::broker {

namespace {

KafkaError refusal(SequenceError error, const ProducedBatch& batch) {
  switch (error) {
    case SequenceError::out_of_order:
      return {.code = wire::ErrorCode::out_of_order_sequence_number,
              .message = fmt::format("producer {} of epoch {} sent sequence {} out of order", batch.producer_id, batch.epoch,
                                     batch.first_sequence)};
    case SequenceError::stale_epoch:
      return {.code = wire::ErrorCode::invalid_producer_epoch,
              .message = fmt::format("producer {} sent the old epoch {}", batch.producer_id, batch.epoch)};
    case SequenceError::transaction_open:
      return {.code = wire::ErrorCode::invalid_txn_state,
              .message = fmt::format("producer {} sent records outside of the transaction that it has open here", batch.producer_id)};
    case SequenceError::unknown_producer:
      return {.code = wire::ErrorCode::unknown_producer_id,
              .message =
                  fmt::format("nothing is known of producer {}, which goes on with sequence {}", batch.producer_id, batch.first_sequence)};
  }
  return {};
}

KafkaError gone() { return {.code = wire::ErrorCode::unknown_topic_or_partition, .message = "The topic was deleted."}; }

}  // namespace

Partition::Partition(const Environment& environment, log::GroupCommit& commit, TopicPartition id, std::string directory,
                     PartitionOptions options)
    : environment_(environment), commit_(commit), id_(id), directory_(std::move(directory)), options_(std::move(options)) {}

Partition::~Partition() { *alive_ = nullptr; }

void Partition::set_options(PartitionOptions options) {
  options.log.next_offset_floor = options_.log.next_offset_floor;
  options_ = std::move(options);
  if (log_ != nullptr) log_->set_options(options_.log);
}

Outcome<> Partition::open() {
  if (log_ != nullptr) return {};
  if (refused_) return tl::unexpected(*refused_);
  const auto refuse_with = [this](const Error& failed) {
    KafkaError error{.code = wire::ErrorCode::kafka_storage_error, .message = failed.message};
    environment_.warn(fmt::format("partition {} of topic {} is not served: {}", id_.partition, id_.topic.text(), error.message));
    // Damage stays until somebody repairs it; what else went wrong may have passed when it is asked for again.
    if (failed.code == ErrorCode::corrupt) refused_ = error;
    log_.reset();
    return tl::unexpected(std::move(error));
  };
  auto opened = log::PartitionLog::open(environment_.files, commit_, directory_, options_.log);
  if (!opened) return refuse_with(opened.error());
  const log::RecoveryReport& report = opened->report;
  if (report.cut_bytes > 0) {
    environment_.warn(fmt::format("recovery cut {} bytes that were never acknowledged from {} at {}", report.cut_bytes, report.cut_file,
                                  report.cut_position));
  }
  if (report.raised_from) {
    environment_.warn(fmt::format(
        "ACKNOWLEDGED RECORDS ARE MISSING from the log of partition {} of topic {}: it ends at offset {}, its table's files at {}. "
        "Offsets go on from there; the table still has the records",
        id_.partition, id_.topic.text(), *report.raised_from, options_.log.next_offset_floor));
  }
  log_ = std::move(opened->log);
  if (auto recovered = recover_producers(); !recovered) return refuse_with(recovered.error());
  log_->set_durable_listener([this](DurableEnd end) { durable_moved(end); });
  return {};
}

StableOffset Partition::stable_offset() const noexcept {
  const Offset end = log_->durable_end().offset;
  // The records of an open transaction may have been deleted.
  return StableOffset{std::max(start_offset(), std::min(end, producers_.first_unstable().value_or(end)))};
}

log::VisibleEnd Partition::visible_end(IsolationLevel isolation) const noexcept {
  if (isolation == IsolationLevel::read_committed) return stable_offset();
  return durable_end();
}

void Partition::append(const AppendRequest& request, AppendDone done) {
  CHECK(log_ != nullptr);
  const std::size_t size = request.batch.bytes().size();
  if (held_.empty() && log_->accepts(size)) return append_now(request, std::move(done));
  held_.push_back(Held{.batch = Buffer(request.batch.bytes()),
                       .log_append_time_ms = request.log_append_time_ms,
                       .urgency = request.urgency,
                       .done = std::move(done)});
  if (held_.size() == 1) log_->when_accepting([this] { append_held(); });
}

void Partition::append_held() {
  while (!held_.empty()) {
    if (!log_->accepts(held_.front().batch.size())) return log_->when_accepting([this] { append_held(); });
    Held held = std::move(held_.front());
    held_.pop_front();
    const auto batch = RecordBatchView::parse(held.batch);
    CHECK(batch.has_value());
    append_now({.batch = *batch, .log_append_time_ms = held.log_append_time_ms, .urgency = held.urgency}, std::move(held.done));
  }
}

bool Partition::is_answered(const AppendRequest& request, AppendDone& done) {
  const ProducedBatch produced = produced_batch(request.batch);
  const SequenceVerdict verdict = producers_.check(produced);
  if (const auto* error = std::get_if<SequenceError>(&verdict)) {
    done(tl::unexpected(refusal(*error, produced)));
    return true;
  }
  if (const auto* duplicate = std::get_if<Duplicate>(&verdict)) {
    const AppendResult result{.base_offset = duplicate->base_offset,
                              .log_append_time_ms = request.log_append_time_ms < 0 ? -1 : duplicate->timestamp_ms,
                              .log_start_offset = log_->start_offset()};
    wait_until_durable(duplicate->last_offset + 1, result, std::move(done));
    return true;
  }
  return false;
}

void Partition::append_now(const AppendRequest& request, AppendDone done) {
  const RecordBatchView& batch = request.batch;
  const bool known_producer = batch.producer_id() != no_producer_id;
  std::optional<TransactionMarker> marker;
  if (batch.is_control()) {
    auto read = read_marker_batch(batch);
    CHECK(read.has_value());  // nobody but the broker writes them
    marker = *read;
    if (const auto error = producers_.check_marker(*marker)) return done(tl::unexpected(refusal(*error, produced_batch(batch))));
  } else if (known_producer && is_answered(request, done)) {
    return;
  }
  log::AppendOptions options;
  options.urgency = request.urgency;
  const auto appended = log_->append(batch.bytes(), options);
  tell_of_append(appended ? Result<>() : tl::unexpected(appended.error()));
  if (!appended) return done(tl::unexpected(kafka_error(appended.error())));
  const std::int64_t now_ms = environment_.clock.wall().time_since_epoch().count();
  if (marker) {
    record_marker(*marker, appended->base_offset, now_ms);
  } else if (known_producer) {
    producers_.record(produced_batch(batch), appended->base_offset, appended->base_offset + batch.last_offset_delta(),
                      batch.max_timestamp_ms(), now_ms);
  }
  traffic_.messages_in += static_cast<std::uint64_t>(batch.record_count());
  traffic_.bytes_in += batch.bytes().size();
  snapshot_sometimes(batch.bytes().size(), appended->end);
  wait_until_durable(
      appended->end.offset,
      {.base_offset = appended->base_offset, .log_append_time_ms = request.log_append_time_ms, .log_start_offset = log_->start_offset()},
      std::move(done));
}

void Partition::tell_of_append(const Result<>& appended) {
  const bool disk_failed = !appended && (appended.error().code == ErrorCode::io || appended.error().code == ErrorCode::no_space ||
                                         appended.error().code == ErrorCode::permission);
  if (disk_failed && !std::exchange(append_failed_, true)) {
    environment_.warn(
        fmt::format("partition {} of topic {} refuses records: {}", id_.partition, id_.topic.text(), appended.error().message));
  } else if (appended && std::exchange(append_failed_, false)) {
    environment_.warn(fmt::format("partition {} of topic {} takes records again", id_.partition, id_.topic.text()));
  }
}

void Partition::wait_until_durable(Offset end, AppendResult result, AppendDone done) {
  if (log_->durable_end().offset >= end) return done(result);
  const auto behind = std::ranges::upper_bound(waiting_, end, {}, &Waiting::end);
  waiting_.insert(behind, Waiting{.end = end, .result = result, .done = std::move(done)});
}

void Partition::durable_moved(DurableEnd end) {
  const auto first_left = std::ranges::upper_bound(waiting_, end.offset, {}, &Waiting::end);
  std::vector<Waiting> durable(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(first_left));
  waiting_.erase(waiting_.begin(), first_left);
  for (const Waiting& waiting : durable) waiting.done(waiting.result);
  notify_watchers();
}

void Partition::advance_start(Offset offset, log::Trim trim, std::function<void(const Outcome<>&)> done) {
  save_producers(offset, [this, offset, trim, done = std::move(done)](const Result<>& saved) {
    if (!saved) return done(tl::unexpected(kafka_error(saved.error())));
    log_->advance_start(offset, trim, [this, alive = alive_, done](const Result<>& durable) {
      if (*alive == nullptr) return;
      aborted_.drop_below(log_->start_offset());
      notify_watchers();  // the last stable offset may have moved
      done(durable ? Outcome<>() : tl::unexpected(kafka_error(durable.error())));
    });
  });
}

void Partition::watch(const std::shared_ptr<PartitionWatcher>& watcher) {
  if (watchers_.size() >= watchers_prune_at_) {
    std::erase_if(watchers_, [](const auto& each) { return each.expired(); });
    watchers_prune_at_ = std::max<std::size_t>(16, 2 * watchers_.size());
  }
  watchers_.push_back(watcher);
}

void Partition::notify_watchers() {
  const auto alive = alive_;  // what an answer sets off may end this
  for (auto& each : std::exchange(watchers_, {})) {
    const auto watcher = each.lock();
    if (watcher == nullptr || watcher->partition_moved() == PartitionWatcher::Next::done) continue;
    if (*alive == nullptr) return;
    watchers_.push_back(std::move(each));
  }
}

void Partition::close() {
  for (const Waiting& waiting : std::exchange(waiting_, {})) waiting.done(tl::unexpected(gone()));
  for (const Held& held : std::exchange(held_, {})) held.done(tl::unexpected(gone()));
  notify_watchers();
}

}  // namespace tripos::broker
