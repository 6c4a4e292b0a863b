// BrokerConfig: the broker's configuration, checked once. TopicConfig: what of it a topic's own values change.
// Values are kept as text, as they were given, for DescribeConfigs; what is asked often is read out into fields.
// Of several values of a key the first counts: changed while running for this broker, changed for all brokers, set at start, the default.
// Threads: the owner's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "broker/config/config_key.h"
#include "model/record_batch.h"

namespace tripos::broker {

// Whom a value holds for that was changed while the broker runs.
enum class DynamicScope : std::int8_t { this_broker, all_brokers };

class BrokerConfig {
 public:
  // Only defaults.
  BrokerConfig();
  // `set`: what the operator has set. invalid_argument: an unknown key, or a value that its key can't have.
  [[nodiscard]] static Result<BrokerConfig> make(ConfigValues set);

  // Set at start.
  [[nodiscard]] const ConfigValues& set_values() const noexcept { return set_; }
  // Changed since, all of it by keys that are is_dynamic().
  [[nodiscard]] const ConfigValues& dynamic_values(DynamicScope scope) const noexcept {
    return scope == DynamicScope::this_broker ? dynamic_ : dynamic_default_;
  }
  // `values`: checked.
  void set_dynamic_values(DynamicScope scope, ConfigValues values) {
    (scope == DynamicScope::this_broker ? dynamic_ : dynamic_default_) = std::move(values);
  }
  // Set or default; nothing for a key that is unset and has no default. The key is one of broker_keys().
  [[nodiscard]] std::optional<std::string_view> text(std::string_view name) const;
  [[nodiscard]] bool boolean(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;

  // What requests ask for each time.
  std::int32_t node_id = 0;
  std::int32_t num_partitions = 0;
  bool auto_create_topics = false;
  std::int32_t fetch_bytes_max = 0;
  std::size_t request_bytes_max = 0;

 private:
  struct Checked {};
  BrokerConfig(Checked tag, ConfigValues set);

  ConfigValues set_;
  ConfigValues dynamic_;
  ConfigValues dynamic_default_;
};

// Where a topic configuration's value comes from (DescribeConfigs numbers them so).
enum class ConfigSource : std::int8_t {
  dynamic_topic = 1,
  dynamic_broker = 2,
  dynamic_default_broker = 3,
  static_broker = 4,
  default_value = 5,
};

struct ConfigOrigin {
  std::string name;  // the key that holds it there
  std::optional<std::string> value;
  ConfigSource source;
};

class TopicConfig {
 public:
  // `set`: the topic's own values, checked with check_values(topic_keys(), …).
  TopicConfig(const BrokerConfig& broker, ConfigValues set);

  [[nodiscard]] const ConfigValues& set_values() const noexcept { return set_; }

  std::int32_t message_bytes_max = 0;
  std::optional<Compression> compression;  // compression.type; none: as the producer chose
  int compression_level = 0;               // compression.<codec>.level; 0: the codec's default
  TimestampType timestamp_type = TimestampType::create_time;
  std::int64_t timestamp_before_max_ms = 0;
  std::int64_t timestamp_after_max_ms = 0;
  bool compacted = false;
  bool deleted_by_retention = false;
  std::int64_t segment_bytes = 0;
  std::int64_t segment_ms = 0;  // of a compacted topic at most max.compaction.lag.ms
  std::int64_t segment_jitter_ms = 0;
  std::int64_t segment_index_bytes = 0;
  std::int64_t retention_ms = 0;     // -1: for ever
  std::int64_t retention_bytes = 0;  // -1: any size
  std::int32_t index_interval_bytes = 0;
  // Of a compacted topic.
  std::int64_t delete_retention_ms = 0;
  std::int64_t compaction_lag_min_ms = 0;
  std::int64_t compaction_lag_max_ms = 0;
  double cleanable_ratio_min = 0;
  bool table = true;                 // tripos.table
  std::size_t table_fields_max = 0;  // tripos.table.fields.max

 private:
  ConfigValues set_;
};

// All places that say something of a topic's key, the one that counts first: the topic, the broker's set values, the default.
[[nodiscard]] std::vector<ConfigOrigin> topic_config_origins(const BrokerConfig& broker, const ConfigValues& topic, const ConfigKey& key);
[[nodiscard]] std::vector<ConfigOrigin> broker_config_origins(const BrokerConfig& broker, const ConfigKey& key);

// Beyond each value by itself: what must hold between them.
[[nodiscard]] Result<> check_topic_config(const BrokerConfig& broker, const ConfigValues& topic);

}  // namespace tripos::broker
