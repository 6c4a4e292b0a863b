#include "broker/config/broker_config.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace tripos::broker {

namespace {

// Where another unit of the same setting is looked for when a key is unset, in order.
struct CoarserKey {
  std::string_view name;
  std::string_view coarser;
  std::int64_t factor;  // of the coarser unit
};
constexpr std::array coarser_keys{
    CoarserKey{"log.retention.ms", "log.retention.minutes", 60'000},
    CoarserKey{"log.retention.minutes", "log.retention.hours", 60},
    CoarserKey{"log.roll.ms", "log.roll.hours", 3'600'000},
};

std::optional<std::string> default_of(std::string_view name) {
  const ConfigKey* key = find_key(broker_keys(), name);
  CHECK(key != nullptr);
  if (!key->has_default) return std::nullopt;
  return std::string(key->default_value);
}

// The places that say something of a broker's key since the start.
void add_dynamic_origins(const BrokerConfig& broker, std::string_view name, std::vector<ConfigOrigin>& origins) {
  for (const auto& [scope, source] : {std::pair(DynamicScope::this_broker, ConfigSource::dynamic_broker),
                                      std::pair(DynamicScope::all_brokers, ConfigSource::dynamic_default_broker)}) {
    const ConfigValues& values = broker.dynamic_values(scope);
    if (const auto found = values.find(name); found != values.end()) {
      origins.push_back({.name = std::string(name), .value = found->second, .source = source});
    }
  }
}

// A broker key's value from the start, in its own unit, whichever unit it was set in; `set`: whether the operator has set it.
struct Resolved {
  std::optional<std::string> value;
  bool set = false;
};
Resolved resolve(const BrokerConfig& broker, std::string_view name) {
  const bool set = broker.set_values().contains(name);
  const auto coarser = std::ranges::find(coarser_keys, name, &CoarserKey::name);
  if (set) return {.value = broker.set_values().find(name)->second, .set = true};
  if (coarser == coarser_keys.end()) return {.value = default_of(name), .set = false};
  Resolved from = resolve(broker, coarser->coarser);
  if (from.value) {
    const std::int64_t value = parse_integer(*from.value);
    from.value = std::to_string(value < 0 ? value : value * coarser->factor);
  }
  return from;
}

std::string topic_value(const BrokerConfig& broker, const ConfigValues& topic, std::string_view name) {
  const ConfigKey* key = find_key(topic_keys(), name);
  CHECK(key != nullptr);
  const auto origins = topic_config_origins(broker, topic, *key);
  return origins.empty() ? std::string() : origins.front().value.value_or("");
}

}  // namespace

BrokerConfig::BrokerConfig() : BrokerConfig(Checked(), {}) {}

BrokerConfig::BrokerConfig(Checked /*tag*/, ConfigValues set) : set_(std::move(set)) {
  node_id = static_cast<std::int32_t>(integer("node.id"));
  num_partitions = static_cast<std::int32_t>(integer("num.partitions"));
  auto_create_topics = boolean("auto.create.topics.enable");
  fetch_bytes_max = static_cast<std::int32_t>(integer("fetch.max.bytes"));
  request_bytes_max = static_cast<std::size_t>(integer("socket.request.max.bytes"));
}

Result<BrokerConfig> BrokerConfig::make(ConfigValues set) {
  TRIPOS_TRY(check_values(broker_keys(), set));
  return BrokerConfig(Checked(), std::move(set));
}

std::optional<std::string_view> BrokerConfig::text(std::string_view name) const {
  for (const ConfigValues* values : {&dynamic_, &dynamic_default_, &set_}) {
    if (const auto found = values->find(name); found != values->end()) return found->second;
  }
  const ConfigKey* key = find_key(broker_keys(), name);
  CHECK(key != nullptr);
  if (!key->has_default) return std::nullopt;
  return key->default_value;
}

bool BrokerConfig::boolean(std::string_view name) const { return parse_boolean(text(name).value_or("false")); }

std::int64_t BrokerConfig::integer(std::string_view name) const { return parse_integer(text(name).value_or("0")); }

TopicConfig::TopicConfig(const BrokerConfig& broker, ConfigValues set) : set_(std::move(set)) {
  const auto text = [&](std::string_view name) { return topic_value(broker, set_, name); };
  const auto integer = [&](std::string_view name) { return parse_integer(text(name)); };
  message_bytes_max = static_cast<std::int32_t>(integer("max.message.bytes"));
  const std::string codec = text("compression.type");
  if (codec != "producer") {
    compression = compression_from_name(codec == "uncompressed" ? "none" : codec).value_or(Compression::none);
    const std::string level_key = "compression." + codec + ".level";
    const ConfigKey* const key = find_key(topic_keys(), level_key);
    if (key != nullptr && text(level_key) != key->default_value) compression_level = static_cast<int>(integer(level_key));
  }
  timestamp_type = text("message.timestamp.type") == "LogAppendTime" ? TimestampType::log_append_time : TimestampType::create_time;
  const std::int64_t difference_max_ms = integer("message.timestamp.difference.max.ms");
  timestamp_before_max_ms = std::min(difference_max_ms, integer("message.timestamp.before.max.ms"));
  timestamp_after_max_ms = std::min(difference_max_ms, integer("message.timestamp.after.max.ms"));
  const std::string cleanup = text("cleanup.policy");
  compacted = list_contains(cleanup, "compact");
  deleted_by_retention = list_contains(cleanup, "delete");
  segment_bytes = integer("segment.bytes");
  delete_retention_ms = integer("delete.retention.ms");
  compaction_lag_min_ms = integer("min.compaction.lag.ms");
  compaction_lag_max_ms = integer("max.compaction.lag.ms");
  cleanable_ratio_min = parse_real(text("min.cleanable.dirty.ratio"));
  segment_ms = integer("segment.ms");
  if (compacted) segment_ms = std::min(segment_ms, compaction_lag_max_ms);
  segment_jitter_ms = integer("segment.jitter.ms");
  segment_index_bytes = integer("segment.index.bytes");
  retention_ms = integer("retention.ms");
  retention_bytes = integer("retention.bytes");
  index_interval_bytes = static_cast<std::int32_t>(integer("index.interval.bytes"));
  table = text("tripos.table") == "on";
  table_fields_max = static_cast<std::size_t>(integer("tripos.table.fields.max"));
}

std::vector<ConfigOrigin> topic_config_origins(const BrokerConfig& broker, const ConfigValues& topic, const ConfigKey& key) {
  std::vector<ConfigOrigin> origins;
  if (const auto found = topic.find(key.name); found != topic.end()) {
    origins.push_back({.name = std::string(key.name), .value = found->second, .source = ConfigSource::dynamic_topic});
  }
  if (key.broker_name.empty()) {
    origins.push_back({.name = std::string(key.name), .value = std::string(key.default_value), .source = ConfigSource::default_value});
    return origins;
  }
  add_dynamic_origins(broker, key.broker_name, origins);
  const Resolved broker_value = resolve(broker, key.broker_name);
  if (broker_value.set) {
    origins.push_back({.name = std::string(key.broker_name), .value = broker_value.value, .source = ConfigSource::static_broker});
  }
  origins.push_back({.name = std::string(key.broker_name), .value = std::string(key.default_value), .source = ConfigSource::default_value});
  return origins;
}

std::vector<ConfigOrigin> broker_config_origins(const BrokerConfig& broker, const ConfigKey& key) {
  std::vector<ConfigOrigin> origins;
  add_dynamic_origins(broker, key.name, origins);
  if (const auto found = broker.set_values().find(key.name); found != broker.set_values().end()) {
    origins.push_back({.name = std::string(key.name), .value = found->second, .source = ConfigSource::static_broker});
  }
  if (key.has_default) {
    origins.push_back({.name = std::string(key.name), .value = std::string(key.default_value), .source = ConfigSource::default_value});
  }
  return origins;
}

Result<> check_topic_config(const BrokerConfig& broker, const ConfigValues& topic) {
  TRIPOS_TRY(check_values(topic_keys(), topic));
  const auto integer = [&](std::string_view name) { return parse_integer(topic_value(broker, topic, name)); };
  if (integer("min.compaction.lag.ms") > integer("max.compaction.lag.ms")) {
    return fail(ErrorCode::invalid_argument,
                "conflict between min.compaction.lag.ms {} and max.compaction.lag.ms {}: the first must not be larger",
                integer("min.compaction.lag.ms"), integer("max.compaction.lag.ms"));
  }
  if (topic_value(broker, topic, "cleanup.policy").find_first_not_of(" ,") == std::string::npos) {
    return fail(ErrorCode::invalid_argument, "Invalid value for configuration cleanup.policy: it takes delete, compact, or both");
  }
  return {};
}

}  // namespace tripos::broker
