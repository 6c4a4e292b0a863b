#include "app/config/settings.h"

#include <toml++/toml.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

namespace tripos::app {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// $XDG_…_HOME, or what the XDG Base Directory Specification puts in its place; below it, ours.
std::string xdg_directory(const char* variable, const char* below_home) {
  const std::string directory = environment(variable);
  if (directory.starts_with('/')) return directory + "/tripos";  // the specification: relative ones are ignored
  const std::string home = environment("HOME");
  return (home.empty() ? std::string("/root") : home) + below_home + "/tripos";
}

Result<std::string> scalar_text(const toml::node& node, const std::string& key, const std::string& path) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* real = node.as_floating_point()) return fmt::format("{}", real->get());
  if (const auto* boolean = node.as_boolean()) return std::string(boolean->get() ? "true" : "false");
  return fail(ErrorCode::invalid_argument, "{}: '{}' must be a text, a number or a boolean", path, key);
}

// `num.partitions = 3` is a table in a table to TOML: its keys are joined again.
Result<> flatten(const toml::table& table, const std::string& prefix, const std::string& path, Settings& settings) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      TRIPOS_TRY(flatten(*inner, name + ".", path, settings));
      continue;
    }
    TRIPOS_ASSIGN(settings.broker[name], scalar_text(node, name, path));
  }
  return {};
}

Result<> merge_sql(const toml::table& table, const std::string& path, SqlLimits& limits) {
  constexpr std::int64_t worker_memory_mb_min = 64;  // the engine itself takes that
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const bool is_memory = name == "worker_memory_mb";
    if (!is_memory && name != "statement_seconds") {
      return fail(ErrorCode::invalid_argument, "{}: unknown key '{}' in [sql]; there are worker_memory_mb and statement_seconds", path,
                  name);
    }
    const std::int64_t min = is_memory ? worker_memory_mb_min : 1;
    const auto* number = node.as_integer();
    if (number == nullptr || number->get() < min || number->get() > std::numeric_limits<std::int32_t>::max()) {
      return fail(ErrorCode::invalid_argument, "{}: '{}' in [sql] must be a whole number from {}", path, name, min);
    }
    (is_memory ? limits.worker_memory_mb : limits.statement_seconds) = static_cast<std::uint32_t>(number->get());
  }
  return {};
}

Result<> merge_file(const std::string& path, bool must_exist, Settings& settings) {
  std::error_code ignored;
  if (!must_exist && !std::filesystem::exists(path, ignored)) return {};
  std::ifstream file(path);
  if (!file) return fail(ErrorCode::not_found, "the configuration file {} can't be read", path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return merge_toml(text, path, settings);
}

}  // namespace

Result<> merge_toml(std::string_view text, const std::string& path, Settings& settings) {
  toml::table table;
  try {
    table = toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid_argument, "{}, line {}: {}", path, error.source().begin.line, error.description());
  }
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (name == "broker" && node.is_table()) {
      TRIPOS_TRY(flatten(*node.as_table(), "", path, settings));
      continue;
    }
    if (name == "sql" && node.is_table()) {
      TRIPOS_TRY(merge_sql(*node.as_table(), path, settings.sql));
      continue;
    }
    if (name == "allow_files" && node.is_array()) {
      for (const toml::node& element : *node.as_array()) {
        TRIPOS_ASSIGN(std::string directory, scalar_text(element, name, path));
        settings.allowed_files.push_back(std::move(directory));
      }
      continue;
    }
    if (name != "data" && name != "kafka" && name != "http") {
      return fail(ErrorCode::invalid_argument,
                  "{}: unknown key '{}'; there are data, kafka, http, allow_files and the tables [broker] and [sql]", path, name);
    }
    TRIPOS_ASSIGN(std::string value, scalar_text(node, name, path));
    if (name == "kafka") {
      settings.kafka = std::move(value);
    } else if (name == "http") {
      settings.http = std::move(value);
    } else {
      settings.data = std::move(value);
      settings.data_is_default = false;
    }
  }
  return {};
}

Result<Settings> read_settings(const GlobalFlags& flags) {
  Settings settings;
  settings.data = xdg_directory("XDG_DATA_HOME", "/.local/share");
  if (!flags.config_file.empty()) {
    TRIPOS_TRY(merge_file(flags.config_file, true, settings));
  } else {
    TRIPOS_TRY(merge_file("/etc/tripos/tripos.toml", false, settings));
    TRIPOS_TRY(merge_file(xdg_directory("XDG_CONFIG_HOME", "/.config") + "/tripos.toml", false, settings));
    TRIPOS_TRY(merge_file("tripos.toml", false, settings));
  }
  const auto decide = [](const std::string& flag, const char* variable, auto& setting) {
    const std::string& value = flag.empty() ? environment(variable) : flag;
    if (value.empty()) return false;
    setting = value;
    return true;
  };
  if (decide(flags.data, "TRIPOS_DATA", settings.data)) settings.data_is_default = false;
  settings.allowed_files.insert(settings.allowed_files.end(), flags.allowed_files.begin(), flags.allowed_files.end());
  settings.data_is_flag = !flags.data.empty() && flags.kafka.empty() && flags.http.empty();
  decide(flags.kafka, "TRIPOS_KAFKA", settings.kafka);
  decide(flags.http, "TRIPOS_HTTP", settings.http);
  for (const std::string& assignment : flags.set) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorCode::invalid_argument, "--set takes KEY=VALUE, as in num.partitions=3, not '{}'", assignment);
    }
    settings.broker[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }
  return settings;
}

}  // namespace tripos::app
