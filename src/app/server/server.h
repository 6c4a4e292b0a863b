// Server: everything that `tripos serve` is, put together: the only place that knows all parts.
//
//   files, clock, loop ── broker (log, groups) ── Kafka's port
//                            └─ source, sink ── tables (lambda) ── queries ── HTTP's port
//
// start() takes the data directory's lock, recovers, and listens; run() serves until a stop; then all is drained, synced, closed.
// Threads: one thread constructs, runs and destroys it; request_stop() from any thread. start() blocks SIGPIPE in its thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/settings.h"
#include "base/error.h"
#include "client/address.h"

namespace tripos::app {

struct ServerOptions {
  std::string data;
  client::Address kafka;  // port 0: any free one
  client::Address http;
  std::map<std::string, std::string, std::less<>> broker = {};
  std::vector<std::string> allowed_files = {};  // directories that statements may read files of
  SqlLimits sql = {};
  bool stop_on_signals = false;                    // SIGINT, SIGTERM
  std::function<void(std::string_view)> log = {};  // what an operator should know; none: standard error
};

struct ServerAddresses {
  client::Address kafka;
  client::Address http;
};

class Server {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] const ServerAddresses& addresses() const noexcept;
  // Serves until request_stop() or a signal, then stops cleanly.
  void run();
  void request_stop();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace tripos::app
