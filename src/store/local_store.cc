#include "store/local_store.h"

#include <set>

#include "base/crc32c.h"
#include "base/uuid.h"

namespace tripos::store {
namespace {

constexpr std::size_t checksum_window_bytes = std::size_t{1} << 18;  // fits into the processor's cache

}  // namespace

Result<std::vector<std::string>> LocalStore::list(const std::string& directory) {
  auto entries = files_.list(directory);
  std::vector<std::string> names;
  if (!entries) {
    if (entries.error().code == ErrorCode::not_found) return names;
    return tl::unexpected(std::move(entries).error());
  }
  for (auto& entry : *entries) {
    if (!entry.directory) names.push_back(std::move(entry.name));
  }
  return names;
}

Result<> LocalStore::make_directory(const std::string& directory) {
  TRIPOS_ASSIGN(const bool there, files_.exists(directory));
  if (there) return {};
  // One after the other from above: each name is durable before something lies below it.
  const std::string parent = io::parent_of(directory);
  TRIPOS_TRY(make_directory(parent));
  TRIPOS_TRY(files_.make_directories(directory));
  return sync_directory(parent);
}

Result<Buffer> LocalStore::read(const std::string& path, std::size_t size_max) { return io::read_file(files_, path, size_max); }

Result<std::uint64_t> LocalStore::size(const std::string& path) {
  TRIPOS_ASSIGN(const auto file, files_.open(path, io::OpenMode::read));
  return file->size();
}

Result<std::uint32_t> LocalStore::checksum(const std::string& path) {
  TRIPOS_ASSIGN(const auto file, files_.open(path, io::OpenMode::read));
  Buffer window(checksum_window_bytes, '\0');
  std::uint32_t crc = crc32c({});
  for (std::uint64_t position = 0;;) {
    TRIPOS_ASSIGN(const std::size_t got, file->read_at(position, window));
    crc = crc32c_extend(crc, Bytes(window).substr(0, got));
    position += got;
    if (got < window.size()) return crc;
  }
}

Result<> LocalStore::publish(std::span<const Publication> files) {
  std::set<std::string> directories;
  for (const Publication& file : files) TRIPOS_TRY(sync_file(file.staged));
  for (const Publication& file : files) {
    TRIPOS_TRY(files_.rename(file.staged, file.path));
    directories.insert(io::parent_of(file.path));
  }
  for (const std::string& directory : directories) TRIPOS_TRY(sync_directory(directory));
  return {};
}

Result<> LocalStore::create(const std::string& path, Bytes contents) {
  const std::string directory = io::parent_of(path);
  // A name that nobody else uses and that no crash has left: what was left may be a second link to a file that counts.
  const std::string staged = fmt::format("{}/{}{}", directory, staging_prefix, Uuid::random().text());
  {
    TRIPOS_ASSIGN(const auto file, files_.open(staged, io::OpenMode::create_new));
    const Bytes parts[] = {contents};
    TRIPOS_TRY(file->write_at(0, parts));
  }
  TRIPOS_TRY(sync_file(staged));
  auto linked = files_.link(staged, path);
  if (linked) linked = sync_directory(directory);
  auto removed = files_.remove(staged);
  TRIPOS_TRY(std::move(linked));
  return removed;
}

Result<> LocalStore::remove(const std::string& path) {
  auto removed = files_.remove(path);
  if (!removed && removed.error().code == ErrorCode::not_found) return {};
  return removed;
}

Result<> LocalStore::sync_file(const std::string& path) {
  TRIPOS_ASSIGN(const auto file, files_.open(path, io::OpenMode::write));
  return file->sync_data();
}

Result<> LocalStore::sync_directory(const std::string& directory) { return files_.sync_directory(directory); }

}  // namespace tripos::store
