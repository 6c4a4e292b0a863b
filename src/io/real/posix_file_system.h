// PosixFileSystem: files of the operating system (Linux). Stateless; all descriptors are close-on-exec.
#pragma once

#include "io/file_system.h"

namespace tripos::io {

class PosixFileSystem final : public FileSystem {
 public:
  [[nodiscard]] Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) override;
  [[nodiscard]] Result<bool> exists(const std::string& path) override;
  [[nodiscard]] Result<> rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<> link(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<> remove(const std::string& path) override;
  [[nodiscard]] Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  [[nodiscard]] Result<> make_directories(const std::string& directory) override;
  [[nodiscard]] Result<> sync_directory(const std::string& directory) override;
  [[nodiscard]] Result<> sync_all(const std::string& directory) override;
  [[nodiscard]] Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  [[nodiscard]] Result<DiskSpace> space(const std::string& directory) override;
};

}  // namespace tripos::io
