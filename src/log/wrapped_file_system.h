// WrappedFileSystem: hands everything on to another file system; a test overrides what it wants to go wrong. Not part of the log.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/file_system.h"

namespace tripos::log {

class WrappedFileSystem : public io::FileSystem {
 public:
  explicit WrappedFileSystem(io::FileSystem& files) : files_(files) {}

  Result<std::shared_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override {
    TRIPOS_ASSIGN(auto file, files_.open(path, mode));
    return std::make_shared<WrappedFile>(*this, std::move(file));
  }
  Result<bool> exists(const std::string& path) override { return files_.exists(path); }
  Result<> rename(const std::string& from, const std::string& to) override { return files_.rename(from, to); }
  Result<> link(const std::string& from, const std::string& to) override { return files_.link(from, to); }
  Result<> remove(const std::string& path) override { return files_.remove(path); }
  Result<std::vector<io::DirectoryEntry>> list(const std::string& directory) override { return files_.list(directory); }
  Result<> make_directories(const std::string& directory) override { return files_.make_directories(directory); }
  Result<> sync_directory(const std::string& directory) override { return files_.sync_directory(directory); }
  Result<> sync_all(const std::string& directory) override { return files_.sync_all(directory); }
  Result<std::unique_ptr<io::FileLock>> lock(const std::string& path) override { return files_.lock(path); }
  Result<io::DiskSpace> space(const std::string& directory) override { return files_.space(directory); }

 protected:
  virtual Result<> sync_file(io::File& file) { return file.sync_data(); }

  io::FileSystem& files_;

 private:
  class WrappedFile final : public io::File {
   public:
    WrappedFile(WrappedFileSystem& files, std::shared_ptr<io::File> file) : files_(files), file_(std::move(file)) {}
    Result<std::size_t> read_at(std::uint64_t position, std::span<char> to) const override { return file_->read_at(position, to); }
    Result<> write_at(std::uint64_t position, std::span<const Bytes> parts) override { return file_->write_at(position, parts); }
    Result<> sync_data() override { return files_.sync_file(*file_); }
    Result<> truncate(std::uint64_t size) override { return file_->truncate(size); }
    Result<> reserve(std::uint64_t begin, std::uint64_t end) override { return file_->reserve(begin, end); }
    Result<std::uint64_t> size() const override { return file_->size(); }
    int descriptor() const noexcept override { return file_->descriptor(); }
    const std::string& path() const noexcept override { return file_->path(); }

   private:
    WrappedFileSystem& files_;
    std::shared_ptr<io::File> file_;
  };
};

}  // namespace tripos::log
