// Clients: a random workload: who produces (plainly, idempotently, in transactions), commits offsets, creates, configures and deletes
// topics, deletes records, reads, and asks for snapshots and pins; while time passes, and the server ends and starts again.
// They behave as Kafka's libraries do: several requests under way, answers taken as they come, what was not answered sent again with the
// same sequence, a transaction committed only when all that was sent in it was acknowledged. What they learn goes to the History.
// Threads: the world's.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "broker/testing_transactions.h"
#include "history.h"
#include "world.h"

namespace tripos::sim {

class Clients {
 public:
  Clients(History& history, std::uint64_t seed);

  // Creates the topics; the first life begins with it.
  void begin(World& world);
  // The server is gone: what is under way stays unanswered.
  void disconnect() { answers_.forget(); }
  // A new life: what was under way is sent again.
  void go_on(World& world);

  // One thing that somebody does.
  void act();
  // Takes the answers that have come.
  void listen() { answers_.listen(); }

  // A request was refused that should not have been.
  [[nodiscard]] const std::string& wrong() const noexcept { return wrong_; }

 private:
  struct IdempotentProducer {
    std::int64_t id = -1;
    bool asked = false;
    std::map<Place, std::int32_t> sequences;
    std::map<Place, std::deque<std::size_t>> unanswered;
  };
  enum class Phase { new_producer, ready, adding, sending, ending };
  struct TransactionalProducer {
    std::string id;
    std::unique_ptr<broker::TestProducer> client;
    Phase phase = Phase::new_producer;
    int under_way = 0;  // requests
    int sends_left = 0;
    bool with_offsets = false;
    bool group_is_added = false;
    bool failed = false;
    std::size_t transaction = 0;
    std::vector<Place> places;
  };

  [[nodiscard]] std::uint64_t draw(std::uint64_t count) { return random_() % count; }
  [[nodiscard]] broker::TestBroker& broker() { return world_->broker(); }
  void wait(broker::Pending pending, std::function<void(const broker::Pending&)> learn);
  void expect_none(wire::ErrorCode error, std::string_view what);

  void create(const std::string& name, TopicKnown topic, const broker::ConfigValues& config);
  void remove(const std::string& name);
  void churn();
  void configure();
  void delete_records();
  void ask_producer_id(IdempotentProducer* producer);
  void produce_plain();
  void produce_idempotent();
  void send_idempotent(std::size_t batch);
  void commit_offset();
  void read();
  void step_transaction(TransactionalProducer& producer);
  void begin_transaction(TransactionalProducer& producer);
  void send_in_transaction(TransactionalProducer& producer);
  void commit_offset_in_transaction(TransactionalProducer& producer);
  void end_transaction(TransactionalProducer& producer);
  void pass_time();

  History& history_;
  std::mt19937_64 random_;
  World* world_ = nullptr;
  broker::Answers answers_;
  std::vector<IdempotentProducer> idempotent_;
  std::vector<TransactionalProducer> transactional_;
  std::string wrong_;
};

}  // namespace tripos::sim
