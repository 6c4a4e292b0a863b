// ConfigKey: one configuration key, Kafka's name for it and what its values may be. The lists: broker_keys.cc, topic_keys.cc.
// From them derive: what is refused, defaults, DescribeConfigs, docs/reference. Threads: none; all is constant.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tripos::broker {

// The numbers of DescribeConfigs (KIP-569).
enum class ConfigType : std::int8_t { boolean = 1, string = 2, int32 = 3, int16 = 4, int64 = 5, float64 = 6, list = 7 };

struct ConfigKey {
  std::string_view name;
  ConfigType type;
  std::string_view default_value;  // as Kafka writes it; meaningless where has_default is false
  std::string_view documentation;
  std::string_view choices = {};  // comma separated; of a list, what its elements may be. Empty: anything (of a number: within min and max)
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::string_view broker_name = {};  // of a topic key: the broker's key that gives its default
  bool has_default = true;            // false: null until somebody sets it
  bool kept_dynamic = false;          // of a broker's key that means nothing here: tools may change it all the same
};

[[nodiscard]] std::span<const ConfigKey> broker_keys() noexcept;
[[nodiscard]] std::span<const ConfigKey> topic_keys() noexcept;

// By name; nullptr: there is none.
[[nodiscard]] const ConfigKey* find_key(std::span<const ConfigKey> keys, std::string_view name) noexcept;

// invalid_argument, with the key and what it takes, if the key can't have this value.
[[nodiscard]] Result<> check_value(const ConfigKey& key, std::string_view value);

// The key; invalid_argument, with the likeliest name that was meant, if there is none.
[[nodiscard]] Result<const ConfigKey*> known_key(std::span<const ConfigKey> keys, std::string_view name);

// Whether a broker's key can be changed while the broker runs: those that give topics their defaults, and those that
// are only kept (a subset of Kafka's).
[[nodiscard]] bool is_dynamic(const ConfigKey& broker_key) noexcept;

using ConfigValues = std::map<std::string, std::string, std::less<>>;

// Every key known, every value one that its key can have.
[[nodiscard]] Result<> check_values(std::span<const ConfigKey> keys, const ConfigValues& values);

// Of values that have been checked.
[[nodiscard]] bool parse_boolean(std::string_view checked) noexcept;
[[nodiscard]] std::int64_t parse_integer(std::string_view checked) noexcept;
[[nodiscard]] double parse_real(std::string_view checked) noexcept;
// The elements of a comma separated list, without the spaces around them; views into it.
[[nodiscard]] std::vector<std::string_view> list_elements(std::string_view list);
[[nodiscard]] bool list_contains(std::string_view list, std::string_view element);

}  // namespace tripos::broker
