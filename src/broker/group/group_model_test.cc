// The group's state machine under random sequences of requests, lost requests and passing time.
//
// The clients of this test follow the protocol as real ones do, but may be silent, ask twice, crash, change what they offer or leave at any
// moment. What is checked is what a member may rely on:
//   - the generation only grows, and each generation has exactly one leader and one protocol;
//   - in a generation each member gets one assignment: what the leader has given it;
//   - every request is answered once, at the latest when the rebalance timeout (and the initial delay) has passed;
//   - who was silent beyond its session timeout is gone; who was not, and did not leave, is never told UNKNOWN_MEMBER_ID.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

#include "broker/group/group.h"

namespace tripos::groups {
namespace {

using namespace std::chrono_literals;
using wire::ErrorCode;

constexpr milliseconds initial_delay = 3s;
constexpr milliseconds session_timeout = 10s;
constexpr milliseconds rebalance_timeout = 20s;
constexpr int client_count = 4;

struct Client {
  std::string id;  // empty: has to join as a new member
  std::int32_t generation = -1;
  bool is_leader = false;
  bool has_assignment = false;
  std::vector<std::string> members;  // if it leads
  int metadata = 0;
  std::optional<RequestId> joining;
  std::optional<RequestId> syncing;
  MonotonicTime alive_until{};  // unless it is heard of before, or waits for an answer
  bool may_be_unknown = true;   // it has left, was silent too long, or has not done what the group waited for
};

struct Waiting {
  int client;
  std::string member_id;
  MonotonicTime since;
  bool is_join;
};

class Simulation {
 public:
  explicit Simulation(milliseconds delay) : group_("g", GroupSettings{.initial_rebalance_delay = delay}), clients_(client_count) {}

  void join(int index) {
    log("join", index);
    Client& client = clients_[static_cast<std::size_t>(index)];
    Join event;
    event.request = next_request();
    event.member_id = client.id;
    event.new_member_id = "m" + std::to_string(++ids_given_);
    event.client_id = "c" + std::to_string(index);
    event.rebalance_timeout = rebalance_timeout;
    event.session_timeout = session_timeout;
    event.protocol_type = "consumer";
    event.protocols = {{"range", std::to_string(client.metadata)}, {index % 2 == 0 ? "sticky" : "roundrobin", ""}};
    event.must_know_its_id = true;
    waiting_[event.request] = Waiting{index, client.id, now_, true};
    if (client.joining) superseded_.insert(*client.joining);
    if (client.syncing) superseded_.insert(*client.syncing);
    client.joining = event.request;
    client.syncing.reset();
    apply(std::move(event));
  }

  void sync(int index) {
    log("sync", index);
    Client& client = clients_[static_cast<std::size_t>(index)];
    if (client.generation < 0 || client.joining) return;
    Sync event;
    event.request = next_request();
    event.member_id = client.id;
    event.generation = client.generation;
    if (client.is_leader) {
      for (const auto& member : client.members) event.assignments.push_back({member, assignment_text(client.generation, member)});
    }
    waiting_[event.request] = Waiting{index, client.id, now_, false};
    if (client.syncing) superseded_.insert(*client.syncing);
    client.syncing = event.request;
    apply(std::move(event));
  }

  void heartbeat(int index) {
    log("heartbeat", index);
    Client& client = clients_[static_cast<std::size_t>(index)];
    if (client.generation < 0 || client.joining) return;
    const RequestId request = next_request();
    apply(Heartbeat{request, client.id, std::nullopt, client.generation});
    const ErrorCode error = plain_.at(request);
    see_error(client, error);
    if (error == ErrorCode::none || error == ErrorCode::rebalance_in_progress) touch(client);
    RC_ASSERT(error != ErrorCode::rebalance_in_progress || group_.state() == State::preparing_rebalance);
  }

  void commit(int index) {
    log("commit", index);
    Client& client = clients_[static_cast<std::size_t>(index)];
    if (client.generation < 0 || client.joining) return;
    const RequestId request = next_request();
    apply(Commit{request, client.id, std::nullopt, client.generation});
    const ErrorCode error = plain_.at(request);
    if (error == ErrorCode::none) {
      touch(client);
      RC_ASSERT(client.generation == group_.generation());
      RC_ASSERT(is_member(client));
    } else if (error != ErrorCode::rebalance_in_progress) {
      see_error(client, error);
    }
  }

  void leave(int index) {
    log("leave", index);
    Client& client = clients_[static_cast<std::size_t>(index)];
    if (client.id.empty()) return;
    client.may_be_unknown = true;
    apply(Leave{next_request(), {{client.id, std::nullopt}}});
    RC_ASSERT(!is_member(client));
    forget(client);
  }

  // The process is gone and comes back knowing nothing; answers to it are lost.
  void crash(int index) {
    log("crash", index);
    Client& client = clients_[static_cast<std::size_t>(index)];
    if (client.joining) superseded_.insert(*client.joining);
    if (client.syncing) superseded_.insert(*client.syncing);
    forget(client);
  }

  void change_metadata(int index) { ++clients_[static_cast<std::size_t>(index)].metadata; }

  void finish_store(bool succeeds) {
    if (stores_.empty()) return;
    log("store", succeeds ? 1 : 0);
    const StoreId store = stores_.front();
    stores_.erase(stores_.begin());
    apply(Stored{store, succeeds ? ErrorCode::none : ErrorCode::coordinator_not_available});
  }

  void pass(milliseconds time) {
    const MonotonicTime until = now_ + time;
    log("pass ms", static_cast<int>(time.count()));
    while (group_.next_deadline() && *group_.next_deadline() <= until) {
      now_ = std::max(now_, *group_.next_deadline());
      apply(TimePassed{});
      check_time();
    }
    now_ = until;
    check_time();
  }

  // Clients go on in good faith: all get into one stable generation.
  void settle() {
    for (int round = 0; round < 400; ++round) {
      while (!stores_.empty()) finish_store(true);
      int content = 0;
      for (int i = 0; i < client_count; ++i) {
        Client& client = clients_[static_cast<std::size_t>(i)];
        if (client.joining || client.syncing) continue;
        if (client.generation < 0) {
          join(i);
        } else if (!client.has_assignment) {
          sync(i);
        } else {
          heartbeat(i);
          if (client.generation == group_.generation() && group_.state() == State::stable && client.has_assignment) ++content;
        }
      }
      if (content == client_count) return;
      pass(500ms);
    }
    RC_FAIL("the group does not become stable");
  }

  [[nodiscard]] const Group& group() const { return group_; }

 private:
  // Shown with a failure.
  void log(std::string_view what, int number) const {
    RC_LOG() << what << ' ' << number << ": " << to_string(group_.state()) << ' ' << group_.generation() << " at "
             << std::chrono::duration_cast<milliseconds>(now_.time_since_epoch()).count() << '\n';
  }
  static std::string assignment_text(std::int32_t generation, const std::string& member) {
    return std::to_string(generation) + " " + member;
  }

  [[nodiscard]] bool is_member(const Client& client) const { return group_.members().find(client.id) != nullptr; }
  RequestId next_request() { return last_request_ = last_request_ + 1; }
  void touch(Client& client) { client.alive_until = now_ + session_timeout; }
  static void forget(Client& client) {
    const int metadata = client.metadata;
    client = Client{};
    client.metadata = metadata;
  }

  // What a client does when it is told an error.
  void see_error(Client& client, ErrorCode error) {
    if (error == ErrorCode::unknown_member_id) {
      const bool has_lapsed = client.alive_until <= now_;  // an id that was given and not used in time
      RC_ASSERT(client.may_be_unknown || has_lapsed);
      forget(client);
    } else if (error == ErrorCode::rebalance_in_progress || error == ErrorCode::illegal_generation) {
      client.generation = -1;
      client.has_assignment = false;
      client.is_leader = false;
    } else {
      RC_ASSERT(static_cast<int>(error) == 0);
    }
  }

  void apply(Event event) {
    const std::int32_t generation_before = group_.generation();
    const State state_before = group_.state();
    std::vector<bool> was_member;
    for (const Client& client : clients_) was_member.push_back(is_member(client));

    Effects effects = group_.step(std::move(event), now_);

    RC_ASSERT(group_.generation() >= generation_before);
    RC_ASSERT(group_.generation() <= generation_before + 1);
    const bool is_new_generation = group_.generation() != generation_before;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (was_member[i] && !is_member(clients_[i])) check_removal(clients_[i], is_new_generation);
    }
    if (is_new_generation) generation_since_ = now_;
    if (group_.state() == State::preparing_rebalance && (state_before != State::preparing_rebalance || is_new_generation))
      preparing_since_ = now_;
    for (Effect& effect : effects) {
      if (auto* join = std::get_if<JoinAnswer>(&effect)) {
        on_join(*join);
      } else if (auto* sync = std::get_if<SyncAnswer>(&effect)) {
        on_sync(*sync);
      } else if (auto* plain = std::get_if<PlainAnswer>(&effect)) {
        RC_ASSERT(plain_.emplace(plain->request, plain->error).second);
      } else if (auto* store = std::get_if<Store>(&effect)) {
        stores_.push_back(store->store);
      }
    }
    check_members();
  }

  void check_removal(Client& client, bool is_new_generation) {
    const bool waits = client.joining || client.syncing;
    const bool was_silent = !waits && client.alive_until <= now_;
    const bool did_not_rejoin = is_new_generation && !client.joining && now_ - preparing_since_ >= rebalance_timeout;
    const bool did_not_sync = !client.has_assignment && !waits && now_ - generation_since_ >= rebalance_timeout;
    RC_ASSERT(client.may_be_unknown || was_silent || did_not_rejoin || did_not_sync);
    client.may_be_unknown = true;
  }

  // Nothing: the client has given this request up.
  Client* take_waiting(RequestId request) {
    const auto found = waiting_.find(request);
    RC_ASSERT(found != waiting_.end());  // answered twice, or never asked
    const Waiting waiting = found->second;
    waiting_.erase(found);
    Client& client = clients_[static_cast<std::size_t>(waiting.client)];
    if (superseded_.erase(request) != 0) {
      if (client.id == waiting.member_id) touch(client);  // for the group it ends its silence
      return nullptr;
    }
    (waiting.is_join ? client.joining : client.syncing).reset();
    return &client;
  }

  void on_join(const JoinAnswer& answer) {
    if (answer.error == ErrorCode::none) {
      // Whoever hears it or not: the generation has one leader and one protocol.
      const auto [leader, is_first] = leaders_.emplace(answer.generation, answer.leader);
      RC_ASSERT(leader->second == answer.leader);
      RC_ASSERT(answer.protocol_name == "range");
      RC_ASSERT(answer.members.empty() == (answer.leader != answer.member_id));
    }
    Client* client = take_waiting(answer.request);
    if (client == nullptr) return;
    if (answer.error == ErrorCode::member_id_required) {
      client->id = answer.member_id;
      client->may_be_unknown = false;
      touch(*client);
    } else if (answer.error == ErrorCode::none) {
      RC_ASSERT(answer.member_id == client->id);
      RC_ASSERT(answer.generation >= client->generation);
      if (answer.generation != client->generation) client->has_assignment = false;
      client->generation = answer.generation;
      client->is_leader = answer.leader == client->id;
      client->members.clear();
      for (const auto& member : answer.members) client->members.push_back(member.member_id);
      client->may_be_unknown = false;
      touch(*client);
    } else {
      see_error(*client, answer.error);
    }
  }

  void on_sync(const SyncAnswer& answer) {
    Client* client = take_waiting(answer.request);
    if (client == nullptr) return;
    if (answer.error == ErrorCode::none) {
      RC_ASSERT(client->generation == group_.generation());
      RC_ASSERT(answer.assignment == assignment_text(client->generation, client->id));
      client->has_assignment = true;
      touch(*client);
    } else if (answer.error == ErrorCode::coordinator_not_available) {
      client->generation = -1;
      client->has_assignment = false;
      touch(*client);
    } else {
      see_error(*client, answer.error);
      if (answer.error == ErrorCode::rebalance_in_progress) touch(*client);
    }
  }

  void check_members() {
    const auto& members = group_.members().all();
    std::size_t joined = 0;
    for (const auto& [id, member] : members) joined += member.awaiting_join ? 1 : 0;
    RC_ASSERT(joined == group_.members().joined_count());
    RC_ASSERT(group_.members().leader().has_value() == !members.empty());
    if (group_.members().leader()) RC_ASSERT(members.contains(*group_.members().leader()));
    RC_ASSERT((group_.state() == State::empty) <= members.empty());
    for (const auto& [id, member] : members) {
      if (member.awaiting_sync) RC_ASSERT(group_.state() == State::completing_rebalance);
      if (member.awaiting_join) RC_ASSERT(group_.state() == State::preparing_rebalance);
    }
  }

  void check_time() {
    if (!stores_.empty()) store_pending_at_ = now_;
    for (const auto& [request, waiting] : waiting_) {
      const MonotonicTime since = waiting.is_join ? waiting.since : std::max(waiting.since, store_pending_at_);
      RC_ASSERT(now_ - since <= rebalance_timeout);
    }
    for (int i = 0; i < client_count; ++i) {
      const Client& client = clients_[static_cast<std::size_t>(i)];
      // Who waits for an answer is excused, also for a request that it has given up: the group can't know.
      const bool waits = std::any_of(waiting_.begin(), waiting_.end(), [i](const auto& entry) { return entry.second.client == i; });
      if (!waits && client.alive_until <= now_) RC_ASSERT(!is_member(client));
    }
  }

  Group group_;
  MonotonicTime now_{100s};
  RequestId last_request_{0};
  std::vector<Client> clients_;
  std::map<RequestId, Waiting> waiting_;
  std::set<RequestId> superseded_;  // given up by the client, still to be answered
  std::map<RequestId, ErrorCode> plain_;
  std::vector<StoreId> stores_;
  std::map<std::int32_t, std::string> leaders_;
  MonotonicTime preparing_since_{};
  MonotonicTime generation_since_{};
  MonotonicTime store_pending_at_{};
  int ids_given_ = 0;
};

void run_random_steps(Simulation& simulation) {
  const int step_count = *rc::gen::inRange(20, 200);
  for (int step = 0; step < step_count; ++step) {
    const int client = *rc::gen::inRange(0, client_count);
    switch (*rc::gen::weightedElement<int>({{8, 0}, {8, 1}, {6, 2}, {1, 3}, {1, 4}, {1, 5}, {6, 6}, {1, 7}, {12, 8}, {3, 9}, {1, 10}})) {
      case 0: simulation.join(client); break;
      case 1: simulation.sync(client); break;
      case 2: simulation.heartbeat(client); break;
      case 3: simulation.leave(client); break;
      case 4: simulation.crash(client); break;
      case 5: simulation.change_metadata(client); break;
      case 6: simulation.finish_store(true); break;
      case 7: simulation.finish_store(false); break;
      case 8: simulation.pass(milliseconds(*rc::gen::inRange(1, 2000))); break;
      case 9: simulation.commit(client); break;
      case 10: simulation.pass(milliseconds(*rc::gen::inRange(1, 30000))); break;
      default: break;
    }
  }
}

TEST(GroupModel, MembersCanRelyOnTheProtocol) {
  EXPECT_TRUE(rc::check("random requests", [] {
    Simulation simulation(*rc::gen::element(milliseconds(0), initial_delay));
    run_random_steps(simulation);
  }));
}

TEST(GroupModel, WhateverHappenedWellBehavedClientsBecomeStable) {
  EXPECT_TRUE(rc::check("settles", [] {
    Simulation simulation(*rc::gen::element(milliseconds(0), initial_delay));
    run_random_steps(simulation);
    simulation.settle();
    RC_ASSERT(simulation.group().members().size() >= static_cast<std::size_t>(client_count));
  }));
}

}  // namespace
}  // namespace tripos::groups
