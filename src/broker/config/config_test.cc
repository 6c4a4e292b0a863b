#include <gtest/gtest.h>

#include <set>

#include "broker/config/broker_config.h"
#include "broker/config/config_key.h"

namespace tripos::broker {
namespace {

std::string refusal(const ConfigValues& values, std::span<const ConfigKey> keys = topic_keys()) {
  const auto checked = check_values(keys, values);
  return checked ? "" : checked.error().message;
}

TEST(ConfigKeys, NamesAreUniqueAndDefaultsAreValid) {
  for (const auto keys : {broker_keys(), topic_keys()}) {
    std::set<std::string_view> names;
    for (const ConfigKey& key : keys) {
      EXPECT_TRUE(names.insert(key.name).second) << key.name;
      if (key.has_default) {
        EXPECT_TRUE(check_value(key, key.default_value)) << key.name;
      }
      EXPECT_FALSE(key.documentation.empty()) << key.name;
    }
  }
}

TEST(ConfigKeys, EveryTopicKeyHasItsBrokerKey) {
  for (const ConfigKey& key : topic_keys()) {
    if (!key.broker_name.empty()) {
      EXPECT_NE(find_key(broker_keys(), key.broker_name), nullptr) << key.broker_name;
    }
  }
}

TEST(ConfigKeys, AnUnknownKeyIsRefusedWithWhatWasMeant) {
  EXPECT_EQ(refusal({{"retention.mss", "1"}}), "Unknown configuration retention.mss; did you mean retention.ms?");
  EXPECT_EQ(refusal({{"num.partition", "1"}}, broker_keys()), "Unknown configuration num.partition; did you mean num.partitions?");
  EXPECT_EQ(refusal({{"quite.something.else", "1"}}), "Unknown configuration quite.something.else");
}

TEST(ConfigKeys, ValuesAreChecked) {
  EXPECT_EQ(refusal({{"retention.ms", "-1"}}), "");
  EXPECT_NE(refusal({{"retention.ms", "-2"}}), "");
  EXPECT_NE(refusal({{"retention.ms", "1h"}}), "");
  EXPECT_NE(refusal({{"segment.bytes", "2147483648"}}), "");  // beyond its type
  EXPECT_NE(refusal({{"retention.ms", "99999999999999999999"}}), "");
  EXPECT_EQ(refusal({{"cleanup.policy", "compact, delete"}}), "");
  EXPECT_NE(refusal({{"cleanup.policy", "compact,burn"}}), "");
  EXPECT_EQ(refusal({{"min.cleanable.dirty.ratio", "0.25"}}), "");
  EXPECT_NE(refusal({{"min.cleanable.dirty.ratio", "1.5"}}), "");
  EXPECT_EQ(refusal({{"preallocate", "TRUE"}}), "");
  EXPECT_NE(refusal({{"preallocate", "yes"}}), "");
  EXPECT_NE(refusal({{"message.timestamp.type", "createtime"}}), "");
}

TEST(TopicConfig, ATopicsValueWinsOverTheBrokersOverTheDefault) {
  const auto broker = BrokerConfig::make({{"log.segment.bytes", "1000"}, {"log.retention.hours", "2"}});
  ASSERT_TRUE(broker.has_value());
  EXPECT_EQ(TopicConfig(*broker, {}).segment_bytes, 1000);
  EXPECT_EQ(TopicConfig(*broker, {{"segment.bytes", "2000"}}).segment_bytes, 2000);
  EXPECT_EQ(TopicConfig(*broker, {}).retention_ms, 2 * 3'600'000);
  EXPECT_EQ(TopicConfig(BrokerConfig(), {}).retention_ms, 604'800'000);
  EXPECT_TRUE(TopicConfig(*broker, {{"cleanup.policy", "delete,compact"}}).compacted);
}

TEST(TopicConfig, OriginsAreToldInTheOrderInWhichTheyCount) {
  const auto broker = BrokerConfig::make({{"log.segment.bytes", "1000"}});
  const auto origins = topic_config_origins(*broker, {{"segment.bytes", "2000"}}, *find_key(topic_keys(), "segment.bytes"));
  ASSERT_EQ(origins.size(), 3U);
  EXPECT_EQ(origins[0].name, "segment.bytes");
  EXPECT_EQ(origins[0].source, ConfigSource::dynamic_topic);
  EXPECT_EQ(origins[1].name, "log.segment.bytes");
  EXPECT_EQ(origins[1].value, "1000");
  EXPECT_EQ(origins[1].source, ConfigSource::static_broker);
  EXPECT_EQ(origins[2].value, "1073741824");
  EXPECT_EQ(origins[2].source, ConfigSource::default_value);
}

// As in Kafka; scripts that tune a broker go on.
TEST(BrokerConfig, WhatOnlyToolsKnowCanBeChangedWhileItRuns) {
  for (const std::string_view name : {"background.threads", "num.io.threads", "sasl.kerberos.min.time.before.relogin"}) {
    EXPECT_TRUE(is_dynamic(*find_key(broker_keys(), name))) << name;
  }
  EXPECT_TRUE(is_dynamic(*find_key(broker_keys(), "log.retention.ms")));
  EXPECT_FALSE(is_dynamic(*find_key(broker_keys(), "num.partitions")));
  EXPECT_FALSE(check_value(*find_key(broker_keys(), "num.io.threads"), "0"));
}

TEST(TopicConfig, WhatMustHoldBetweenValuesIsChecked) {
  EXPECT_FALSE(check_topic_config({}, {{"min.compaction.lag.ms", "20"}, {"max.compaction.lag.ms", "10"}}));
  EXPECT_FALSE(check_topic_config({}, {{"cleanup.policy", ""}}));
  EXPECT_TRUE(check_topic_config({}, {{"max.compaction.lag.ms", "10"}}));
}

}  // namespace
}  // namespace tripos::broker
