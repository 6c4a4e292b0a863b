// The coordinator's start: groups and offsets are read back from __consumer_offsets.
#include <utility>

#include "broker/group/coordinator.h"

namespace tripos::groups {

namespace {

// One partition of the topic, read from its beginning: the last value of a key counts, in the order of the log; what belongs to a
// transaction counts, at the place where it stands, once the transaction is committed.
class PartitionLoad {
 public:
  PartitionLoad(LoadReport& report, std::uint64_t& last_order) : report_(report), last_order_(last_order) {}

  struct Offset {
    std::uint64_t order = 0;
    std::optional<CommittedOffset> value;  // none: deleted
  };

  void apply(const OffsetsTopicEntry& entry) {
    if (entry.ends_committed) return end_transaction(entry.transaction, *entry.ends_committed);
    auto key = decode_offsets_topic_key(entry.key.value_or(Bytes()));
    if (!key) return skip(key.error());
    if (auto* offset_key = std::get_if<OffsetKey>(&*key)) {
      apply_offset(std::move(*offset_key), entry);
    } else if (auto* group_key = std::get_if<GroupKey>(&*key)) {
      apply_group(std::move(*group_key), entry.value);
    } else {
      ++report_.skipped_records;
    }
  }

  [[nodiscard]] std::map<std::string, GroupMetadata>& metadata() noexcept { return metadata_; }
  [[nodiscard]] std::map<OffsetKey, Offset>& offsets() noexcept { return offsets_; }
  [[nodiscard]] std::map<ProducerId, std::map<OffsetKey, Offset>>& open_transactions() noexcept { return open_; }

 private:
  void skip(const Error& error) {
    ++report_.skipped_records;
    if (report_.first_broken.empty()) report_.first_broken = error.message;
  }

  void apply_offset(OffsetKey key, const OffsetsTopicEntry& entry) {
    Offset offset{.order = ++last_order_, .value = std::nullopt};
    if (entry.value) {
      auto decoded = decode_committed_offset(*entry.value);
      if (!decoded) return skip(decoded.error());
      decoded->order = offset.order;
      offset.value = std::move(*decoded);
    }
    auto& to = entry.transaction == no_producer_id ? offsets_ : open_[entry.transaction];
    to.insert_or_assign(std::move(key), std::move(offset));
  }

  void apply_group(GroupKey key, std::optional<Bytes> value) {
    if (!value) {
      metadata_.erase(key.group);
    } else if (auto decoded = decode_group_metadata(*value)) {
      metadata_[std::move(key.group)] = std::move(*decoded);
    } else {
      skip(decoded.error());
    }
  }

  void end_transaction(ProducerId producer, bool committed) {
    auto ended = open_.extract(producer);
    if (ended.empty() || !committed) return;
    for (auto& [key, offset] : ended.mapped()) {
      Offset& known = offsets_[key];
      if (known.order < offset.order) known = std::move(offset);
    }
  }

  LoadReport& report_;
  std::uint64_t& last_order_;
  std::map<std::string, GroupMetadata> metadata_;
  std::map<OffsetKey, Offset> offsets_;
  std::map<ProducerId, std::map<OffsetKey, Offset>> open_;
};

}  // namespace

LoadReport GroupCoordinator::load(const std::function<bool(std::string_view)>& topic_exists) {
  LoadReport report;
  std::map<std::string, std::vector<CommittedOffsets::Position>> orphans;
  const MonotonicTime now = clock_.monotonic();
  for (std::int32_t partition = 0; partition < topic_->partition_count(); ++partition) {
    PartitionLoad loaded(report, last_order_);
    const auto read = topic_->read_all(PartitionId(partition), [&loaded](const OffsetsTopicEntry& entry) { loaded.apply(entry); });
    if (!read) {
      report.unread.push_back(read.error().message);
      unread_partitions_.insert(partition);
      continue;
    }
    for (auto& [group_id, stored] : loaded.metadata()) {
      const std::int64_t state_timestamp_ms = stored.state_timestamp_ms;
      add_entry(group_id, Group::restore(group_id, settings_.group, std::move(stored), now));
      Entry& entry = *find_entry(group_id);
      entry.state_timestamp_ms = state_timestamp_ms;
      set_timer(group_id, entry);
    }
    for (auto& [key, offset] : loaded.offsets()) {
      if (!offset.value) continue;
      entry_of(key.group).offsets.set(key.topic, key.partition, std::move(*offset.value));
      if (!topic_exists(key.topic)) orphans[key.group].push_back(CommittedOffsets::Position{key.topic, key.partition});
    }
    for (auto& [producer, offsets] : loaded.open_transactions()) {
      for (auto& [key, offset] : offsets) {
        if (offset.value) entry_of(key.group).offsets.stage(producer, key.topic, key.partition, std::move(*offset.value));
      }
    }
  }
  for (auto& [group_id, positions] : orphans) {
    Entry& entry = entry_of(group_id);
    for (const auto& position : positions) entry.offsets.erase(position.topic, position.partition);
    erase_offsets(group_id, entry, std::move(positions), [](wire::ErrorCode) {});
  }
  report.groups = entries_.size();
  for (const auto& [group_id, entry] : entries_) {
    for (const auto& [topic, partitions] : entry.offsets.all()) report.offsets += partitions.size();
  }
  schedule_expiry();
  return report;
}

wire::ErrorCode GroupCoordinator::check_group(std::string_view group_id) const {
  const bool is_unread = !unread_partitions_.empty() && unread_partitions_.contains(partition_of(group_id).value());
  return is_unread ? wire::ErrorCode::coordinator_not_available : wire::ErrorCode::none;
}

}  // namespace tripos::groups
