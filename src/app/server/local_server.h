// LocalServer: a Server on a thread of its own, for commands that find none running (rules, 1.10).
#pragma once

#include <memory>
#include <thread>

#include "app/server/server.h"

namespace tripos::app {

class LocalServer {
 public:
  // Waits until it listens. conflict: somebody else holds the directory's lock.
  [[nodiscard]] static Result<std::unique_ptr<LocalServer>> start(ServerOptions options);
  // Stops the server cleanly, and waits for it.
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  [[nodiscard]] const ServerAddresses& addresses() const noexcept { return addresses_; }

 private:
  LocalServer() = default;

  ServerAddresses addresses_;
  Server* server_ = nullptr;  // lives on the thread
  std::thread thread_;
};

}  // namespace tripos::app
