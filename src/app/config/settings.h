// Settings: where data lies, where servers listen, and the broker's configuration, from every place that may say so.
//
// What counts, the first that is there: a flag, a TRIPOS_* variable, a configuration file, the default. Files, the later ones win:
// /etc/tripos/tripos.toml, $XDG_CONFIG_HOME/tripos/tripos.toml, ./tripos.toml; or only the one of --config:
//
//   data = "/var/lib/tripos"
//   kafka = "0.0.0.0:9092"
//   http = "127.0.0.1:9080"
//   allow_files = ["/srv/exports"]  # statements may read files there
//   [broker]                        # Kafka's broker properties
//   num.partitions = 3
//   [sql]                           # limits of statements
//   worker_memory_mb = 1024         # of each worker process; half of the machine's unless given
//   statement_seconds = 300
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace tripos::app {

// The flags that every command has.
struct GlobalFlags {
  std::string data;
  std::string kafka;
  std::string http;
  std::string config_file;
  std::vector<std::string> set;  // KEY=VALUE
  std::vector<std::string> allowed_files;
  bool no_color = false;
};

struct SqlLimits {
  std::optional<std::uint32_t> worker_memory_mb;
  std::optional<std::uint32_t> statement_seconds;
};

struct Settings {
  std::string data;                  // a directory; always set
  bool data_is_default = true;       // nobody has said which
  bool data_is_flag = false;         // --data names the server, and no other flag does: variables and files don't count then
  std::optional<std::string> kafka;  // HOST:PORT
  std::optional<std::string> http;
  std::vector<std::string> allowed_files;                  // directories that statements may read files of
  std::map<std::string, std::string, std::less<>> broker;  // by Kafka's names; checked by the broker
  SqlLimits sql;
};

[[nodiscard]] Result<Settings> read_settings(const GlobalFlags& flags);

// The settings that a file's text makes; `path` is for messages. Exposed for tests.
[[nodiscard]] Result<> merge_toml(std::string_view text, const std::string& path, Settings& settings);

inline constexpr const char* default_kafka_address = "127.0.0.1:9092";
inline constexpr const char* default_http_address = "127.0.0.1:9080";

}  // namespace tripos::app
