#include "broker/topic_registry.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace tripos::broker {

namespace {

constexpr std::size_t name_size_max = 249;
constexpr std::array<std::string_view, 2> kafka_internal_topics{"__consumer_offsets", "__transaction_state"};
constexpr std::string_view own_internal_prefix = "__tripos_";

std::string collision_name(std::string_view name) {
  std::string result(name);
  std::ranges::replace(result, '.', '_');
  return result;
}

bool is_name_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

bool is_internal_topic(std::string_view name) noexcept {
  return name.starts_with(own_internal_prefix) || std::ranges::find(kafka_internal_topics, name) != kafka_internal_topics.end();
}

Outcome<> check_topic_name(std::string_view name) {
  constexpr auto invalid = wire::ErrorCode::invalid_topic_exception;
  if (name.empty()) return refuse(invalid, "Topic name is invalid: the empty string is not allowed");
  if (name == "." || name == "..") return refuse(invalid, "Topic name is invalid: '{}' is not allowed", name);
  if (name.size() > name_size_max) {
    return refuse(invalid, "Topic name is invalid: the length of '{}' is longer than the max allowed length {}", name, name_size_max);
  }
  if (!std::ranges::all_of(name, is_name_character)) {
    return refuse(invalid, "Topic name is invalid: '{}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
                  name);
  }
  return {};
}

Outcome<> TopicRegistry::check_create(std::string_view name) const {
  if (auto valid = check_topic_name(name); !valid) return valid;
  if (names_.contains(name)) return refuse(wire::ErrorCode::topic_already_exists, "Topic '{}' already exists.", name);
  if (const auto found = collision_names_.find(collision_name(name)); found != collision_names_.end()) {
    return refuse(wire::ErrorCode::invalid_topic_exception, "Topic '{}' collides with existing topic: {}", name, found->second);
  }
  return {};
}

Outcome<> TopicRegistry::begin_create(TopicRecord record) {
  if (auto possible = check_create(record.name); !possible) return possible;
  names_.emplace(record.name, record.id);
  collision_names_.emplace(collision_name(record.name), record.name);
  const TopicId id = record.id;
  entries_.emplace(id, Entry{.record = std::move(record), .state = TopicState::creating});
  return {};
}

void TopicRegistry::created(const TopicId& id) { entry(id, TopicState::creating).state = TopicState::live; }

void TopicRegistry::create_failed(const TopicId& id) {
  CHECK(entry(id, TopicState::creating).record.id == id);
  remove(id);
}

void TopicRegistry::changed(TopicRecord record) {
  const auto found = entries_.find(record.id);
  CHECK(found != entries_.end() && found->second.state != TopicState::creating && found->second.record.name == record.name);
  found->second.record = std::move(record);
}

Outcome<> TopicRegistry::begin_delete(const TopicId& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.state != TopicState::live) {
    return unknown_topic_or_partition();
  }
  found->second.state = TopicState::deleting;
  return {};
}

void TopicRegistry::deleted(const TopicId& id) {
  CHECK(entry(id, TopicState::deleting).record.id == id);
  remove(id);
  deleted_.insert(id);
}

void TopicRegistry::delete_failed(const TopicId& id) { entry(id, TopicState::deleting).state = TopicState::live; }

Result<> TopicRegistry::replay(TopicRecord record) {
  if (entries_.contains(record.id)) {  // a later value of the same topic: its configuration or partition count has changed
    entries_.at(record.id).record = std::move(record);
    return {};
  }
  const TopicId id = record.id;
  const std::string name = record.name;
  if (auto begun = begin_create(std::move(record)); !begun) {
    return fail(ErrorCode::corrupt, "topic {} ({}): {}", name, id.text(), begun.error().message);
  }
  created(id);
  return {};
}

void TopicRegistry::replay(const TopicDeleted& gone) {
  if (entries_.contains(gone.id)) remove(gone.id);
  deleted_.insert(gone.id);
}

const TopicRegistry::Entry* TopicRegistry::find(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : find(found->second);
}

const TopicRegistry::Entry* TopicRegistry::find(const TopicId& id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

TopicRegistry::Entry& TopicRegistry::entry(const TopicId& id, TopicState expected) {
  const auto found = entries_.find(id);
  CHECK(found != entries_.end() && found->second.state == expected);
  return found->second;
}

void TopicRegistry::remove(const TopicId& id) {
  const auto found = entries_.find(id);
  collision_names_.erase(collision_name(found->second.record.name));
  names_.erase(found->second.record.name);
  entries_.erase(found);
}

}  // namespace tripos::broker
