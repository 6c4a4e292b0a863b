#include "io/file_system.h"

#include <array>

namespace tripos::io {

std::string parent_of(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

Result<> read_exactly(const File& file, std::uint64_t position, std::span<char> to) {
  TRIPOS_ASSIGN(const std::size_t got, file.read_at(position, to));
  if (got != to.size()) {
    return fail(ErrorCode::corrupt, "{}: ends at byte {}, where {} bytes from {} were expected", file.path(), position + got, to.size(),
                position);
  }
  return {};
}

Result<Buffer> read_file(FileSystem& files, const std::string& path, std::size_t size_max) {
  TRIPOS_ASSIGN(const std::shared_ptr<File> file, files.open(path, OpenMode::read));
  TRIPOS_ASSIGN(const std::uint64_t size, file->size());
  if (size > size_max) return fail(ErrorCode::too_large, "{} has {} bytes; at most {} are expected", path, size, size_max);
  Buffer contents(size, '\0');
  TRIPOS_TRY(read_exactly(*file, 0, contents));
  return contents;
}

namespace {

Result<> write_new_file(FileSystem& files, const std::string& path, const FileWriter& write) {
  TRIPOS_ASSIGN(const std::shared_ptr<File> file, files.open(path, OpenMode::replace));
  TRIPOS_TRY(write(*file));
  return file->sync_data();
}

}  // namespace

Result<> replace_file(FileSystem& files, const std::string& path, const FileWriter& write) {
  const std::string temporary = path + ".tmp";
  if (auto written = write_new_file(files, temporary, write); !written) {
    // Its space is wanted, as a rule. What can't be removed the next call writes over.
    static_cast<void>(files.remove(temporary));
    return written;
  }
  TRIPOS_TRY(files.rename(temporary, path));
  return files.sync_directory(parent_of(path));
}

Result<> replace_file(FileSystem& files, const std::string& path, Bytes contents) {
  return replace_file(files, path, [contents](File& file) { return file.write_at(0, std::array{contents}); });
}

Result<> remove_tree(FileSystem& files, const std::string& directory) {
  auto entries = files.list(directory);
  if (!entries) {
    if (entries.error().code == ErrorCode::not_found) return {};
    return tl::unexpected(std::move(entries).error());
  }
  for (const DirectoryEntry& entry : *entries) {
    const std::string path = directory + "/" + entry.name;
    if (entry.directory) {
      TRIPOS_TRY(remove_tree(files, path));
    } else {
      TRIPOS_TRY(files.remove(path));
    }
  }
  return files.remove(directory);
}

}  // namespace tripos::io
