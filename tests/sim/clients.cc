#include "clients.h"

#include <algorithm>
#include <array>
#include <utility>

#include "wire/delete_records.h"
#include "wire/incremental_alter_configs.h"

namespace tripos::sim {

using broker::Pending;
using broker::TestBroker;

namespace {

constexpr std::size_t unanswered_max = 4;  // a broker knows a producer's last five batches again
constexpr std::string_view churning = "churn";

// Where each kind of producer writes.
const std::array<Place, 4>& idempotent_places() {
  static const std::array<Place, 4> places = {Place{"exams", 0}, Place{"exams", 1}, Place{"marks", 0}, Place{"aging", 0}};
  return places;
}
const std::array<Place, 3>& transactional_places() {
  static const std::array<Place, 3> places = {Place{"exams", 0}, Place{"exams", 1}, Place{"marks", 0}};
  return places;
}

}  // namespace

Clients::Clients(History& history, std::uint64_t seed) : history_(history), random_(seed) {
  idempotent_.resize(2);
  for (const char* id : {"one", "two"}) transactional_.emplace_back().id = id;
}

void Clients::wait(Pending pending, std::function<void(const Pending&)> learn) { answers_.wait(std::move(pending), std::move(learn)); }

void Clients::expect_none(wire::ErrorCode error, std::string_view what) {
  if (error != wire::ErrorCode::none && wrong_.empty()) wrong_ = fmt::format("refused: {}: error {}", what, static_cast<int>(error));
}

void Clients::begin(World& world) {
  world_ = &world;
  create("exams", {.partition_count = 2}, {{"segment.bytes", "700"}});
  create("marks", {}, {{"segment.bytes", "700"}});
  create("aging", {.retention_bytes = 900}, {{"segment.bytes", "400"}, {"retention.bytes", "900"}});
  create("keys", {.compacted = true}, {{"segment.bytes", "400"}, {"cleanup.policy", "compact"}, {"min.cleanable.dirty.ratio", "0"}});
  world.broker().run();
  listen();
}

void Clients::go_on(World& world) {
  world_ = &world;
  for (IdempotentProducer& producer : idempotent_) {
    producer.asked = false;
    for (const auto& [place, batches] : producer.unanswered) {
      for (const std::size_t batch : batches) send_idempotent(batch);
    }
  }
  for (TransactionalProducer& producer : transactional_) {
    producer.client.reset();
    producer.phase = Phase::new_producer;
    producer.under_way = 0;
  }
}

void Clients::act() {
  const std::uint64_t choice = draw(100);
  if (choice < 18) {
    produce_idempotent();
  } else if (choice < 24) {
    produce_plain();
  } else if (choice < 66) {
    step_transaction(transactional_[draw(transactional_.size())]);
  } else if (choice < 69) {
    commit_offset();
  } else if (choice < 71) {
    delete_records();
  } else if (choice < 75) {
    churn();
  } else if (choice < 77) {
    configure();
  } else if (choice < 79) {
    ask_producer_id(nullptr);
  } else if (choice < 83) {
    world_->start_snapshot(draw(3) == 0 ? World::Committer::rival : World::Committer::server);
  } else if (choice < 89) {
    read();
  } else {
    pass_time();
  }
  for (std::uint64_t steps = draw(7); steps > 0; --steps) world_->loop().step();
  listen();
}

void Clients::pass_time() {
  const std::uint64_t choice = draw(16);
  if (choice < 11) {
    world_->loop().advance(std::chrono::milliseconds(20));
  } else if (choice < 15) {
    world_->loop().advance(std::chrono::seconds(15));  // the cleaner looks
  } else {
    world_->loop().advance(std::chrono::minutes(5));  // retention looks, transactions time out
  }
}

// ---- Topics

void Clients::create(const std::string& name, TopicKnown topic, const broker::ConfigValues& config) {
  const auto old = history_.topics.find(name);
  topic.incarnation = old == history_.topics.end() ? 1 : old->second.incarnation + 1;
  topic.uncertain = true;
  std::erase_if(history_.places, [&name](const auto& place) { return place.first.topic == name; });
  history_.topics[name] = topic;
  ++history_.version;
  wait(broker().start_create_topic(name, topic.partition_count, config), [this, name](const Pending& pending) {
    TopicKnown& known = history_.topics.at(name);
    ++history_.version;
    expect_none(TestBroker::created(pending), "CreateTopics");
    known.uncertain = false;
    known.exists = true;
    const broker::Topic* const made = broker().broker().topics().find(name);
    if (made != nullptr) known.id = made->id().text();
  });
}

void Clients::remove(const std::string& name) {
  history_.topics.at(name).uncertain = true;
  ++history_.version;
  wire::DeleteTopicsRequest request;
  request.topic_names = {name};
  wait(broker().send(request, 5), [this, name](const Pending& pending) {
    TopicKnown& known = history_.topics.at(name);
    ++history_.version;
    expect_none(TestBroker::read<wire::DeleteTopicsResponse>(pending, 5).responses.at(0).error_code, "DeleteTopics");
    known.uncertain = false;
    known.exists = false;
    std::erase_if(history_.places, [&name](const auto& place) { return place.first.topic == name; });
  });
}

// A name that comes, is written to, goes and comes again. After a crash amid of it nobody knows whether it is there: a tool would ask.
void Clients::churn() {
  const std::string name(churning);
  const auto known = history_.topics.find(name);
  if (known != history_.topics.end() && known->second.uncertain) {
    if (answers_.any_under_way()) return;
    TopicKnown& topic = known->second;
    const broker::Topic* const there = broker().broker().topics().find(name);
    topic.uncertain = false;
    topic.exists = there != nullptr;
    topic.id = there == nullptr ? "" : there->id().text();
    ++history_.version;
    return;
  }
  if (known == history_.topics.end() || !known->second.exists) return create(name, {}, {{"segment.bytes", "500"}});
  if (draw(3) == 0) return remove(name);
  const std::size_t batch = history_.add({.place = {name, 0},
                                          .incarnation = known->second.incarnation,
                                          .count = 1,
                                          .timestamp_ms = world_->loop().wall().time_since_epoch().count()});
  wait(broker().start_produce(name, bytes_of(history_.batches[batch])), [this, batch](const Pending& pending) {
    const auto answer = TestBroker::produced(pending);
    const SentBatch& sent = history_.batches[batch];
    if (history_.topics.at(sent.place.topic).incarnation != sent.incarnation) return;
    if (answer.error_code == wire::ErrorCode::none) history_.accept(batch, answer.base_offset);
  });
}

void Clients::configure() {
  const std::string value = std::to_string(1'000'000'000'000 + draw(1000));
  history_.topics.at("marks").config_asked.insert(value);
  ++history_.version;
  wire::IncrementalAlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = 2;
  resource.resource_name = "marks";
  resource.configs.push_back({.name = "retention.ms", .config_operation = 0, .value = value});
  wait(broker().send(request, 1), [this, value](const Pending& pending) {
    const auto answer = TestBroker::read<wire::IncrementalAlterConfigsResponse>(pending, 1);
    expect_none(answer.responses.at(0).error_code, "IncrementalAlterConfigs");
    TopicKnown& known = history_.topics.at("marks");
    known.config_told = value;
    ++history_.version;
  });
}

void Clients::delete_records() {
  const Place place = idempotent_places()[draw(2) == 0 ? 0 : 3];
  PlaceKnown& known = history_.places[place];
  if (known.end_seen == 0) return;
  const std::int64_t below =
      known.start_asked + static_cast<std::int64_t>(draw(static_cast<std::uint64_t>(known.end_seen - known.start_asked) / 2 + 1));
  known.start_asked = std::max(known.start_asked, below);
  ++history_.version;
  wire::DeleteRecordsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = place.topic;
  topic.partitions.push_back({.partition_index = place.partition, .offset = below});
  wait(broker().send(request, 2), [this, place, below](const Pending& pending) {
    const auto answer = TestBroker::read<wire::DeleteRecordsResponse>(pending, 2).topics.at(0).partitions.at(0);
    if (answer.error_code == wire::ErrorCode::offset_out_of_range) return;  // retention was faster
    expect_none(answer.error_code, "DeleteRecords");
    PlaceKnown& told = history_.places[place];
    told.start_told = std::max(told.start_told, below);
    ++history_.version;
  });
}

// ---- Records

void Clients::produce_plain() {
  static const std::array<Place, 4> places = {Place{"keys", 0}, Place{"keys", 0}, Place{"exams", 0}, Place{"aging", 0}};
  const Place& place = places[draw(places.size())];
  const std::size_t batch = history_.add({.place = place,
                                          .incarnation = 1,
                                          .count = static_cast<std::int32_t>(draw(3)) + 1,
                                          .timestamp_ms = world_->loop().wall().time_since_epoch().count()});
  const std::int16_t acks = draw(2) == 0 ? std::int16_t{1} : std::int16_t{-1};
  wait(broker().start_produce(place.topic, bytes_of(history_.batches[batch]), place.partition, acks),
       [this, batch](const Pending& pending) {
         const auto answer = TestBroker::produced(pending);
         expect_none(answer.error_code, "Produce");
         if (answer.error_code == wire::ErrorCode::none) history_.accept(batch, answer.base_offset);
       });
}

void Clients::ask_producer_id(IdempotentProducer* producer) {
  wire::InitProducerIdRequest request;
  request.transactional_id.reset();
  if (producer != nullptr) producer->asked = true;
  wait(broker().send(request, 4), [this, producer](const Pending& pending) {
    const auto answer = TestBroker::read<wire::InitProducerIdResponse>(pending, 4);
    expect_none(answer.error_code, "InitProducerId");
    if (!history_.producer_ids.insert(answer.producer_id).second && wrong_.empty()) {
      wrong_ = fmt::format("producer_id: {} is given out twice", answer.producer_id);
    }
    ++history_.version;
    if (producer != nullptr) producer->id = answer.producer_id;
  });
}

void Clients::produce_idempotent() {
  IdempotentProducer& producer = idempotent_[draw(idempotent_.size())];
  if (producer.id < 0) {
    if (!producer.asked) ask_producer_id(&producer);
    return;
  }
  const Place& place = idempotent_places()[draw(idempotent_places().size())];
  auto& unanswered = producer.unanswered[place];
  // Now and then a library's timeout comes before the answer: it sends again.
  if (!unanswered.empty() && draw(5) == 0) return send_idempotent(unanswered.front());
  for (std::uint64_t batches = draw(3) + 1; batches > 0 && unanswered.size() < unanswered_max; --batches) {
    std::int32_t& sequence = producer.sequences[place];
    const std::size_t batch = history_.add({.place = place,
                                            .incarnation = 1,
                                            .writer = Writer::idempotent,
                                            .producer_id = producer.id,
                                            .epoch = 0,
                                            .sequence = sequence,
                                            .count = static_cast<std::int32_t>(draw(2)) + 1,
                                            .timestamp_ms = world_->loop().wall().time_since_epoch().count()});
    sequence += history_.batches[batch].count;
    unanswered.push_back(batch);
    send_idempotent(batch);
  }
}

void Clients::send_idempotent(std::size_t batch) {
  const SentBatch& sent = history_.batches[batch];
  wait(broker().start_produce(sent.place.topic, bytes_of(sent), sent.place.partition), [this, batch](const Pending& pending) {
    const auto answer = TestBroker::produced(pending);
    const SentBatch& told = history_.batches[batch];
    expect_none(answer.error_code, fmt::format("Produce of sequence {} to {}-{}", told.sequence, told.place.topic, told.place.partition));
    if (answer.error_code != wire::ErrorCode::none) return;
    if (told.outcome == Outcome::accepted) {
      if (told.base_offset != answer.base_offset && wrong_.empty()) {
        wrong_ = fmt::format("sequence: what stands at offset {} is said to stand at {}", told.base_offset, answer.base_offset);
      }
      return;
    }
    history_.accept(batch, answer.base_offset);
    for (IdempotentProducer& producer : idempotent_) {
      if (producer.id == told.producer_id) std::erase(producer.unanswered[told.place], batch);
    }
  });
}

void Clients::commit_offset() {
  GroupKnown& group = history_.groups["readers"];
  const std::int64_t offset = ++group.asked;
  ++history_.version;
  wait(broker().start_commit_offset("readers", "exams", offset), [this, offset](const Pending& pending) {
    expect_none(TestBroker::committed(pending), "OffsetCommit");
    GroupKnown& told = history_.groups["readers"];
    told.told = std::max(told.told, offset);
    ++history_.version;
  });
}

// What somebody has read must not be taken back.
void Clients::read() {
  const Place& place = idempotent_places()[draw(idempotent_places().size())];
  const std::int64_t from = std::max(history_.places[place].start_seen, history_.places[place].start_asked);
  wait(broker().send(TestBroker::fetch_request(place.topic, from, 0, place.partition), 11), [this, place, from](const Pending& pending) {
    const auto data = TestBroker::read<wire::FetchResponse>(pending, 11).responses.at(0).partitions.at(0);
    PlaceKnown& known = history_.places[place];
    known.start_seen = std::max(known.start_seen, data.log_start_offset);
    known.end_seen = std::max(known.end_seen, data.high_watermark);
    ++history_.version;
    if (data.error_code == wire::ErrorCode::offset_out_of_range) return;
    (void)broker::take_fetched(data, from, [&](const Record& record) {
      const auto number = record.value ? number_of(*record.value) : std::nullopt;
      if (number) history_.see(place, record.offset.value(), *number);
    });
  });
}

// ---- Transactions

void Clients::step_transaction(TransactionalProducer& producer) {
  if (producer.under_way > 0) return;
  switch (producer.phase) {
    case Phase::new_producer: {
      if (producer.client == nullptr) producer.client = std::make_unique<broker::TestProducer>(broker(), producer.id);
      ++producer.under_way;
      wait(producer.client->start_init(), [this, &producer](const Pending& pending) {
        --producer.under_way;
        const wire::ErrorCode error = producer.client->finish_init(pending);
        if (error == wire::ErrorCode::concurrent_transactions) return;  // the old one is being ended: again
        expect_none(error, "InitProducerId of " + producer.id);
        if (error != wire::ErrorCode::none) return;
        producer.phase = Phase::ready;
        ++history_.version;
        if (!history_.producer_epochs.emplace(producer.client->id().value(), producer.client->epoch().value()).second && wrong_.empty()) {
          wrong_ = fmt::format("producer_id: {} gets an epoch twice", producer.id);
        }
      });
      return;
    }
    case Phase::ready: return begin_transaction(producer);
    case Phase::adding: return;
    case Phase::sending:
      if (producer.failed || draw(20) == 0) {  // its process ends; another one takes its place
        producer.client.reset();
        producer.phase = Phase::new_producer;
        return;
      }
      if (producer.sends_left > 0) return send_in_transaction(producer);
      if (producer.with_offsets) return commit_offset_in_transaction(producer);
      return end_transaction(producer);
    case Phase::ending: return;
  }
}

void Clients::begin_transaction(TransactionalProducer& producer) {
  producer.places.clear();
  for (const Place& place : transactional_places()) {
    if (draw(3) > 0) producer.places.push_back(place);
  }
  if (producer.places.empty()) producer.places.push_back(transactional_places()[0]);
  producer.transaction = history_.transactions.size();
  history_.transactions.push_back({.id = producer.id});
  producer.sends_left = static_cast<int>(draw(4)) + 1;
  producer.with_offsets = draw(2) == 0;
  producer.group_is_added = false;
  producer.failed = false;
  producer.phase = Phase::adding;
  std::vector<std::pair<std::string, std::int32_t>> partitions;
  for (const Place& place : producer.places) partitions.emplace_back(place.topic, place.partition);
  ++producer.under_way;
  wait(producer.client->start_add(partitions), [&producer](const Pending& pending) {
    --producer.under_way;
    producer.phase = Phase::sending;
    for (const auto& topic : TestBroker::read<wire::AddPartitionsToTxnResponse>(pending, 3).results_by_topic_v3_and_below) {
      for (const auto& each : topic.results_by_partition)
        producer.failed = producer.failed || each.partition_error_code != wire::ErrorCode::none;
    }
  });
}

void Clients::send_in_transaction(TransactionalProducer& producer) {
  --producer.sends_left;
  const Place& place = producer.places[draw(producer.places.size())];
  const std::size_t batch = history_.add({.place = place,
                                          .incarnation = 1,
                                          .writer = Writer::transactional,
                                          .producer_id = producer.client->id().value(),
                                          .epoch = producer.client->epoch().value(),
                                          .sequence = producer.client->next_sequence(place.topic, place.partition),
                                          .transaction = producer.transaction,
                                          .count = static_cast<std::int32_t>(draw(2)) + 1,
                                          .timestamp_ms = world_->loop().wall().time_since_epoch().count()});
  history_.transactions[producer.transaction].batches.push_back(batch);
  ++producer.under_way;
  const Buffer bytes = bytes_of(history_.batches[batch]);
  wait(producer.client->start_send_batch(place.topic, bytes, place.partition), [this, &producer, batch](const Pending& pending) {
    --producer.under_way;
    const SentBatch& sent = history_.batches[batch];
    const std::int64_t base_offset = TestBroker::produced(pending).base_offset;
    if (producer.client->finish_send(sent.place.topic, pending, sent.count, sent.place.partition) == wire::ErrorCode::none) {
      history_.accept(batch, base_offset);
    } else {
      producer.failed = true;  // it has timed out
    }
  });
}

// The group becomes a part of the transaction, then its offset.
void Clients::commit_offset_in_transaction(TransactionalProducer& producer) {
  const std::string group = "group of " + producer.id;
  ++producer.under_way;
  if (!std::exchange(producer.group_is_added, true)) {
    return wait(producer.client->start_add_offsets(group), [&producer](const Pending& pending) {
      --producer.under_way;
      if (TestBroker::read<wire::AddOffsetsToTxnResponse>(pending, 3).error_code != wire::ErrorCode::none) producer.failed = true;
    });
  }
  producer.with_offsets = false;
  const auto offset = static_cast<std::int64_t>(producer.transaction);
  history_.transactions[producer.transaction].group_offset = offset;
  ++history_.version;
  wait(producer.client->start_commit_offset(group, "exams", offset), [&producer](const Pending& pending) {
    --producer.under_way;
    const auto answer = TestBroker::read<wire::TxnOffsetCommitResponse>(pending, 3).topics.at(0).partitions.at(0);
    if (answer.error_code != wire::ErrorCode::none) producer.failed = true;
  });
}

void Clients::end_transaction(TransactionalProducer& producer) {
  const bool commit = draw(10) < 7;
  SentTransaction& transaction = history_.transactions[producer.transaction];
  transaction.end_sent = commit;
  ++history_.version;
  ++producer.under_way;
  producer.phase = Phase::ending;
  wait(producer.client->start_end(commit), [this, &producer](const Pending& pending) {
    --producer.under_way;
    const wire::ErrorCode error = broker::TestProducer::finish_end(pending);
    SentTransaction& ended = history_.transactions[producer.transaction];
    ++history_.version;
    if (error == wire::ErrorCode::none) {
      ended.outcome = Outcome::accepted;
      producer.phase = Phase::ready;
    } else {
      producer.client.reset();
      producer.phase = Phase::new_producer;
    }
  });
}

}  // namespace tripos::sim
