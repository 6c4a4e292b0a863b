// Topics: the live topics with their partitions, created and deleted durably.
// TopicRegistry decides, the metadata log remembers, this joins them with the partitions' logs.
// Partition objects are made when they are first asked for, so that an unused partition costs a pointer.
// Threads: the loop's. A Topic* is valid until the topic is deleted: nobody keeps one over a callback.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/config/broker_config.h"
#include "broker/environment.h"
#include "broker/kafka_error.h"
#include "broker/metadata_log.h"
#include "broker/partition.h"
#include "broker/serial_tasks.h"
#include "broker/topic_registry.h"

namespace tripos::broker {

inline constexpr std::int32_t partition_count_max = 100'000;

struct Topic {
  TopicRecord record;
  TopicConfig config;
  bool internal;
  std::vector<std::unique_ptr<Partition>> partitions;  // nullptr: not asked for yet

  [[nodiscard]] const std::string& name() const noexcept { return record.name; }
  [[nodiscard]] const TopicId& id() const noexcept { return record.id; }
  [[nodiscard]] std::int32_t partition_count() const noexcept { return record.partition_count; }
  [[nodiscard]] Traffic traffic() const noexcept {
    Traffic sum;
    for (const auto& partition : partitions) {
      if (partition != nullptr) sum += partition->traffic();
    }
    return sum;
  }
};

// What offset a partition's next record must have at least: the end that its table's files hold (rules, 1.7).
using OffsetFloor = std::function<Offset(const TopicPartition&)>;

class Topics {
 public:
  Topics(const Environment& environment, const BrokerConfig& config, log::GroupCommit& commit, MetadataLog& metadata, std::string data,
         OffsetFloor offset_floor);
  ~Topics();
  Topics(const Topics&) = delete;
  Topics& operator=(const Topics&) = delete;

  // At start: a record of the metadata log; then, once, open_all(): recovers the partitions that have files (a damaged one is told to
  // environment.warn and refused from then on), and removes what deletions have left.
  [[nodiscard]] Result<> replay(MetadataRecord record);
  void open_all();

  [[nodiscard]] Topic* find(std::string_view name);
  [[nodiscard]] Topic* find(const TopicId& id);
  // By name.
  [[nodiscard]] std::vector<Topic*> all();
  // Of topics that are deleted, since the start.
  [[nodiscard]] const Traffic& traffic_of_deleted() const noexcept { return traffic_of_deleted_; }

  // The partition, its log open. UNKNOWN_TOPIC_OR_PARTITION (by id: UNKNOWN_TOPIC_ID), KAFKA_STORAGE_ERROR.
  [[nodiscard]] Outcome<Partition*> partition(std::string_view topic, PartitionId partition);
  [[nodiscard]] Outcome<Partition*> partition(const TopicPartition& id);
  [[nodiscard]] Outcome<Partition*> partition(Topic& topic, PartitionId partition);

  // What create() would refuse.
  [[nodiscard]] Outcome<> check_create(std::string_view name, std::int32_t partition_count, const ConfigValues& config) const;
  // `done` runs once the topic is durable and live, or refused.
  using Created = std::function<void(Outcome<Topic*>)>;
  void create(const std::string& name, std::int32_t partition_count, ConfigValues config, Created done);
  // The topic if it lives, the one that is being created if it is, else a new one.
  void find_or_create(const std::string& name, std::int32_t partition_count, ConfigValues config, Created done);

  // Changes a topic's record (its configuration, more partitions). `change` is given the record as earlier changes have left it, and
  // says what it shall be, or refuses. `done` runs once that is durable and in force, or refused.
  using Change = std::function<Outcome<TopicRecord>(TopicRecord)>;
  void change(const TopicId& id, Change change, Created done);
  // The broker's configuration has changed: what topics take from it does, too.
  void reconfigure();

  // `done` runs once the deletion is durable. Files are removed after that.
  void remove(const TopicId& id, std::function<void(Outcome<>)> done);

  // Everybody who waits for records looks again.
  void wake_watchers();
  // For a clean stop, when everything is durable: what the partitions remember of their producers, then all open logs.
  void write_final_snapshots();
  [[nodiscard]] std::vector<log::PartitionLog*> open_logs();

  // Before the first partition is opened: whether a producer's transaction in a partition has ended and is not in all of its partitions
  // yet.
  using IsCompleting = std::function<bool(ProducerId producer, const std::string& topic, PartitionId partition, Offset first)>;
  void set_completing_transactions(IsCompleting is_completing) { is_completing_ = std::move(is_completing); }

  // Runs when a topic has become live or is gone (after the fact, on the loop).
  void set_listener(std::function<void(const TopicRecord&, bool live)> listener) { listener_ = std::move(listener); }

 private:
  Topic* add(TopicRecord record);
  void change_now(const TopicId& id, const Change& change, Created done);
  void apply(const TopicRecord& record);
  void reconfigure(Topic& topic);
  void remove_files(const TopicId& id);
  [[nodiscard]] PartitionOptions partition_options(const Topic& topic) const;

  const Environment& environment_;
  const BrokerConfig& config_;
  log::GroupCommit& commit_;
  MetadataLog& metadata_;
  std::string data_;
  OffsetFloor offset_floor_;
  IsCompleting is_completing_;
  TopicRegistry registry_;
  std::unordered_map<TopicId, std::unique_ptr<Topic>> live_;
  Traffic traffic_of_deleted_;
  std::map<std::string, std::vector<Created>, std::less<>> creating_;  // who waits for a creation
  SerialTasks changes_;
  std::function<void(const TopicRecord&, bool live)> listener_;
};

}  // namespace tripos::broker
