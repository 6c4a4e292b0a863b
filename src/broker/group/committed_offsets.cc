#include "broker/group/committed_offsets.h"

#include <algorithm>
#include <set>

#include "base/check.h"

namespace tripos::groups {

const CommittedOffset* CommittedOffsets::find(std::string_view topic, std::int32_t partition) const noexcept {
  const auto of_topic = offsets_.find(topic);
  if (of_topic == offsets_.end()) return nullptr;
  const auto found = of_topic->second.find(partition);
  return found == of_topic->second.end() ? nullptr : &found->second;
}

void CommittedOffsets::set(const std::string& topic, std::int32_t partition, CommittedOffset offset) {
  offsets_[topic][partition] = std::move(offset);
}

void CommittedOffsets::erase(std::string_view topic, std::int32_t partition) {
  for (auto& [producer, staged] : staged_) staged.erase(Position{std::string(topic), partition});
  std::erase_if(staged_, [](const auto& each) { return each.second.empty(); });
  const auto of_topic = offsets_.find(topic);
  if (of_topic == offsets_.end()) return;
  of_topic->second.erase(partition);
  if (of_topic->second.empty()) offsets_.erase(of_topic);
}

void CommittedOffsets::stage(ProducerId producer, const std::string& topic, std::int32_t partition, CommittedOffset offset) {
  staged_[producer].insert_or_assign(Position{topic, partition}, std::move(offset));
}

void CommittedOffsets::end_transaction(ProducerId producer, bool committed) {
  const auto staged = staged_.extract(producer);
  if (staged.empty() || !committed) return;
  for (const auto& [position, offset] : staged.mapped()) {
    const CommittedOffset* shown = find(position.topic, position.partition);
    if (shown == nullptr || shown->order < offset.order) set(position.topic, position.partition, offset);
  }
}

bool CommittedOffsets::is_unstable(const std::string& topic, std::int32_t partition) const {
  return std::ranges::any_of(staged_, [&](const auto& each) { return each.second.contains(Position{topic, partition}); });
}

void CommittedOffsets::begin_commit(const std::string& topic, std::int32_t partition) { ++pending_[Position{topic, partition}]; }

void CommittedOffsets::end_commit(const std::string& topic, std::int32_t partition) {
  const auto found = pending_.find(Position{topic, partition});
  CHECK(found != pending_.end());
  if (--found->second == 0) pending_.erase(found);
}

bool CommittedOffsets::is_pending(const std::string& topic, std::int32_t partition) const {
  return pending_.contains(Position{topic, partition}) || is_unstable(topic, partition);
}

std::vector<CommittedOffsets::Position> CommittedOffsets::positions() const {
  std::set<Position> all;
  for (const auto& [position, count] : pending_) all.insert(position);
  for (const auto& [producer, staged] : staged_) {
    for (const auto& [position, offset] : staged) all.insert(position);
  }
  for (const auto& [topic, partitions] : offsets_) {
    for (const auto& [partition, offset] : partitions) all.insert(Position{topic, partition});
  }
  return {all.begin(), all.end()};
}

std::vector<CommittedOffsets::Position> expired_offsets(const Group& group, const CommittedOffsets& offsets,
                                                        std::int64_t state_timestamp_ms, milliseconds retention, WallTime now) {
  const std::int64_t now_ms = now.time_since_epoch().count();
  bool from_commit = true;
  Topics kept;
  if (group.protocol_type() && group.state() == State::empty) {
    from_commit = state_timestamp_ms < 0;
  } else if (group.protocol_type()) {
    auto subscribed = group.state() == State::stable ? subscribed_topics(group) : std::nullopt;
    if (!subscribed) return {};
    kept = std::move(*subscribed);
  }
  std::vector<CommittedOffsets::Position> expired;
  for (const auto& [topic, partitions] : offsets.all()) {
    if (kept.contains(topic)) continue;
    for (const auto& [partition, offset] : partitions) {
      if (offsets.is_pending(topic, partition)) continue;
      const std::int64_t since_ms = from_commit ? offset.commit_timestamp_ms : state_timestamp_ms;
      const bool is_expired = offset.expire_timestamp_ms ? now_ms >= *offset.expire_timestamp_ms : now_ms - since_ms >= retention.count();
      if (is_expired) expired.push_back(CommittedOffsets::Position{topic, partition});
    }
  }
  return expired;
}

}  // namespace tripos::groups
