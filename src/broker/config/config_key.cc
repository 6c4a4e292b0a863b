#include "broker/config/config_key.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace tripos::broker {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
  text = trimmed(text);
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(x) == lower(y);
  });
}

Result<> check_integer(const ConfigKey& key, std::string_view value, std::int64_t type_min, std::int64_t type_max) {
  const auto min = std::max(key.min, type_min);
  const auto max = std::min(key.max, type_max);
  const auto parsed = number<std::int64_t>(value);
  if (!key.choices.empty() && !list_contains(key.choices, value))
    return fail(ErrorCode::invalid_argument, "Invalid value {} for configuration {}: it takes one of {}", value, key.name, key.choices);
  if (parsed && *parsed >= min && *parsed <= max) return {};
  if (key.min == std::numeric_limits<std::int64_t>::min() && key.max == std::numeric_limits<std::int64_t>::max()) {
    return fail(ErrorCode::invalid_argument, "Invalid value {} for configuration {}: not a whole number of its type", value, key.name);
  }
  return fail(ErrorCode::invalid_argument, "Invalid value {} for configuration {}: it takes a whole number from {} to {}", value, key.name,
              min, max);
}

// The count of single-character changes from a to b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

template <typename Integer>
constexpr std::int64_t lowest = std::numeric_limits<Integer>::min();
template <typename Integer>
constexpr std::int64_t highest = std::numeric_limits<Integer>::max();

}  // namespace

const ConfigKey* find_key(std::span<const ConfigKey> keys, std::string_view name) noexcept {
  const auto found = std::ranges::find(keys, name, &ConfigKey::name);
  return found == keys.end() ? nullptr : &*found;
}

bool is_dynamic(const ConfigKey& broker_key) noexcept {
  return broker_key.kept_dynamic || std::ranges::find(topic_keys(), broker_key.name, &ConfigKey::broker_name) != topic_keys().end();
}

Result<> check_value(const ConfigKey& key, std::string_view value) {
  switch (key.type) {
    case ConfigType::boolean:
      if (equal_ignoring_case(value, "true") || equal_ignoring_case(value, "false")) return {};
      return fail(ErrorCode::invalid_argument, "Invalid value {} for configuration {}: it takes true or false", value, key.name);
    case ConfigType::int16: return check_integer(key, value, lowest<std::int16_t>, highest<std::int16_t>);
    case ConfigType::int32: return check_integer(key, value, lowest<std::int32_t>, highest<std::int32_t>);
    case ConfigType::int64: return check_integer(key, value, lowest<std::int64_t>, highest<std::int64_t>);
    case ConfigType::float64: {
      const auto parsed = number<double>(value);
      if (parsed && *parsed >= static_cast<double>(key.min) && *parsed <= static_cast<double>(key.max)) return {};
      return fail(ErrorCode::invalid_argument, "Invalid value {} for configuration {}: it takes a number from {} to {}", value, key.name,
                  key.min, key.max);
    }
    case ConfigType::string:
      if (key.choices.empty() || list_contains(key.choices, value)) return {};
      return fail(ErrorCode::invalid_argument, "Invalid value {} for configuration {}: it takes one of {}", value, key.name, key.choices);
    case ConfigType::list: {
      const bool known = key.choices.empty() ||
                         std::ranges::all_of(list_elements(value), [&](std::string_view each) { return list_contains(key.choices, each); });
      if (known) return {};
      return fail(ErrorCode::invalid_argument, "Invalid value {} for configuration {}: it takes a comma separated list of {}", value,
                  key.name, key.choices);
    }
  }
  return {};
}

Result<const ConfigKey*> known_key(std::span<const ConfigKey> keys, std::string_view name) {
  if (const ConfigKey* key = find_key(keys, name)) return key;
  std::string_view nearest;
  std::size_t nearest_distance = 1 + name.size() / 3;
  for (const ConfigKey& key : keys) {
    const std::size_t distance = edit_distance(name, key.name);
    if (distance <= nearest_distance && distance < name.size()) {
      nearest = key.name;
      nearest_distance = distance == 0 ? 0 : distance - 1;
    }
  }
  if (nearest.empty()) return fail(ErrorCode::invalid_argument, "Unknown configuration {}", name);
  return fail(ErrorCode::invalid_argument, "Unknown configuration {}; did you mean {}?", name, nearest);
}

Result<> check_values(std::span<const ConfigKey> keys, const ConfigValues& values) {
  for (const auto& [name, value] : values) {
    TRIPOS_ASSIGN(const ConfigKey* key, known_key(keys, name));
    TRIPOS_TRY(check_value(*key, value));
  }
  return {};
}

bool parse_boolean(std::string_view checked) noexcept { return equal_ignoring_case(checked, "true"); }

double parse_real(std::string_view checked) noexcept { return number<double>(checked).value_or(0); }

std::int64_t parse_integer(std::string_view checked) noexcept { return number<std::int64_t>(checked).value_or(0); }

std::vector<std::string_view> list_elements(std::string_view list) {
  std::vector<std::string_view> elements;
  while (!trimmed(list).empty()) {
    const auto comma = list.find(',');
    elements.push_back(trimmed(list.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return elements;
}

bool list_contains(std::string_view list, std::string_view element) {
  const auto elements = list_elements(list);
  return std::ranges::find(elements, element) != elements.end();
}

}  // namespace tripos::broker
