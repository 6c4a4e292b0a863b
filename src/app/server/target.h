// Target: the server that a command talks to: the one that is told (--kafka, --http), the one that holds the data directory, or, where none
// does, one in this process. Found when it is first needed. Threads: one at a time.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "app/config/settings.h"
#include "app/server/local_server.h"
#include "client/http_client.h"
#include "client/kafka_connection.h"

namespace tripos::app {

class Target {
 public:
  explicit Target(Settings settings) : settings_(std::move(settings)) {}

  [[nodiscard]] Result<client::KafkaConnection> connect_kafka();
  [[nodiscard]] Result<client::HttpClient> connect_http();
  // For what the user may want to wait for no longer: set by a signal handler.
  void set_cancelled(const std::atomic<bool>* cancelled) { cancelled_ = cancelled; }
  [[nodiscard]] const Settings& settings() const noexcept { return settings_; }

 private:
  [[nodiscard]] Result<> find_by_directory();
  [[nodiscard]] client::StreamOptions stream_options() const;

  Settings settings_;
  std::optional<ServerAddresses> found_;  // by the data directory
  std::unique_ptr<LocalServer> local_;
  const std::atomic<bool>* cancelled_ = nullptr;
};

}  // namespace tripos::app
