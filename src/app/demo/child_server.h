// ChildServer: `tripos serve` as a process of its own, on free ports, stopped with this object (SIGTERM, and waited for).
// Threads: one.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "app/server/server.h"
#include "base/error.h"

namespace tripos::app {

class ChildServer {
 public:
  // Waits until it has told its addresses. It lives no longer than this process.
  [[nodiscard]] static Result<std::unique_ptr<ChildServer>> start(const std::string& data, const std::vector<std::string>& more_arguments);
  ~ChildServer();
  ChildServer(const ChildServer&) = delete;
  ChildServer& operator=(const ChildServer&) = delete;

  [[nodiscard]] const ServerAddresses& addresses() const noexcept { return addresses_; }
  // Until the server ends by itself, or the user interrupts.
  void wait();

 private:
  explicit ChildServer(pid_t pid) : pid_(pid) {}
  [[nodiscard]] Result<> read_addresses(int descriptor);

  pid_t pid_;
  bool ended_ = false;
  ServerAddresses addresses_;
};

}  // namespace tripos::app
