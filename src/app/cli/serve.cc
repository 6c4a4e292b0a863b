// tripos serve
#include <cstdio>

#include "app/cli/command.h"
#include "app/server/server.h"

namespace tripos::app {
namespace {

struct Serve {
  static constexpr CommandInfo info = {
      "serve", "Run the server: broker, tables, SQL over HTTP",
      "  tripos serve\n"
      "  tripos serve --data /var/lib/tripos --kafka 0.0.0.0:9092 --set advertised.listeners=PLAINTEXT://broker.example:9092\n"
      "  tripos serve --kafka 127.0.0.1:0 --http 127.0.0.1:0    any free ports, told in server.json and here\n"
      "\n"
      "Serves in the foreground until SIGTERM or Ctrl-C, then stops cleanly. --set takes Kafka's broker properties."};

  void flags(Flags&) {}

  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const Settings settings, session.settings());
    ServerOptions options{.data = settings.data,
                          .kafka = {},
                          .http = {},
                          .broker = settings.broker,
                          .allowed_files = settings.allowed_files,
                          .sql = settings.sql,
                          .stop_on_signals = true};
    TRIPOS_ASSIGN(options.kafka, client::Address::parse(settings.kafka.value_or(default_kafka_address), 9092));
    TRIPOS_ASSIGN(options.http, client::Address::parse(settings.http.value_or(default_http_address), 9080));
    TRIPOS_ASSIGN(const std::unique_ptr<Server> server, Server::start(std::move(options)));
    fmt::print("data  {}\nkafka {}\nhttp  {}\n", settings.data, server->addresses().kafka.text(), server->addresses().http.text());
    std::fflush(stdout);
    server->run();
    return {};
  }
};

}  // namespace

void add_serve(const Commands& root) { root.add<Serve>(); }

}  // namespace tripos::app
