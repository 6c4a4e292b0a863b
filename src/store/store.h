// Store: where Parquet files and manifests lie: a local disk; HDFS and S3 will be others.
// Files are immutable once they have their name. A name is made durable together with the bytes behind it.
// Threads: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace tripos::store {

struct Publication {
  std::string staged;  // what somebody has written, perhaps not yet durable
  std::string path;    // its name from now on; replaces what a crash has left there
};

class Store {
 public:
  virtual ~Store() = default;

  // The names of the files of a directory, sorted; none if it does not exist.
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  [[nodiscard]] virtual Result<> make_directory(const std::string& directory) = 0;

  // More than `size_max` bytes: too_large, before they are allocated.
  [[nodiscard]] virtual Result<Buffer> read(const std::string& path, std::size_t size_max) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size(const std::string& path) = 0;
  // The CRC-32C of all its bytes.
  [[nodiscard]] virtual Result<std::uint32_t> checksum(const std::string& path) = 0;

  // Makes the files durable, gives them their names, makes the names durable. All are in one directory.
  // After a crash or an error any of them may have its name, whole.
  [[nodiscard]] virtual Result<> publish(std::span<const Publication> files) = 0;

  // Makes a file with these contents, whole and durable, if none has that name. already_exists: somebody was faster.
  // After another error, or a crash, there is the whole file or none: ask again.
  [[nodiscard]] virtual Result<> create(const std::string& path, Bytes contents) = 0;

  // Fine if it is missing. Not durable: it may be back after a crash.
  [[nodiscard]] virtual Result<> remove(const std::string& path) = 0;
};

}  // namespace tripos::store
