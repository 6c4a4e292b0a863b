// The coordinator's offsets: commit, deletion, expiry.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "broker/group/coordinator.h"

namespace tripos::groups {

namespace {

wire::ErrorCode commit_error(wire::ErrorCode error) {
  if (error == wire::ErrorCode::none) return error;
  const bool is_too_large = error == wire::ErrorCode::message_too_large || error == wire::ErrorCode::record_list_too_large;
  return is_too_large ? wire::ErrorCode::invalid_commit_offset_size : wire::ErrorCode::coordinator_not_available;
}

}  // namespace

void GroupCoordinator::commit(const std::string& group_id, Commit event, std::vector<NewOffset> offsets,
                              std::optional<milliseconds> retention, ErrorCallback done) {
  Entry* entry = accept_commit(group_id, std::move(event), done);
  if (entry == nullptr) return;
  if (offsets.empty()) return done(wire::ErrorCode::none);
  append_commit(group_id, *entry, begin_commit(group_id, *entry, std::move(offsets), retention), std::nullopt, std::move(done));
}

void GroupCoordinator::commit_in_transaction(const std::string& group_id, Commit event, std::vector<NewOffset> offsets,
                                             TransactionalProducer producer, ErrorCallback done) {
  event.transactional = true;
  Entry* entry = accept_commit(group_id, std::move(event), done);
  if (entry == nullptr) return;
  if (offsets.empty()) return done(wire::ErrorCode::none);
  append_commit(group_id, *entry, begin_commit(group_id, *entry, std::move(offsets), std::nullopt), producer, std::move(done));
}

GroupCoordinator::Entry* GroupCoordinator::accept_commit(const std::string& group_id, Commit event, const ErrorCallback& done) {
  const auto refuse = [&done](wire::ErrorCode error) -> Entry* {
    done(error);
    return nullptr;
  };
  if (const wire::ErrorCode error = check_group(group_id); error != wire::ErrorCode::none) return refuse(error);
  Entry* entry = find_entry(group_id);
  if (entry == nullptr) {
    if (event.generation >= 0) return refuse(wire::ErrorCode::illegal_generation);
    entry = &entry_of(group_id);  // offsets only, perhaps for ever
  }
  event.request = next_request();
  const RequestId request = event.request;
  if (const wire::ErrorCode error = ask(group_id, *entry, std::move(event), request); error != wire::ErrorCode::none) return refuse(error);
  return entry;
}

GroupCoordinator::Commitment GroupCoordinator::begin_commit(const std::string& group_id, Entry& entry, std::vector<NewOffset> offsets,
                                                            std::optional<milliseconds> retention) {
  const std::int64_t now_ms = wall_ms();
  Commitment commitment;
  for (NewOffset& offset : offsets) {
    CommittedOffset value{offset.offset, offset.leader_epoch, std::move(offset.metadata), now_ms, std::nullopt, ++last_order_};
    if (retention) value.expire_timestamp_ms = now_ms + retention->count();
    entry.offsets.begin_commit(offset.topic, offset.partition);
    commitment.records.push_back(OffsetsTopicRecord{encode(OffsetKey{group_id, offset.topic, offset.partition}), encode(value)});
    commitment.offsets.emplace_back(CommittedOffsets::Position{std::move(offset.topic), offset.partition}, std::move(value));
  }
  return commitment;
}

void GroupCoordinator::append_commit(const std::string& group_id, Entry& entry, Commitment commitment,
                                     std::optional<TransactionalProducer> producer, ErrorCallback done) {
  const auto appended = [alive = alive_, group_id, incarnation = entry.incarnation, producer, committed = std::move(commitment.offsets),
                         done = std::move(done)](wire::ErrorCode error) {
    GroupCoordinator* self = *alive;
    if (self == nullptr) return;
    if (Entry* found = self->find_entry(group_id, incarnation)) {
      for (const auto& [position, value] : committed) {
        found->offsets.end_commit(position.topic, position.partition);
        if (error != wire::ErrorCode::none) continue;
        if (producer) {
          found->offsets.stage(producer->id, position.topic, position.partition, value);
        } else {
          found->offsets.set(position.topic, position.partition, value);
        }
      }
    }
    done(commit_error(error));
  };
  topic_->append(partition_of(group_id), std::move(commitment.records), producer, appended);
}

void GroupCoordinator::end_transaction(ProducerId producer, PartitionId partition, bool committed) {
  for (auto& [group_id, entry] : entries_) {
    if (partition_of(group_id) == partition) entry.offsets.end_transaction(producer, committed);
  }
}

const CommittedOffsets* GroupCoordinator::find_offsets(std::string_view group_id) const {
  const auto found = entries_.find(group_id);
  return found == entries_.end() || found->second.group.state() == State::dead ? nullptr : &found->second.offsets;
}

// ---- Deletion

void GroupCoordinator::erase_offsets(const std::string& group_id, Entry& entry, std::vector<CommittedOffsets::Position> positions,
                                     ErrorCallback done) {
  if (positions.empty()) return done(wire::ErrorCode::none);
  std::vector<OffsetsTopicRecord> tombstones;
  for (const auto& position : positions) {
    tombstones.push_back(OffsetsTopicRecord{encode(OffsetKey{group_id, position.topic, position.partition}), std::nullopt});
  }
  topic_->append(partition_of(group_id), std::move(tombstones), std::nullopt,
                 [alive = alive_, group_id, incarnation = entry.incarnation, positions = std::move(positions),
                  done = std::move(done)](wire::ErrorCode error) {
                   GroupCoordinator* self = *alive;
                   if (self == nullptr) return;
                   Entry* found = self->find_entry(group_id, incarnation);
                   if (found != nullptr && error == wire::ErrorCode::none) {
                     for (const auto& position : positions) found->offsets.erase(position.topic, position.partition);
                   }
                   done(store_error(error));
                 });
}

void GroupCoordinator::delete_offsets(const std::string& group_id, std::vector<CommittedOffsets::Position> positions,
                                      DeleteOffsetsCallback done) {
  Entry* entry = find_entry(group_id);
  if (const wire::ErrorCode error = check_group(group_id); error != wire::ErrorCode::none) return done(error, {});
  if (entry == nullptr || entry->group.state() == State::dead) return done(wire::ErrorCode::group_id_not_found, {});
  const Group& group = entry->group;
  std::optional<Topics> in_use = Topics();
  if (group.state() != State::empty) {
    if (group.protocol_type() != "consumer") return done(wire::ErrorCode::non_empty_group, {});
    in_use = subscribed_topics(group);
  }
  std::vector<wire::ErrorCode> errors;
  std::vector<CommittedOffsets::Position> deletable;
  for (CommittedOffsets::Position& position : positions) {
    const bool is_in_use = !in_use || in_use->contains(position.topic);
    errors.push_back(is_in_use ? wire::ErrorCode::group_subscribed_to_topic : wire::ErrorCode::none);
    const bool is_there =
        entry->offsets.find(position.topic, position.partition) != nullptr || entry->offsets.is_pending(position.topic, position.partition);
    if (!is_in_use && is_there) deletable.push_back(std::move(position));
  }
  erase_offsets(group_id, *entry, std::move(deletable),
                [errors = std::move(errors), done = std::move(done)](wire::ErrorCode error) { done(error, errors); });
}

void GroupCoordinator::delete_group(const std::string& group_id, ErrorCallback done) {
  if (const wire::ErrorCode error = check_group(group_id); error != wire::ErrorCode::none) return done(error);
  Entry* entry = find_entry(group_id);
  if (entry == nullptr) return done(wire::ErrorCode::group_id_not_found);
  const RequestId request = next_request();
  const wire::ErrorCode error = ask(group_id, *entry, Delete{request}, request);
  if (error != wire::ErrorCode::none) return done(error);
  remove_group(group_id, *entry, std::move(done));
}

// The group is dead; it goes when its tombstones are durable.
void GroupCoordinator::remove_group(const std::string& group_id, Entry& entry, ErrorCallback done) {
  CHECK(entry.group.state() == State::dead);
  std::vector<OffsetsTopicRecord> tombstones;
  for (const auto& position : entry.offsets.positions()) {
    tombstones.push_back(OffsetsTopicRecord{encode(OffsetKey{group_id, position.topic, position.partition}), std::nullopt});
  }
  if (entry.group.generation() > 0) tombstones.push_back(OffsetsTopicRecord{encode(GroupKey{group_id}), std::nullopt});
  if (tombstones.empty()) {
    erase_entry(group_id);
    return done(wire::ErrorCode::none);
  }
  topic_->append(partition_of(group_id), std::move(tombstones), std::nullopt,
                 [alive = alive_, group_id, incarnation = entry.incarnation, done = std::move(done)](wire::ErrorCode error) {
                   GroupCoordinator* self = *alive;
                   if (self == nullptr) return;
                   Entry* found = self->find_entry(group_id, incarnation);
                   CHECK(found != nullptr);
                   if (error == wire::ErrorCode::none) {
                     self->erase_entry(group_id);
                   } else {
                     // It lives on, empty as it was.
                     GroupMetadata metadata;
                     metadata.protocol_type = found->group.protocol_type().value_or("");
                     metadata.generation = found->group.generation();
                     found->group = Group::restore(group_id, self->settings_.group, std::move(metadata), self->clock_.monotonic());
                     found->state_seen = found->group.state();
                   }
                   done(store_error(error));
                 });
}

void GroupCoordinator::remove_if_unused(const std::string& group_id) {
  Entry* entry = find_entry(group_id);
  if (entry == nullptr || entry->group.state() != State::empty || !entry->offsets.empty() || entry->group.has_pending_members()) return;
  delete_group(group_id, [](wire::ErrorCode) {});  // if it fails, the next round tries again
}

void GroupCoordinator::forget_topic(std::string_view topic) {
  for (auto& [group_id, entry] : entries_) {
    std::vector<CommittedOffsets::Position> positions = entry.offsets.positions();
    std::erase_if(positions, [&](const auto& position) { return position.topic != topic; });
    for (const auto& position : positions) entry.offsets.erase(position.topic, position.partition);  // at once: the topic may come back
    erase_offsets(group_id, entry, std::move(positions), [](wire::ErrorCode) {});
  }
}

void GroupCoordinator::expire_offsets() {
  std::vector<std::string> ids;
  for (const auto& [group_id, entry] : entries_) ids.push_back(group_id);
  for (const std::string& group_id : ids) {
    Entry* entry = find_entry(group_id);
    if (entry == nullptr || entry->group.state() == State::dead) continue;
    auto expired = expired_offsets(entry->group, entry->offsets, entry->state_timestamp_ms, settings_.offsets_retention, clock_.wall());
    erase_offsets(group_id, *entry, std::move(expired), [this, group_id](wire::ErrorCode error) {
      if (error == wire::ErrorCode::none) remove_if_unused(group_id);
    });
  }
}

void GroupCoordinator::schedule_expiry() {
  expiry_timer_ = executor_.post_after(settings_.offsets_retention_check_interval, [this] {
    expire_offsets();
    schedule_expiry();
  });
}

}  // namespace tripos::groups
