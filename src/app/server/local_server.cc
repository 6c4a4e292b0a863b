#include "app/server/local_server.h"

#include <future>
#include <utility>

namespace tripos::app {

Result<std::unique_ptr<LocalServer>> LocalServer::start(ServerOptions options) {
  std::unique_ptr<LocalServer> local(new LocalServer);
  std::promise<Result<Server*>> started;
  std::future<Result<Server*>> outcome = started.get_future();
  local->thread_ = std::thread([options = std::move(options), started = std::move(started)]() mutable {
    auto server = Server::start(std::move(options));
    if (!server) {
      started.set_value(tl::unexpected(std::move(server).error()));
      return;
    }
    started.set_value(server->get());
    (*server)->run();
  });
  auto server = outcome.get();
  if (!server) return tl::unexpected(std::move(server).error());
  local->server_ = *server;
  local->addresses_ = (*server)->addresses();
  return local;
}

LocalServer::~LocalServer() {
  if (server_ != nullptr) server_->request_stop();
  thread_.join();
}

}  // namespace tripos::app
