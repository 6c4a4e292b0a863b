#include "app/server/target.h"

#include <chrono>
#include <thread>
#include <utility>

#include "io/real/posix_file_system.h"
#include "log/data_directory.h"

namespace tripos::app {
namespace {

// A server that has just taken its lock tells its addresses once it listens, after recovery.
constexpr std::chrono::seconds starting_time_max{60};
constexpr std::chrono::milliseconds look_again{20};

}  // namespace

client::StreamOptions Target::stream_options() const {
  client::StreamOptions options;
  options.cancelled = cancelled_;
  return options;
}

Result<> Target::find_by_directory() {
  io::PosixFileSystem files;
  const auto deadline = std::chrono::steady_clock::now() + starting_time_max;
  while (!found_) {
    auto info = log::find_server(files, settings_.data);
    if (info) {
      ServerAddresses addresses;
      TRIPOS_ASSIGN(addresses.kafka, client::Address::parse(info->kafka));
      if (!info->http.empty()) {
        TRIPOS_ASSIGN(addresses.http, client::Address::parse(info->http));
      }
      found_ = addresses;
      continue;
    }
    if (info.error().code == ErrorCode::not_found) {
      auto local = LocalServer::start({.data = settings_.data,
                                       .kafka = {"127.0.0.1", 0},
                                       .http = {"127.0.0.1", 0},
                                       .broker = settings_.broker,
                                       .allowed_files = settings_.allowed_files,
                                       .sql = settings_.sql});
      if (local) {
        local_ = std::move(*local);
        found_ = local_->addresses();
        continue;
      }
      // Somebody took the lock meanwhile: look who.
      if (local.error().code != ErrorCode::conflict) return tl::unexpected(std::move(local).error());
    } else if (info.error().code != ErrorCode::unavailable) {
      return tl::unexpected(std::move(info).error());
    }
    if (std::chrono::steady_clock::now() > deadline) return tl::unexpected(std::move(info).error());
    std::this_thread::sleep_for(look_again);
  }
  return {};
}

Result<client::KafkaConnection> Target::connect_kafka() {
  client::KafkaOptions options;
  options.stream = stream_options();
  if (settings_.kafka && !settings_.data_is_flag) {
    TRIPOS_ASSIGN(const client::Address address, client::Address::parse(*settings_.kafka, 9092));
    return client::KafkaConnection::connect(address, options);
  }
  TRIPOS_TRY(find_by_directory());
  return client::KafkaConnection::connect(found_->kafka, options);
}

Result<client::HttpClient> Target::connect_http() {
  if (settings_.http && !settings_.data_is_flag) {
    TRIPOS_ASSIGN(client::Address address, client::Address::parse(*settings_.http, 9080));
    return client::HttpClient(std::move(address), stream_options());
  }
  TRIPOS_TRY(find_by_directory());
  if (found_->http.port == 0)
    return fail(ErrorCode::unavailable, "the server of {} does not answer SQL: it has no HTTP address", settings_.data);
  return client::HttpClient(found_->http, stream_options());
}

}  // namespace tripos::app
