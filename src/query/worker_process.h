// WorkerProcess: a child process of the same program, `tripos worker --fd 3`, and the channel to it (docs/format/worker_protocol.md).
// It ends with this object: a worker holds nothing that must survive. It has its own process group, so that Ctrl-C in a terminal
// doesn't reach it, and a temporary directory that is removed with it.
// Threads: one at a time; channel() as Channel says.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"
#include "query/protocol/channel.h"
#include "query/protocol/messages.h"

namespace tripos::query {

struct WorkerSettings {
  std::string program = "/proc/self/exe";
  std::string temporary_root;  // holds a directory for each worker; emptied when a pool is made
  std::uint64_t memory_bytes_max = 0;
  std::uint32_t thread_count = 1;
  std::int32_t nice = 0;
  std::vector<std::string> allowed_paths;
  std::string table_directory = {};  // holds the tables' files
};

class WorkerProcess {
 public:
  // Returns as soon as the process runs; it opens its engine meanwhile. `name` is that of its temporary directory.
  [[nodiscard]] static Result<std::unique_ptr<WorkerProcess>> start(io::FileSystem& files, const WorkerSettings& settings,
                                                                    protocol::Role role, const std::string& name);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  [[nodiscard]] protocol::Channel& channel() noexcept { return channel_; }
  // The next order's number.
  [[nodiscard]] std::uint64_t next_order() noexcept { return ++order_; }

  // Waits for Ready, if it has not come yet.
  [[nodiscard]] Result<> await_ready(std::chrono::milliseconds timeout);

  // False: it has ended by itself.
  [[nodiscard]] bool running();
  // Ends it at once and says how it had ended: "killed by signal 9".
  std::string end();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  WorkerProcess(io::FileSystem& files, protocol::Descriptor socket, std::string temporary_directory);

  io::FileSystem& files_;
  protocol::Channel channel_;
  std::string temporary_directory_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool reaped_ = false;
  bool ready_ = false;
  std::uint64_t order_ = 0;
};

}  // namespace tripos::query
