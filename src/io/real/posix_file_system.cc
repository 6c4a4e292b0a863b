#include "io/real/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "io/real/descriptor_limit.h"

namespace tripos::io {
namespace {

tl::unexpected<Error> os_fail(std::string_view operation, std::string_view subject) {
  return tl::unexpected<Error>(os_error(errno, operation, subject));
}

class Descriptor {
 public:
  explicit Descriptor(int value) noexcept : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  [[nodiscard]] int get() const noexcept { return value_; }

 private:
  int value_;
};

int open_retrying(const char* path, int flags) noexcept {
  int descriptor = -1;
  do {
    descriptor = ::open(path, flags | O_CLOEXEC, 0644);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path) : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t position, std::span<char> to) const override {
    std::size_t done = 0;
    while (done < to.size()) {
      const ssize_t got = ::pread(descriptor_.get(), to.data() + done, to.size() - done, static_cast<off_t>(position + done));
      if (got < 0) {
        if (errno == EINTR) continue;
        return os_fail("read", path_);
      }
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<> write_at(std::uint64_t position, std::span<const Bytes> parts) override {
    constexpr std::size_t vectors_max = 64;
    std::array<iovec, vectors_max> vectors;
    std::size_t next = 0;         // part
    std::size_t next_offset = 0;  // bytes of it that are written
    while (true) {
      std::size_t count = 0;
      for (std::size_t part = next, skip = next_offset; part < parts.size() && count < vectors_max; ++part, skip = 0) {
        if (parts[part].size() == skip) continue;
        vectors[count++] = {const_cast<char*>(parts[part].data()) + skip, parts[part].size() - skip};  // NOLINT: writing does not change it
      }
      if (count == 0) return {};
      const ssize_t written = ::pwritev(descriptor_.get(), vectors.data(), static_cast<int>(count), static_cast<off_t>(position));
      if (written < 0) {
        if (errno == EINTR) continue;
        return os_fail("write", path_);
      }
      position += static_cast<std::uint64_t>(written);
      for (auto left = static_cast<std::size_t>(written); next < parts.size();) {
        const std::size_t of_part = std::min(left, parts[next].size() - next_offset);
        left -= of_part;
        next_offset += of_part;
        if (next_offset < parts[next].size()) break;
        ++next;
        next_offset = 0;
      }
    }
  }

  Result<> sync_data() override {
    if (::fdatasync(descriptor_.get()) != 0) return os_fail("sync", path_);
    return {};
  }

  Result<> truncate(std::uint64_t size) override {
    if (::ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0) return os_fail("truncate", path_);
    return {};
  }

  Result<> reserve(std::uint64_t begin, std::uint64_t end) override {
    int status = 0;
    do {
      status = ::fallocate(descriptor_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin), static_cast<off_t>(end - begin));
    } while (status != 0 && errno == EINTR);
    if (status != 0 && errno != EOPNOTSUPP && errno != ENOSYS) return os_fail("reserve space", path_);
    return {};
  }

  Result<std::uint64_t> size() const override {
    struct stat status {};
    if (::fstat(descriptor_.get(), &status) != 0) return os_fail("stat", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }

  int descriptor() const noexcept override { return descriptor_.get(); }
  const std::string& path() const noexcept override { return path_; }

 private:
  Descriptor descriptor_;
  std::string path_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;  // closing it gives the lock back
};

int flags_of(OpenMode mode) noexcept {
  switch (mode) {
    case OpenMode::read: return O_RDONLY;
    case OpenMode::write: return O_RDWR;
    case OpenMode::create: return O_RDWR | O_CREAT;
    case OpenMode::create_new: return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::replace: return O_RDWR | O_CREAT | O_TRUNC;
  }
  return O_RDONLY;
}

}  // namespace

Result<std::shared_ptr<File>> PosixFileSystem::open(const std::string& path, OpenMode mode) {
  Descriptor descriptor(open_retrying(path.c_str(), flags_of(mode)));
  if (descriptor.get() < 0) return os_fail("open", path);
  if (is_for_syncs(descriptor.get())) return tl::unexpected<Error>(os_error(EMFILE, "open", path));
  return std::make_shared<PosixFile>(std::move(descriptor), path);
}

Result<bool> PosixFileSystem::exists(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return os_fail("look up", path);
}

Result<> PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return os_fail("rename", from + " to " + to);
  return {};
}

Result<> PosixFileSystem::link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) return os_fail("link", from + " to " + to);
  return {};
}

Result<> PosixFileSystem::remove(const std::string& path) {
  if (::remove(path.c_str()) != 0) return os_fail("remove", path);
  return {};
}

Result<std::vector<DirectoryEntry>> PosixFileSystem::list(const std::string& directory) {
  DIR* const stream = ::opendir(directory.c_str());
  if (stream == nullptr) return os_fail("list", directory);
  std::vector<DirectoryEntry> entries;
  int failure = 0;
  while (true) {
    errno = 0;
    const dirent* const entry = ::readdir(stream);
    if (entry == nullptr) {
      failure = errno;
      break;
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    bool is_directory = entry->d_type == DT_DIR;
    if (entry->d_type == DT_UNKNOWN) {
      struct stat status {};
      is_directory = ::fstatat(::dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
    }
    entries.push_back({std::string(name), is_directory});
  }
  ::closedir(stream);
  if (failure != 0) return tl::unexpected<Error>(os_error(failure, "list", directory));
  std::sort(entries.begin(), entries.end());
  return entries;
}

Result<> PosixFileSystem::make_directories(const std::string& directory) {
  for (std::size_t slash = directory.find('/', 1);; slash = directory.find('/', slash + 1)) {
    const std::string prefix = directory.substr(0, slash);
    if (::mkdir(prefix.c_str(), 0755) != 0 && errno != EEXIST) return os_fail("make directory", prefix);
    if (slash == std::string::npos) break;
  }
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) return os_fail("make directory", directory);
  if (!S_ISDIR(status.st_mode)) return fail(ErrorCode::already_exists, "make directory {}: a file has that name", directory);
  return {};
}

Result<> PosixFileSystem::sync_directory(const std::string& directory) {
  const Descriptor descriptor(open_retrying(directory.c_str(), O_RDONLY | O_DIRECTORY));
  if (descriptor.get() < 0) return os_fail("open directory", directory);
  if (::fsync(descriptor.get()) != 0) return os_fail("sync directory", directory);
  return {};
}

Result<> PosixFileSystem::sync_all(const std::string& directory) {
  const Descriptor descriptor(open_retrying(directory.c_str(), O_RDONLY | O_DIRECTORY));
  if (descriptor.get() < 0) return os_fail("open directory", directory);
  if (::syncfs(descriptor.get()) != 0) return os_fail("sync the file system of", directory);
  return {};
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::string& path) {
  Descriptor descriptor(open_retrying(path.c_str(), O_RDWR | O_CREAT));
  if (descriptor.get() < 0) return os_fail("open", path);
  int status = 0;
  do {
    status = ::flock(descriptor.get(), LOCK_EX | LOCK_NB);
  } while (status != 0 && errno == EINTR);
  if (status != 0) {
    if (errno == EWOULDBLOCK) return fail(ErrorCode::conflict, "{} is held by another process", path);
    return os_fail("lock", path);
  }
  return std::make_unique<PosixLock>(std::move(descriptor));
}

Result<DiskSpace> PosixFileSystem::space(const std::string& directory) {
  struct statvfs status {};
  if (::statvfs(directory.c_str(), &status) != 0) return os_fail("stat the file system of", directory);
  return DiskSpace{.total_bytes = static_cast<std::uint64_t>(status.f_blocks) * status.f_frsize,
                   .free_bytes = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize};
}

}  // namespace tripos::io
