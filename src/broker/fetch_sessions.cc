#include "broker/fetch_sessions.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"

namespace tripos::broker {

namespace {

constexpr std::int32_t no_session = 0;
constexpr std::int32_t final_epoch = -1;
constexpr std::int32_t initial_epoch = 0;

// What a request names, one entry for each partition.
std::vector<FetchSessions::Asked> asked_by(const wire::FetchRequest& request) {
  std::vector<FetchSessions::Asked> asked;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      asked.push_back({.topic = std::string(topic.topic), .topic_id = topic.topic_id, .partition = partition});
    }
  }
  return asked;
}

// Adds a partition's part to the answer, under its topic if that came just before.
void add(wire::FetchResponse& response, const FetchSessions::Asked& asked, wire::FetchResponse::PartitionData data) {
  const bool same_topic =
      !response.responses.empty() && response.responses.back().topic == asked.topic && response.responses.back().topic_id == asked.topic_id;
  if (!same_topic) {
    auto& topic = response.responses.emplace_back();
    topic.topic = asked.topic;
    topic.topic_id = asked.topic_id;
  }
  response.responses.back().partitions.push_back(std::move(data));
}

}  // namespace

FetchSessions::Key FetchSessions::key_of(const Asked& asked, bool by_id) {
  return {by_id ? asked.topic_id.text() : asked.topic, asked.partition.partition};
}

wire::ErrorCode FetchSessions::begin(const Request& request, bool by_id, MonotonicTime now, Context& context) {
  context = {};
  const bool is_full = request.session_epoch == final_epoch || request.session_epoch == initial_epoch;
  if (is_full) {
    if (request.session_id != no_session) remove(request.session_id);
    context.asked_ = asked_by(request);
    if (request.session_epoch == final_epoch) return wire::ErrorCode::none;
    if (partition_count_ + context.asked_.size() > partition_count_max) return wire::ErrorCode::none;
    Session* const session = make(by_id, now);
    if (session == nullptr) return wire::ErrorCode::none;
    for (const Asked& asked : context.asked_) keep(*session, asked);
    context.session_id_ = session->id;
    context.sessions_ = this;
    return wire::ErrorCode::none;
  }
  const auto found = sessions_.find(request.session_id);
  if (found == sessions_.end()) return wire::ErrorCode::fetch_session_id_not_found;
  Session& session = found->second;
  if (session.epoch != request.session_epoch) return wire::ErrorCode::invalid_fetch_session_epoch;
  if (session.by_id != by_id) return wire::ErrorCode::fetch_session_topic_id_error;
  session.epoch = session.epoch == std::numeric_limits<std::int32_t>::max() ? 1 : session.epoch + 1;
  session.last_used = now;
  uses_.splice(uses_.end(), uses_, session.use);
  for (Asked& asked : asked_by(request)) keep(session, std::move(asked));
  forget(session, request);
  if (partition_count_ > partition_count_max) {
    remove(session.id);
    return wire::ErrorCode::fetch_session_id_not_found;  // the client asks for everything, and gets no session
  }
  for (const Cached& cached : session.partitions) context.asked_.push_back(cached.asked);
  if (session.partitions.empty()) {
    remove(session.id);
    return wire::ErrorCode::none;
  }
  context.session_id_ = session.id;
  context.incremental_ = true;
  context.sessions_ = this;
  return wire::ErrorCode::none;
}

void FetchSessions::keep(Session& session, Asked asked) {
  Key key = key_of(asked, session.by_id);
  if (const auto known = session.places.find(key); known != session.places.end()) {
    known->second->asked = std::move(asked);
    return;
  }
  session.partitions.push_back({.asked = std::move(asked), .told = {}});
  session.places.emplace(std::move(key), std::prev(session.partitions.end()));
  ++partition_count_;
}

void FetchSessions::forget(Session& session, const Request& request) {
  for (const auto& topic : request.forgotten_topics_data) {
    for (const std::int32_t partition : topic.partitions) {
      const auto known = session.places.find({session.by_id ? topic.topic_id.text() : std::string(topic.topic), partition});
      if (known == session.places.end()) continue;
      session.partitions.erase(known->second);
      session.places.erase(known);
      --partition_count_;
    }
  }
}

FetchSessions::Session* FetchSessions::make(bool by_id, MonotonicTime now) {
  if (sessions_.size() >= count_max_) {
    if (uses_.empty() || now - sessions_.at(uses_.front()).last_used < idle_max) return nullptr;
    remove(uses_.front());
  }
  std::int32_t id = no_session;
  while (id == no_session || sessions_.contains(id)) id = new_id_() & std::numeric_limits<std::int32_t>::max();
  Session& session = sessions_[id];
  session.id = id;
  session.by_id = by_id;
  session.last_used = now;
  session.use = uses_.insert(uses_.end(), id);
  return &session;
}

void FetchSessions::remove(std::int32_t id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  partition_count_ -= found->second.partitions.size();
  uses_.erase(found->second.use);
  sessions_.erase(found);
}

bool FetchSessions::must_tell(Cached& cached, const Response::PartitionData& data) {
  Told& told = cached.told;
  if (data.error_code != wire::ErrorCode::none) {
    told = {};  // whatever comes after it is news
    return true;
  }
  const Told now{
      .high_watermark = data.high_watermark, .last_stable_offset = data.last_stable_offset, .log_start_offset = data.log_start_offset};
  const bool changed = now.high_watermark != told.high_watermark || now.last_stable_offset != told.last_stable_offset ||
                       now.log_start_offset != told.log_start_offset;
  told = now;
  return changed || data.records.size_bytes() > 0;
}

FetchSessions::Response FetchSessions::Context::answer(std::vector<Response::PartitionData> read) {
  CHECK(read.size() == asked_.size());
  Response response;
  response.session_id = session_id_;
  const auto found = sessions_ == nullptr ? decltype(sessions_->sessions_)::iterator() : sessions_->sessions_.find(session_id_);
  // The session may have made room for another meanwhile: the next request will hear of it.
  Session* const session = sessions_ == nullptr || found == sessions_->sessions_.end() ? nullptr : &found->second;
  for (std::size_t i = 0; i < read.size(); ++i) {
    bool tell = true;
    if (session != nullptr) {
      const auto place = session->places.find(key_of(asked_[i], session->by_id));
      if (place != session->places.end()) {
        const bool news = must_tell(*place->second, read[i]);
        tell = news || !incremental_;
        if (read[i].records.size_bytes() > 0) session->partitions.splice(session->partitions.end(), session->partitions, place->second);
      }
    }
    if (tell) add(response, asked_[i], std::move(read[i]));
  }
  return response;
}

}  // namespace tripos::broker
