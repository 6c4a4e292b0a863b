#include "broker/group/coordinator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/uuid.h"
#include "broker/group/offsets_partition.h"

namespace tripos::groups {

namespace {

template <typename Callbacks, typename Answer>
void answer(Callbacks& callbacks, RequestId request, const Answer& value) {
  auto node = callbacks.extract(request);
  CHECK(!node.empty());
  node.mapped()(value);
}

}  // namespace

// What a member is told when the group's metadata can't be stored: to look for the coordinator and try again, unless that is no use.
wire::ErrorCode GroupCoordinator::store_error(wire::ErrorCode error) {
  if (error == wire::ErrorCode::none) return error;
  const bool is_too_large = error == wire::ErrorCode::message_too_large || error == wire::ErrorCode::record_list_too_large;
  return is_too_large ? wire::ErrorCode::unknown_server_error : wire::ErrorCode::coordinator_not_available;
}

std::string make_member_id(std::string_view client_or_instance_id, const Uuid& unique) {
  constexpr std::size_t prefix_size_max = 249;  // ids are sent as strings of at most 32767 bytes; nobody needs more to recognise a client
  std::string_view prefix = client_or_instance_id.substr(0, prefix_size_max);
  if (prefix.size() < client_or_instance_id.size()) {
    while (!prefix.empty() && (static_cast<unsigned char>(client_or_instance_id[prefix.size()]) & 0xC0) == 0x80) prefix.remove_suffix(1);
  }
  const char* raw = unique.bytes.data();
  const auto high = load_be<std::uint64_t>(raw);
  const auto low = load_be<std::uint64_t>(raw + 8);
  return fmt::format("{}-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", prefix, high >> 32, high >> 16 & 0xFFFF, high & 0xFFFF, low >> 48,
                     low & 0xFFFFFFFFFFFF);
}

GroupCoordinator::GroupCoordinator(const CoordinatorSettings& settings, std::unique_ptr<OffsetsTopic> topic, io::Executor& executor,
                                   const io::Clock& clock)
    : settings_(settings),
      topic_(std::move(topic)),
      executor_(executor),
      clock_(clock),
      alive_(std::make_shared<GroupCoordinator*>(this)) {}

GroupCoordinator::~GroupCoordinator() {
  *alive_ = nullptr;
  executor_.cancel(expiry_timer_);
  for (auto& [id, entry] : entries_) executor_.cancel(entry.timer);
}

// ---- Entries

GroupCoordinator::Entry* GroupCoordinator::find_entry(std::string_view group_id) {
  const auto found = entries_.find(group_id);
  return found == entries_.end() ? nullptr : &found->second;
}

GroupCoordinator::Entry* GroupCoordinator::find_entry(std::string_view group_id, std::uint64_t incarnation) {
  Entry* entry = find_entry(group_id);
  return entry != nullptr && entry->incarnation == incarnation ? entry : nullptr;
}

GroupCoordinator::Entry& GroupCoordinator::entry_of(const std::string& group_id) {
  if (Entry* entry = find_entry(group_id)) return *entry;
  add_entry(group_id, Group(group_id, settings_.group));
  return *find_entry(group_id);
}

void GroupCoordinator::add_entry(const std::string& group_id, Group&& group) {
  const auto [added, is_added] = entries_.try_emplace(group_id, ++last_incarnation_, std::move(group));
  CHECK(is_added);
  added->second.state_seen = added->second.group.state();
}

void GroupCoordinator::erase_entry(const std::string& group_id) {
  const auto found = entries_.find(group_id);
  CHECK(found != entries_.end());
  executor_.cancel(found->second.timer);
  entries_.erase(found);
}

const Group* GroupCoordinator::find(std::string_view group_id) const {
  const auto found = entries_.find(group_id);
  return found == entries_.end() || found->second.group.state() == State::dead ? nullptr : &found->second.group;
}

void GroupCoordinator::for_each_group(const std::function<void(const Group&)>& visit) const {
  for (const auto& [id, entry] : entries_) {
    if (entry.group.state() != State::dead) visit(entry.group);
  }
}

PartitionId GroupCoordinator::partition_of(std::string_view group_id) const {
  return offsets_partition(group_id, topic_->partition_count());
}

// ---- Membership

// Of a group that is not there.
wire::ErrorCode GroupCoordinator::unknown_group_error(const std::string& group_id) const {
  if (group_id.empty()) return wire::ErrorCode::invalid_group_id;
  const wire::ErrorCode error = check_group(group_id);
  return error == wire::ErrorCode::none ? wire::ErrorCode::unknown_member_id : error;
}

void GroupCoordinator::join(const std::string& group_id, Join event, JoinCallback done) {
  const auto refuse = [&](wire::ErrorCode error) {
    JoinAnswer refused;
    refused.error = error;
    refused.member_id = event.member_id;
    done(refused);
  };
  if (group_id.empty()) return refuse(wire::ErrorCode::invalid_group_id);
  if (const wire::ErrorCode error = check_group(group_id); error != wire::ErrorCode::none) return refuse(error);
  if (event.session_timeout < settings_.session_timeout_min || event.session_timeout > settings_.session_timeout_max) {
    return refuse(wire::ErrorCode::invalid_session_timeout);
  }
  Entry* entry = find_entry(group_id);
  if (entry == nullptr) {
    // A member of a group that is gone (or never was) starts anew.
    if (!event.member_id.empty()) return refuse(wire::ErrorCode::unknown_member_id);
    entry = &entry_of(group_id);
  }
  event.request = next_request();
  if (event.member_id.empty()) event.new_member_id = make_member_id(event.instance_id.value_or(event.client_id), Uuid::random());
  joins_.emplace(event.request, std::move(done));
  perform(group_id, *entry, std::move(event));
}

void GroupCoordinator::sync(const std::string& group_id, Sync event, SyncCallback done) {
  Entry* entry = find_entry(group_id);
  if (group_id.empty() || entry == nullptr) {
    SyncAnswer refused;
    refused.error = unknown_group_error(group_id);
    return done(refused);
  }
  event.request = next_request();
  syncs_.emplace(event.request, std::move(done));
  perform(group_id, *entry, std::move(event));
}

void GroupCoordinator::heartbeat(const std::string& group_id, Heartbeat event, ErrorCallback done) {
  Entry* entry = find_entry(group_id);
  if (group_id.empty() || entry == nullptr) return done(unknown_group_error(group_id));
  event.request = next_request();
  plain_.emplace(event.request, std::move(done));
  perform(group_id, *entry, std::move(event));
}

void GroupCoordinator::leave(const std::string& group_id, Leave event, LeaveCallback done) {
  Entry* entry = find_entry(group_id);
  if (group_id.empty() || entry == nullptr) {
    LeaveAnswer refused;
    if (const wire::ErrorCode error = unknown_group_error(group_id); error != wire::ErrorCode::unknown_member_id) refused.error = error;
    for (LeavingMember& member : event.members)
      refused.members.push_back(LeftMember{std::move(member), wire::ErrorCode::unknown_member_id});
    return done(refused);
  }
  event.request = next_request();
  leaves_.emplace(event.request, std::move(done));
  perform(group_id, *entry, std::move(event));
}

// ---- Effects

void GroupCoordinator::perform(const std::string& group_id, Entry& entry, Event event) {
  Effects effects = entry.group.step(std::move(event), clock_.monotonic());
  const std::uint64_t incarnation = entry.incarnation;
  if (entry.group.state() != entry.state_seen) {
    entry.state_seen = entry.group.state();
    entry.state_timestamp_ms = wall_ms();
  }
  set_timer(group_id, entry);
  for (Effect& effect : effects) perform(group_id, incarnation, effect);  // `entry` may be gone from the first on
}

void GroupCoordinator::perform(const std::string& group_id, std::uint64_t incarnation, Effect& effect) {
  if (auto* joined = std::get_if<JoinAnswer>(&effect)) {
    answer(joins_, joined->request, *joined);
  } else if (auto* synced = std::get_if<SyncAnswer>(&effect)) {
    answer(syncs_, synced->request, *synced);
  } else if (auto* left = std::get_if<LeaveAnswer>(&effect)) {
    answer(leaves_, left->request, *left);
  } else if (auto* plain = std::get_if<PlainAnswer>(&effect)) {
    answer(plain_, plain->request, plain->error);
  } else {
    store(group_id, incarnation, std::get<Store>(effect));
  }
}

void GroupCoordinator::store(const std::string& group_id, std::uint64_t incarnation, Store& effect) {
  effect.metadata.state_timestamp_ms = wall_ms();
  std::vector<OffsetsTopicRecord> records;
  records.push_back(OffsetsTopicRecord{encode(GroupKey{group_id}), encode(effect.metadata)});
  topic_->append(partition_of(group_id), std::move(records), std::nullopt,
                 [alive = alive_, group_id, incarnation, store_id = effect.store](wire::ErrorCode error) {
                   GroupCoordinator* self = *alive;
                   Entry* entry = self == nullptr ? nullptr : self->find_entry(group_id, incarnation);
                   if (entry != nullptr) self->perform(group_id, *entry, Stored{store_id, store_error(error)});
                 });
}

void GroupCoordinator::set_timer(const std::string& group_id, Entry& entry) {
  const std::optional<MonotonicTime> due = entry.group.next_deadline();
  if (!due || (entry.timer_due && *entry.timer_due <= *due)) return;  // when the timer runs, it is set anew
  executor_.cancel(entry.timer);
  entry.timer_due = due;
  const auto delay = std::max(*due - clock_.monotonic(), MonotonicClock::duration::zero());
  entry.timer = executor_.post_after(delay, [this, group_id, incarnation = entry.incarnation] {
    Entry* found = find_entry(group_id, incarnation);
    if (found == nullptr) return;
    found->timer_due.reset();
    perform(group_id, *found, TimePassed{});
  });
}

wire::ErrorCode GroupCoordinator::ask(const std::string& group_id, Entry& entry, Event event, RequestId request) {
  std::optional<wire::ErrorCode> result;
  plain_.emplace(request, [&result](wire::ErrorCode error) { result = error; });
  perform(group_id, entry, std::move(event));
  CHECK(result.has_value());
  return *result;
}

}  // namespace tripos::groups
