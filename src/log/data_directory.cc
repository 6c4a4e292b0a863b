#include "log/data_directory.h"

#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "log/paths.h"

namespace tripos::log {
namespace {

constexpr std::size_t server_file_size_max = 4096;
constexpr int lock_attempts_max = 10;

// The value of `"name": …` in the one flat object that publish() writes: digits, or a string without escapes.
std::optional<std::string_view> find_value(std::string_view text, std::string_view name) {
  const std::string key = fmt::format("\"{}\":", name);
  std::size_t at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  at = text.find_first_not_of(" \t\n", at + key.size());
  if (at == std::string_view::npos) return std::nullopt;
  if (text[at] == '"') {
    const std::size_t end = text.find('"', at + 1);
    if (end == std::string_view::npos) return std::nullopt;
    return text.substr(at + 1, end - at - 1);
  }
  const std::size_t end = text.find_first_not_of("0123456789", at);
  if (end == std::string_view::npos || end == at) return std::nullopt;
  return text.substr(at, end - at);
}

bool is_plain(std::string_view text) { return text.find_first_of("\"\\\n") == std::string_view::npos; }

}  // namespace

DataDirectory::DataDirectory(io::FileSystem& files, std::string path, std::unique_ptr<io::FileLock> lock)
    : files_(files), path_(std::move(path)), lock_(std::move(lock)) {}

DataDirectory::~DataDirectory() {
  if (!published_) return;
  if (auto removed = files_.remove(server_path(path_)); !removed) return;  // stale without the lock
}

Result<std::unique_ptr<DataDirectory>> DataDirectory::acquire(io::FileSystem& files, std::string path) {
  TRIPOS_ASSIGN(const bool existed, files.exists(path));
  TRIPOS_TRY(files.make_directories(path));
  auto lock = files.lock(lock_path(path));
  // find_server() takes the lock for a moment to learn whether somebody holds it: that must not stop a server from starting.
  for (int attempt = 0; !lock && lock.error().code == ErrorCode::conflict && attempt < lock_attempts_max; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    lock = files.lock(lock_path(path));
  }
  if (!lock) {
    if (lock.error().code == ErrorCode::conflict)
      return fail(ErrorCode::conflict, "{} is in use: another tripos holds {}", path, lock_path(path));
    return tl::unexpected(std::move(lock).error());
  }
  // Its own name: those inside of it are synced by who makes them.
  if (!existed) TRIPOS_TRY(files.sync_directory(io::parent_of(path)));
  if (auto stale = files.remove(server_path(path)); !stale && stale.error().code != ErrorCode::not_found)
    return tl::unexpected(stale.error());
  return std::unique_ptr<DataDirectory>(new DataDirectory(files, std::move(path), std::move(*lock)));
}

Result<> DataDirectory::publish(const ServerInfo& info) {
  if (!is_plain(info.kafka) || !is_plain(info.http))
    return fail(ErrorCode::invalid_argument, "an address with quotes: {} {}", info.kafka, info.http);
  TRIPOS_TRY(
      io::replace_file(files_, server_path(path_),
                       fmt::format("{{\n  \"pid\": {},\n  \"kafka\": \"{}\",\n  \"http\": \"{}\"\n}}\n", info.pid, info.kafka, info.http)));
  published_ = true;
  return {};
}

Result<ServerInfo> find_server(io::FileSystem& files, const std::string& data) {
  TRIPOS_ASSIGN(const bool exists, files.exists(lock_path(data)));
  if (!exists) return fail(ErrorCode::not_found, "no server holds {}", data);
  if (auto lock = files.lock(lock_path(data)); lock) {
    return fail(ErrorCode::not_found, "no server holds {}", data);  // and given back at once
  } else if (lock.error().code != ErrorCode::conflict) {
    return tl::unexpected(std::move(lock).error());
  }
  auto text = io::read_file(files, server_path(data), server_file_size_max);
  if (!text) return fail(ErrorCode::unavailable, "{} is held, but tells no address yet ({})", data, text.error().message);
  const auto pid = find_value(*text, "pid");
  const auto kafka = find_value(*text, "kafka");
  const auto http = find_value(*text, "http");
  ServerInfo info;
  if (!pid || !kafka || !http || std::from_chars(pid->data(), pid->data() + pid->size(), info.pid).ec != std::errc()) {
    return fail(ErrorCode::corrupt, "{} is not a server's", server_path(data));
  }
  info.kafka = *kafka;
  info.http = *http;
  return info;
}

}  // namespace tripos::log
