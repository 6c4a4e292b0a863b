#include "app/server/server.h"

#include <fmt/chrono.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include "app/metrics/metrics.h"
#include "app/server/trim_preparation.h"
#include "broker/broker.h"
#include "broker/net/server.h"
#include "io/asio/loop.h"
#include "io/real/background_threads.h"
#include "io/real/descriptor_limit.h"
#include "io/real/posix_file_system.h"
#include "io/real/real_clock.h"
#include "lambda/snapshotter.h"
#include "load/load_service.h"
#include "log/data_directory.h"
#include "log/paths.h"
#include "query/query_service.h"
#include "query/runner_threads.h"
#include "query/worker_column_files.h"
#include "serve/api.h"
#include "serve/load_api.h"
#include "source/broker_source.h"
#include "store/local_store.h"

namespace tripos::app {
namespace {

constexpr std::size_t background_thread_count = 4;  // syncs (rules, 1.2) and scans
constexpr std::chrono::seconds drain_timeout{10};
constexpr std::chrono::seconds care_interval{1};  // schemas are learned ahead of questions
constexpr std::chrono::minutes parquet_file_time_max{30};
constexpr std::size_t runner_count_max = 64;  // questions that wait for offsets, for workers, for slow readers
constexpr std::size_t runners_waiting_max = 1024;
constexpr std::uint64_t worker_memory_min = 1ULL << 30;

void log_to_standard_error(std::string_view line) {
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto milliseconds = now.time_since_epoch().count() % 1000;
  fmt::print(stderr, "{:%Y-%m-%dT%H:%M:%S}.{:03}Z {}\n", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), milliseconds, line);
}

// A peer that goes away while a file is sent to it (sendfile) raises SIGPIPE: blocked here, and in the threads made from here on. Where
// signals don't stop the server, those that end commands are the command's own.
void block_signals(bool stop_signals_too) {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGPIPE);
  if (stop_signals_too) {
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
  }
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
}

std::size_t core_count() { return std::max(1U, std::thread::hardware_concurrency()); }

// What a worker's data may take: half of the machine's memory, unless the operator says (rules, 5.1).
std::uint64_t worker_memory_max(const SqlLimits& limits) {
  if (limits.worker_memory_mb) return std::uint64_t{*limits.worker_memory_mb} << 20;
  const auto pages = static_cast<std::uint64_t>(std::max(0L, sysconf(_SC_PHYS_PAGES)));
  const auto page_size = static_cast<std::uint64_t>(std::max(0L, sysconf(_SC_PAGESIZE)));
  return std::max(worker_memory_min, pages * page_size / 2);
}

query::WorkerSettings worker_settings(const ServerOptions& options, std::string_view role, std::size_t thread_count, std::int32_t nice) {
  query::WorkerSettings settings;
  settings.temporary_root = fmt::format("{}/tmp/{}", options.data, role);
  settings.memory_bytes_max = worker_memory_max(options.sql);
  settings.thread_count = static_cast<std::uint32_t>(thread_count);
  settings.nice = nice;
  settings.allowed_paths = options.allowed_files;
  settings.table_directory = log::topics_directory(options.data);
  return settings;
}

io::Endpoint endpoint_of(const client::Address& address) { return {address.host, address.port}; }
client::Address address_of(const io::Endpoint& endpoint) { return {endpoint.host, endpoint.port}; }

}  // namespace

// The broker's side; then, over the ports, the tables and their questions. In the order of construction; destroyed in reverse.
struct Server::Parts {
  // What understands records: knows nothing of the broker but the ports.
  struct Tables {
    Tables(Parts& parts, const lambda::ManifestStore& manifests);

    source::BrokerSource source;
    source::BrokerSink sink;
    lambda::Tables tables;
    query::ViewCatalog views;
    query::WorkerPool statement_workers;
    query::WorkerPool snapshot_workers;
    query::WorkerColumnFiles column_files;
    lambda::Snapshotter snapshots;
    query::QueryService queries;
    load::LoadService loads;
    std::unique_ptr<query::RunnerThreads> runners;
    TrimPreparation trims;
    std::unique_ptr<serve::HttpServer> http;
  };

  explicit Parts(ServerOptions options_given) : options(std::move(options_given)) {}

  ServerOptions options;
  ServerAddresses addresses;
  io::PosixFileSystem files;
  io::RealClock clock;
  std::unique_ptr<log::DataDirectory> directory;
  store::LocalStore store{files};
  io::AsioLoop loop;
  io::BackgroundThreads background{loop, background_thread_count, "tripos-files"};
  std::unique_ptr<lambda::ManifestStore> manifests;
  std::unique_ptr<lambda::OffsetFloors> offset_floors;
  std::unique_ptr<broker::Broker> broker;
  std::unique_ptr<Metrics> metrics;
  std::unique_ptr<Tables> tables;
  std::unique_ptr<broker::Server> kafka;
  io::TimerId next_care = io::no_timer;
  int doors_open = 0;
  bool stopping = false;

  Result<> open();
  Result<> open_broker();
  Result<> listen();
  void keep_tables_ready();
  void begin_stop();
  void door_closed();
};

Server::Parts::Tables::Tables(Parts& parts, const lambda::ManifestStore& manifests)
    : source(*parts.broker),
      sink(*parts.broker),
      tables(source, manifests),
      views(source, sink),
      statement_workers(parts.files, worker_settings(parts.options, "statements", core_count(), 5), protocol::Role::statements,
                        {.worker_count_max = core_count()}),
      snapshot_workers(parts.files, worker_settings(parts.options, "snapshots", 1, 10), protocol::Role::snapshots,
                       {.worker_count_max = core_count(), .idle_count_kept = 0}),
      column_files(snapshot_workers, core_count(), parquet_file_time_max),
      snapshots(tables, column_files, [&clock = parts.clock] { return clock.wall(); }),
      queries(tables, views, statement_workers),
      loads(parts.files, parts.clock, log::topics_directory(parts.options.data), source, sink),
      runners(std::make_unique<query::RunnerThreads>(runner_count_max, runners_waiting_max)),
      trims(source, snapshots, loads, *runners, parts.loop) {}

Result<> Server::Parts::open() {
  if (options.stop_on_signals) io::raise_descriptor_limit();  // a server of its own, not one within a command
  TRIPOS_ASSIGN(directory, log::DataDirectory::acquire(files, options.data));
  manifests = std::make_unique<lambda::ManifestStore>(store, log::topics_directory(options.data));
  TRIPOS_TRY(open_broker());
  tables = std::make_unique<Tables>(*this, *manifests);
  TRIPOS_TRY(listen());
  TRIPOS_TRY(directory->publish({.pid = getpid(), .kafka = addresses.kafka.text(), .http = addresses.http.text()}));
  if (options.stop_on_signals) loop.on_stop_signal([this](int) { begin_stop(); });
  loop.post([this] { keep_tables_ready(); });
  return {};
}

Result<> Server::Parts::open_broker() {
  const broker::ConfigValues values(options.broker.begin(), options.broker.end());
  TRIPOS_ASSIGN(broker::BrokerConfig config, broker::BrokerConfig::make(values));
  const auto fatal = [this](const Error& error) {
    options.log(error.message);
    std::_Exit(1);  // what the disk holds is unknown: the next start recovers from it (rules, 1.3)
  };
  const broker::Environment environment{
      .files = files, .clock = clock, .executor = loop, .background = background, .fatal = fatal, .warn = options.log};
  // Logs are opened when they are first used: the broker asks as long as it lives.
  offset_floors = std::make_unique<lambda::OffsetFloors>(*manifests, [this](const Error& damaged) { options.log(damaged.message); });
  const auto offset_floor = [this](const TopicPartition& partition) { return offset_floors->floor(partition); };
  const auto trim_guard = [this](const broker::LeavingRecords& leaving, std::function<void(const Result<Offset>&)> allowed) {
    if (tables == nullptr || stopping) return allowed(fail(ErrorCode::unavailable, "the server is starting or stopping"));
    tables->trims.prepare(leaving, std::move(allowed));
  };
  TRIPOS_ASSIGN(broker, broker::Broker::open(environment, options.data,
                                             {.config = std::move(config), .offset_floor = offset_floor, .trim_guard = trim_guard}));
  metrics = std::make_unique<Metrics>(*broker);
  return {};
}

Result<> Server::Parts::listen() {
  Tables& t = *tables;
  const serve::HttpSettings settings;
  serve::ApiSettings api;
  if (options.sql.statement_seconds) api.time_limit = std::chrono::seconds(*options.sql.statement_seconds);
  auto routes = serve::api_routes({.queries = t.queries, .snapshots = t.snapshots, .runners = *t.runners, .settings = api});
  for (serve::HttpRoute& route : serve::load_routes(t.loads, *t.runners, settings.limits.body_bytes_max))
    routes.push_back(std::move(route));
  routes.push_back(
      {.method = "GET", .path = "/metrics", .handle = [this](const serve::HttpRequest&, const serve::HttpResponder& responder) {
         responder->send({.content_type = exposition_content_type}, metrics->text(kafka.get()));
       }});
  t.http = std::make_unique<serve::HttpServer>(loop, loop, std::move(routes), settings);
  t.http->on_connect([&t] { t.statement_workers.warm(); });
  loop.on_turned_away([this](const Error& error) { options.log(error.message + ": some are turned away (doctor tells the limit)"); });
  TRIPOS_TRY(t.http->listen(endpoint_of(options.http)));
  addresses.http = address_of(t.http->endpoint());
  TRIPOS_ASSIGN(kafka, broker::Server::start(*broker, loop, endpoint_of(options.kafka)));
  addresses.kafka = address_of(kafka->endpoint());
  return {};
}

// Now and then: schemas follow the log, and workers that nobody needs end.
void Server::Parts::keep_tables_ready() {
  if (stopping) return;
  metrics->look();
  const auto again = [this] { loop.post([this] { next_care = loop.post_after(care_interval, [this] { keep_tables_ready(); }); }); };
  const auto work = [this, again] {
    if (const auto learned = tables->tables.learn(); !learned && learned.error().code != ErrorCode::cancelled)
      options.log(learned.error().message);
    tables->statement_workers.trim();
    tables->snapshot_workers.trim();
    again();
  };
  if (!tables->runners->submit(work)) again();
}

// First the doors, then what stands behind them. A second stop while the first is under way ends the process at once: everything that was
// acknowledged is on the disk.
void Server::Parts::begin_stop() {
  if (std::exchange(stopping, true)) std::_Exit(130);
  loop.cancel(next_care);
  doors_open = 2;
  kafka->drain(drain_timeout, [this] { door_closed(); });
  tables->http->stop(drain_timeout, [this] { door_closed(); });
}

void Server::Parts::door_closed() {
  if (--doors_open > 0) return;
  // Questions that nobody waits for any more still ask the loop for their tables: it runs until the last of them has ended.
  const auto end_questions = [this] {
    tables->column_files.stop();
    tables->runners.reset();
  };
  background.run(end_questions, [this] { broker->stop([this] { loop.stop(); }); });
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(ServerOptions options) {
  if (!options.log) options.log = &log_to_standard_error;
  block_signals(!options.stop_on_signals);
  auto parts = std::make_unique<Parts>(std::move(options));
  TRIPOS_TRY(parts->open());
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

const ServerAddresses& Server::addresses() const noexcept { return parts_->addresses; }

void Server::run() { parts_->loop.run(); }

void Server::request_stop() {
  parts_->loop.post([parts = parts_.get()] {
    if (!parts->stopping) parts->begin_stop();
  });
}

}  // namespace tripos::app
