// FetchSessions: what consumers fetch again and again, remembered (KIP-227): a request then names only what has changed, and so does its
// answer. Pure: no clock, no I/O; the session ids come from the caller.
//
//   request (id, epoch)     session                becomes                    answer
//   any, -1                 any                    removed, if there is one   everything, no session
//   any, 0                  any                    removed, if there is one;  everything, with the new session's id;
//                                                  a new one, if one fits     id 0 if none fits
//   id, n > 0               of this id, epoch n    changed as asked;          what has changed
//                                                  epoch n + 1 (then 1)
//   id, n > 0               of this id, no         removed: nothing is left   everything, no session
//                           partition left
//   id, n > 0               of this id, epoch m    as it was                  INVALID_FETCH_SESSION_EPOCH
//   id, n > 0               none                                              FETCH_SESSION_ID_NOT_FOUND
//   id, n > 0               of this id, by names   as it was                  FETCH_SESSION_TOPIC_ID_ERROR
//                           where ids are sent,
//                           or the reverse
//
// A new session fits if there are fewer than the limit, or the one that was longest unused has been so for `idle_max`; and if all sessions
// together have room for its partitions.
// Threads: the loop's. A session's partitions are its own copy.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "wire/fetch.h"

namespace tripos::broker {

class FetchSessions {
 public:
  static constexpr MonotonicClock::duration idle_max = std::chrono::minutes(2);  // min.incremental.fetch.session.eviction.ms

  static constexpr std::size_t partition_count_max = 1'000'000;  // of all sessions: what clients can make us remember

  using Request = wire::FetchRequest;
  using Response = wire::FetchResponse;

  // One partition as it is to be fetched.
  struct Asked {
    std::string topic;  // of a request by names
    TopicId topic_id;   // of one by ids
    Request::FetchPartition partition;
  };

  // One request within its session, or without one. Shared with the wait for records.
  class Context {
   public:
    // All that is to be read, in this order.
    [[nodiscard]] const std::vector<Asked>& asked() const noexcept { return asked_; }
    // The answer, of one response for each that was asked, in that order.
    [[nodiscard]] Response answer(std::vector<Response::PartitionData> read);

   private:
    friend class FetchSessions;
    std::vector<Asked> asked_;
    std::int32_t session_id_ = 0;
    bool incremental_ = false;
    FetchSessions* sessions_ = nullptr;  // of an incremental one
  };

  // `new_id`: gives a random number; ids are drawn until one is free.
  FetchSessions(std::size_t count_max, std::function<std::int32_t()> new_id) : count_max_(count_max), new_id_(std::move(new_id)) {}

  // Why there is no context; or none.
  [[nodiscard]] wire::ErrorCode begin(const Request& request, bool by_id, MonotonicTime now, Context& context);

  [[nodiscard]] std::size_t count() const noexcept { return sessions_.size(); }

 private:
  // What the client was told last; -1: an error, or nothing yet.
  struct Told {
    std::int64_t high_watermark = -1;
    std::int64_t last_stable_offset = -1;
    std::int64_t log_start_offset = -1;
  };
  struct Cached {
    Asked asked;
    Told told;
  };
  // A partition by topic (its id's text or its name) and number.
  using Key = std::pair<std::string, std::int32_t>;
  struct Session {
    std::int32_t id = 0;
    std::int32_t epoch = 1;  // that comes next
    bool by_id = false;
    MonotonicTime last_used{};
    std::list<Cached> partitions;  // in the order in which they are read; those that gave records go to the end
    std::map<Key, std::list<Cached>::iterator> places;
    std::list<std::int32_t>::iterator use;  // in uses_
  };

  static Key key_of(const Asked& asked, bool by_id);
  void keep(Session& session, Asked asked);
  void forget(Session& session, const Request& request);
  [[nodiscard]] Session* make(bool by_id, MonotonicTime now);
  void remove(std::int32_t id);
  // Whether the client has to be told; what it is told is remembered.
  static bool must_tell(Cached& cached, const Response::PartitionData& data);

  std::size_t count_max_;
  std::size_t partition_count_ = 0;
  std::function<std::int32_t()> new_id_;
  std::unordered_map<std::int32_t, Session> sessions_;
  std::list<std::int32_t> uses_;  // ids, the longest unused first
};

}  // namespace tripos::broker
