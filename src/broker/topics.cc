#include "broker/topics.h"

#include <algorithm>
#include <utility>

#include "log/paths.h"

namespace tripos::broker {

Topics::Topics(const Environment& environment, const BrokerConfig& config, log::GroupCommit& commit, MetadataLog& metadata,
               std::string data, OffsetFloor offset_floor)
    : environment_(environment),
      config_(config),
      commit_(commit),
      metadata_(metadata),
      data_(std::move(data)),
      offset_floor_(std::move(offset_floor)) {}

Topics::~Topics() = default;

Result<> Topics::replay(MetadataRecord record) {
  if (auto* topic = std::get_if<TopicRecord>(&record)) {
    TRIPOS_TRY(check_values(topic_keys(), topic->config));
    TRIPOS_TRY(registry_.replay(*topic));
    live_.erase(topic->id);
    add(std::move(*topic));
  } else if (const auto* deleted = std::get_if<TopicDeleted>(&record)) {
    registry_.replay(*deleted);
    live_.erase(deleted->id);
  }
  return {};
}

void Topics::open_all() {
  for (const auto& [id, topic] : live_) {
    const auto entries = environment_.files.list(log::topic_directory(data_, id));
    if (!entries) continue;  // nothing was ever written to it
    for (const io::DirectoryEntry& entry : *entries) {
      const auto number = entry.directory ? log::partition_from_name(entry.name) : std::nullopt;
      if (number && number->value() < topic->partition_count()) (void)partition(*topic, *number);  // a refusal was told
    }
  }
  for (const TopicId& id : registry_.deleted_ids()) {
    const auto left = environment_.files.exists(log::topic_directory(data_, id));
    if (left && *left) remove_files(id);
  }
}

Topic* Topics::add(TopicRecord record) {
  const TopicId id = record.id;
  TopicConfig config(config_, record.config);
  const bool internal = is_internal_topic(record.name);
  std::vector<std::unique_ptr<Partition>> partitions(static_cast<std::size_t>(record.partition_count));
  auto topic = std::make_unique<Topic>(
      Topic{.record = std::move(record), .config = std::move(config), .internal = internal, .partitions = std::move(partitions)});
  return live_.insert_or_assign(id, std::move(topic)).first->second.get();
}

Topic* Topics::find(std::string_view name) {
  const auto found = registry_.names().find(name);
  return found == registry_.names().end() ? nullptr : find(found->second);
}

Topic* Topics::find(const TopicId& id) {
  const auto found = live_.find(id);
  if (found == live_.end() || registry_.find(id)->state != TopicState::live) return nullptr;
  return found->second.get();
}

std::vector<Topic*> Topics::all() {
  std::vector<Topic*> topics;
  topics.reserve(live_.size());
  for (const auto& [name, id] : registry_.names()) {
    if (Topic* topic = find(id)) topics.push_back(topic);
  }
  return topics;
}

Outcome<Partition*> Topics::partition(std::string_view topic_name, PartitionId number) {
  if (Topic* topic = find(topic_name)) return partition(*topic, number);
  return unknown_topic_or_partition();
}

Outcome<Partition*> Topics::partition(const TopicPartition& id) {
  if (Topic* topic = find(id.topic)) return partition(*topic, id.partition);
  return refuse(wire::ErrorCode::unknown_topic_id, "This server does not host this topic ID.");
}

Outcome<Partition*> Topics::partition(Topic& topic, PartitionId number) {
  if (number.value() < 0 || number.value() >= topic.partition_count()) {
    return unknown_topic_or_partition();
  }
  auto& slot = topic.partitions[static_cast<std::size_t>(number.value())];
  if (slot == nullptr) {
    const TopicPartition id{.topic = topic.id(), .partition = number};
    PartitionOptions options = partition_options(topic);
    if (offset_floor_) options.log.next_offset_floor = offset_floor_(id);
    slot = std::make_unique<Partition>(environment_, commit_, id, log::partition_directory(data_, id), std::move(options));
  }
  if (auto opened = slot->open(); !opened) return tl::unexpected(std::move(opened).error());
  return slot.get();
}

PartitionOptions Topics::partition_options(const Topic& topic) const {
  PartitionOptions partition;
  partition.producer_id_expiration = std::chrono::milliseconds(config_.integer("producer.id.expiration.ms"));
  if (is_completing_) {
    partition.is_completing = [is_completing = is_completing_, name = topic.name()](ProducerId producer, PartitionId number, Offset first) {
      return is_completing(producer, name, number, first);
    };
  }
  log::LogOptions& options = partition.log;
  options.segment_bytes = static_cast<std::uint64_t>(topic.config.segment_bytes);
  options.roll_ms = std::chrono::milliseconds(topic.config.segment_ms);
  options.roll_jitter_ms = std::chrono::milliseconds(topic.config.segment_jitter_ms);
  options.index_size_max_bytes = static_cast<std::uint32_t>(topic.config.segment_index_bytes);
  options.index_interval_bytes = static_cast<std::uint32_t>(topic.config.index_interval_bytes);
  return partition;
}

Outcome<> Topics::check_create(std::string_view name, std::int32_t partition_count, const ConfigValues& config) const {
  if (auto possible = registry_.check_create(name); !possible) return possible;
  if (partition_count < 1 || partition_count > partition_count_max) {
    return refuse(wire::ErrorCode::invalid_partitions, "Number of partitions was set to {}: it must lie between 1 and {}.", partition_count,
                  partition_count_max);
  }
  if (auto valid = check_topic_config(config_, config); !valid) {
    return tl::unexpected(KafkaError{.code = wire::ErrorCode::invalid_config, .message = valid.error().message});
  }
  return {};
}

void Topics::create(const std::string& name, std::int32_t partition_count, ConfigValues config, Created done) {
  if (auto possible = check_create(name, partition_count, config); !possible) return done(tl::unexpected(std::move(possible).error()));
  const TopicRecord record{.id = TopicId::random(), .name = name, .partition_count = partition_count, .config = std::move(config)};
  if (auto begun = registry_.begin_create(record); !begun) return done(tl::unexpected(std::move(begun).error()));
  creating_[name].push_back(std::move(done));
  metadata_.append(record, [this, record](const Result<>& durable) {
    const std::vector<Created> waiting = std::move(creating_.extract(record.name).mapped());
    if (!durable) {
      registry_.create_failed(record.id);
      for (const Created& each : waiting) each(tl::unexpected(kafka_error(durable.error())));
      return;
    }
    registry_.created(record.id);
    add(record);
    if (listener_) listener_(record, true);
    for (const Created& each : waiting) {
      if (Topic* topic = find(record.id)) each(topic);
    }
  });
}

void Topics::find_or_create(const std::string& name, std::int32_t partition_count, ConfigValues config, Created done) {
  if (Topic* topic = find(name)) return done(topic);
  if (const auto being_created = creating_.find(name); being_created != creating_.end()) {
    being_created->second.push_back(std::move(done));
    return;
  }
  create(name, partition_count, std::move(config), std::move(done));
}

void Topics::change(const TopicId& id, Change change, Created done) {
  changes_.run([this, id, change = std::move(change), done = std::move(done)](const std::function<void()>& finished) {
    change_now(id, change, [done, finished](const Outcome<Topic*>& changed) {
      done(changed);
      finished();
    });
  });
}

void Topics::change_now(const TopicId& id, const Change& change, Created done) {
  Topic* topic = find(id);
  if (topic == nullptr) {
    return done(unknown_topic_or_partition());
  }
  auto record = change(topic->record);
  if (!record) return done(tl::unexpected(std::move(record).error()));
  if (*record == topic->record) return done(topic);
  metadata_.append(*record, [this, record = *record, done = std::move(done)](const Result<>& durable) {
    if (!durable) return done(tl::unexpected(kafka_error(durable.error())));
    apply(record);
    if (Topic* changed = find(record.id)) return done(changed);
    done(refuse(wire::ErrorCode::unknown_topic_or_partition, "The topic was deleted meanwhile."));
  });
}

void Topics::apply(const TopicRecord& record) {
  const auto found = live_.find(record.id);
  if (found == live_.end()) return;  // deleted meanwhile
  registry_.changed(record);
  Topic& topic = *found->second;
  topic.record = record;
  topic.partitions.resize(static_cast<std::size_t>(record.partition_count));
  reconfigure(topic);
}

void Topics::reconfigure() {
  for (const auto& [id, topic] : live_) reconfigure(*topic);
}

void Topics::reconfigure(Topic& topic) {
  topic.config = TopicConfig(config_, topic.record.config);
  for (const auto& each : topic.partitions) {
    if (each != nullptr) each->set_options(partition_options(topic));
  }
}

void Topics::remove(const TopicId& id, std::function<void(Outcome<>)> done) {
  if (auto begun = registry_.begin_delete(id); !begun) return done(tl::unexpected(std::move(begun).error()));
  for (const auto& each : live_.at(id)->partitions) {
    if (each != nullptr) each->close();
  }
  metadata_.append(TopicDeleted{id}, [this, id, done = std::move(done)](const Result<>& durable) {
    if (!durable) {
      registry_.delete_failed(id);
      return done(tl::unexpected(kafka_error(durable.error())));
    }
    const TopicRecord record = registry_.find(id)->record;
    registry_.deleted(id);
    traffic_of_deleted_ += live_.at(id)->traffic();
    live_.erase(id);
    remove_files(id);
    if (listener_) listener_(record, false);
    done({});
  });
}

void Topics::remove_files(const TopicId& id) {
  const std::string directory = log::topic_directory(data_, id);
  commit_.run_chore([&files = environment_.files, directory] { return io::remove_tree(files, directory); },
                    [this, directory](const Result<>& removed) {
                      if (!removed) {
                        environment_.warn(fmt::format("files of a deleted topic are left in {}, until the next start: {}", directory,
                                                      removed.error().message));
                      }
                    });
}

void Topics::wake_watchers() {
  for (const auto& [id, topic] : live_) {
    for (const auto& each : topic->partitions) {
      if (each != nullptr) each->notify_watchers();
    }
  }
}

void Topics::write_final_snapshots() {
  for (const auto& [id, topic] : live_) {
    for (const auto& each : topic->partitions) {
      if (each != nullptr) each->write_final_snapshot();
    }
  }
}

std::vector<log::PartitionLog*> Topics::open_logs() {
  std::vector<log::PartitionLog*> logs;
  for (const auto& [id, topic] : live_) {
    for (const auto& each : topic->partitions) {
      if (each != nullptr && each->log() != nullptr) logs.push_back(each->log());
    }
  }
  return logs;
}

}  // namespace tripos::broker
