// File, FileSystem: the only way to the disk. Implementations: io/real (POSIX) and io/sim (memory, faults, power cuts).
//
// What is durable: bytes of a file after its sync_data(); names (create, rename, link, remove) after sync_directory() of the directory
// that holds them; all of it after sync_all(). Until then any part of it may be lost, in any order.
// Errors are values, with the path in their text; a full disk (and too many open files) is no_space, everything else that the disk does
// wrong is io.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace tripos::io {

// Threads: any; one writer at a time. sync_data() may run beside reads and writes and covers what was written before it began.
class File {
 public:
  virtual ~File() = default;

  // Reads up to `to.size()` bytes; fewer only at the end of the file.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t position, std::span<char> to) const = 0;

  // Writes all parts, one behind the other. After an error any prefix of them may stand in the file.
  [[nodiscard]] virtual Result<> write_at(std::uint64_t position, std::span<const Bytes> parts) = 0;

  // Makes contents and size durable.
  [[nodiscard]] virtual Result<> sync_data() = 0;

  [[nodiscard]] virtual Result<> truncate(std::uint64_t size) = 0;

  // Makes sure that the disk has room for the bytes [begin, end), without changing the size. A full disk: no_space.
  // Where the file system can't reserve, this succeeds and a write may still find the disk full.
  [[nodiscard]] virtual Result<> reserve(std::uint64_t begin, std::uint64_t end) = 0;

  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;

  // For mmap, sendfile and for handing to a worker; -1 in simulation.
  [[nodiscard]] virtual int descriptor() const noexcept = 0;

  [[nodiscard]] virtual const std::string& path() const noexcept = 0;
};

// An exclusive lock on a file, held until this is destroyed or the process ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode {
  read,        // exists
  write,       // exists; read and write
  create,      // read and write; made if missing
  create_new,  // read and write; already_exists if it does
  replace,     // read and write; made if missing, emptied if not
};

struct DirectoryEntry {
  std::string name;
  bool directory = false;
  friend auto operator<=>(const DirectoryEntry&, const DirectoryEntry&) = default;
};

struct DiskSpace {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  // for us: without what is reserved for the superuser
};

// Threads: any.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  [[nodiscard]] virtual Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  [[nodiscard]] virtual Result<bool> exists(const std::string& path) = 0;
  // Replaces `to` if it exists, atomically.
  [[nodiscard]] virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  // already_exists if `to` does: the fence between two writers.
  [[nodiscard]] virtual Result<> link(const std::string& from, const std::string& to) = 0;
  // A file or an empty directory. not_found if it is missing.
  [[nodiscard]] virtual Result<> remove(const std::string& path) = 0;
  // Sorted by name.
  [[nodiscard]] virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;
  // The directory and those above it, as far as they are missing.
  [[nodiscard]] virtual Result<> make_directories(const std::string& directory) = 0;
  [[nodiscard]] virtual Result<> sync_directory(const std::string& directory) = 0;
  // Everything on the disk that holds `directory`: files, sizes and names.
  [[nodiscard]] virtual Result<> sync_all(const std::string& directory) = 0;
  // Without waiting. conflict: some other process (or an earlier lock of this one) holds it. Makes the file if it is missing.
  [[nodiscard]] virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  // Of the disk that holds `directory`.
  [[nodiscard]] virtual Result<DiskSpace> space(const std::string& directory) = 0;
};

// The directory that holds `path` ("." for a bare name).
[[nodiscard]] std::string parent_of(std::string_view path);

// The whole file. More than `size_max` bytes: too_large, before they are allocated.
[[nodiscard]] Result<Buffer> read_file(FileSystem& files, const std::string& path, std::size_t size_max);

// Reads exactly `to.size()` bytes; a file that ends before: corrupt.
[[nodiscard]] Result<> read_exactly(const File& file, std::uint64_t position, std::span<char> to);

// Writes a file's contents.
using FileWriter = std::function<Result<>(File&)>;

// Replaces `path` by a file with these contents, durably and at once: after a crash there is the old or the new, never a mixture.
// Uses `path`.tmp, which goes away if it can't be written; one writer at a time.
[[nodiscard]] Result<> replace_file(FileSystem& files, const std::string& path, const FileWriter& write);
[[nodiscard]] Result<> replace_file(FileSystem& files, const std::string& path, Bytes contents);

// Removes a directory with all that is in it; fine if it is missing. What is left after a crash is for the next call.
[[nodiscard]] Result<> remove_tree(FileSystem& files, const std::string& directory);

}  // namespace tripos::io
