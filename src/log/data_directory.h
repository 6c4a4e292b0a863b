// DataDirectory: the lock on a data directory, and server.json (rules, 1.10).
// Who holds this may change what lies in the directory. server.json tells clients where the holder listens; without a holder it is stale.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "io/file_system.h"

namespace tripos::log {

struct ServerInfo {
  std::int64_t pid = 0;
  std::string kafka;  // HOST:PORT; empty: not listening
  std::string http;
  friend bool operator==(const ServerInfo&, const ServerInfo&) = default;
};

class DataDirectory {
 public:
  // Makes the directory if it is missing and takes its lock. conflict: a server (or an offline command) holds it.
  [[nodiscard]] static Result<std::unique_ptr<DataDirectory>> acquire(io::FileSystem& files, std::string path);
  // Removes server.json, if publish() wrote one, and gives the lock back.
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  // Replaces server.json; call it when the listeners are open.
  [[nodiscard]] Result<> publish(const ServerInfo& info);

 private:
  DataDirectory(io::FileSystem& files, std::string path, std::unique_ptr<io::FileLock> lock);

  io::FileSystem& files_;
  std::string path_;
  std::unique_ptr<io::FileLock> lock_;
  bool published_ = false;
};

// Where the server of this directory listens. not_found: no server holds it.
// unavailable: somebody holds it, but tells no address (yet, or is an offline command).
[[nodiscard]] Result<ServerInfo> find_server(io::FileSystem& files, const std::string& data);

}  // namespace tripos::log
