#include "aftermath.h"

#include <algorithm>
#include <map>

#include "broker/testing_transactions.h"
#include "judge.h"

namespace tripos::sim {

using broker::TestBroker;

namespace {

class Returning {
 public:
  Returning(World& world, History& history) : world_(world), history_(history) {}

  std::string run() {
    take_producer_id();
    send_again();
    for (const char* id : {"one", "two"}) take_over(id);
    if (!wrong_.empty()) return wrong_;
    wrong_ = Judge(world_, history_).nothing_is_held();
    if (!wrong_.empty()) return wrong_;
    world_.start_snapshot();
    world_.broker().run();
    return Judge(world_, history_).after_start();
  }

 private:
  template <typename... Values>
  void wrong(fmt::format_string<Values...> format, Values&&... values) {
    if (wrong_.empty()) wrong_ = fmt::format(format, std::forward<Values>(values)...);
  }
  [[nodiscard]] bool is_settled(const std::string& topic) const {
    const auto known = history_.topics.find(topic);
    return known != history_.topics.end() && known->second.exists && !known->second.uncertain;
  }

  void take_producer_id() {
    wire::InitProducerIdRequest request;
    request.transactional_id.reset();
    const auto answer = world_.broker().call<wire::InitProducerIdResponse>(request, 4);
    if (answer.error_code != wire::ErrorCode::none) wrong("refused: InitProducerId: error {}", static_cast<int>(answer.error_code));
    if (!history_.producer_ids.insert(answer.producer_id).second) wrong("producer_id: {} is given out twice", answer.producer_id);
  }

  // Of each idempotent producer: the last batch that was acknowledged, which is known; those that were not, in order; and one more.
  void send_again() {
    std::map<std::pair<std::int64_t, Place>, std::vector<std::size_t>> sent;
    for (std::size_t i = 0; i < history_.batches.size(); ++i) {
      const SentBatch& batch = history_.batches[i];
      if (batch.writer == Writer::idempotent && is_settled(batch.place.topic)) sent[{batch.producer_id, batch.place}].push_back(i);
    }
    for (const auto& [writer, batches] : sent) {
      const auto unanswered = std::ranges::find(batches, Outcome::unknown, [this](std::size_t i) { return history_.batches[i].outcome; });
      for (auto each = unanswered == batches.begin() ? unanswered : unanswered - 1; each != batches.end(); ++each) send(*each);
      SentBatch next = history_.batches[batches.back()];
      next.sequence += next.count;
      next.outcome = Outcome::unknown;
      send(history_.add(next));
    }
  }

  void send(std::size_t index) {
    const SentBatch batch = history_.batches[index];
    const auto answer = world_.broker().produce(batch.place.topic, bytes_of(batch), batch.place.partition);
    if (answer.error_code != wire::ErrorCode::none) {
      return wrong("sequence: {}-{}: sequence {} of producer {} is refused: error {}", batch.place.topic, batch.place.partition,
                   batch.sequence, batch.producer_id, static_cast<int>(answer.error_code));
    }
    if (batch.outcome == Outcome::unknown) return history_.accept(index, answer.base_offset);
    if (answer.base_offset != batch.base_offset) {
      wrong("sequence: {}-{}: what stands at {} is stored again at {}", batch.place.topic, batch.place.partition, batch.base_offset,
            answer.base_offset);
    }
  }

  // Whoever takes a transactional id over ends what is open, and commits a transaction of its own.
  void take_over(const std::string& id) {
    if (!wrong_.empty() || !is_settled("exams") || !is_settled("marks")) return;
    broker::TestProducer heir(world_.broker(), id);
    wire::ErrorCode error = heir.init();
    if (error == wire::ErrorCode::concurrent_transactions) error = heir.init();
    if (error != wire::ErrorCode::none) return wrong("refused: InitProducerId of {}: error {}", id, static_cast<int>(error));
    if (!history_.producer_epochs.emplace(heir.id().value(), heir.epoch().value()).second) {
      return wrong("producer_id: {} gets epoch {} of {} twice", id, heir.epoch().value(), heir.id().value());
    }
    const std::size_t transaction = history_.transactions.size();
    history_.transactions.push_back({.id = id, .end_sent = true});
    for (const char* topic : {"exams", "marks"}) {
      const std::size_t batch = history_.add({.place = {topic, 0},
                                              .incarnation = 1,
                                              .writer = Writer::transactional,
                                              .producer_id = heir.id().value(),
                                              .epoch = heir.epoch().value(),
                                              .sequence = 0,
                                              .transaction = transaction,
                                              .count = 1,
                                              .timestamp_ms = world_.loop().wall().time_since_epoch().count()});
      history_.transactions[transaction].batches.push_back(batch);
      error = heir.add(topic);
      const auto answer = TestBroker::produced([&] {
        const auto pending = heir.start_send_batch(topic, bytes_of(history_.batches[batch]), 0);
        world_.broker().run();
        return pending;
      }());
      if (error == wire::ErrorCode::none) error = answer.error_code;
      if (error != wire::ErrorCode::none) return wrong("refused: {} writes to {}: error {}", id, topic, static_cast<int>(error));
      history_.accept(batch, answer.base_offset);
    }
    error = heir.commit();
    if (error != wire::ErrorCode::none) return wrong("refused: EndTxn of {}: error {}", id, static_cast<int>(error));
    history_.transactions[transaction].outcome = Outcome::accepted;
  }

  World& world_;
  History& history_;
  std::string wrong_;
};

}  // namespace

std::string come_back(World& world, History& history) { return Returning(world, history).run(); }

}  // namespace tripos::sim
