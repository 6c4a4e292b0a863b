#include "worker/worker_main.h"

#include <signal.h>

#include "worker/duckdb_library.h"
#include "worker/range_writer.h"
#include "worker/settings.h"
#include "worker/statement_runner.h"

namespace tripos::worker {
namespace {

// One end of the conversation: configured once, then one order at a time.
class Worker {
 public:
  explicit Worker(int fd)
      : channel_(protocol::Descriptor(fd)), inbox_(channel_, [this] {
          const std::lock_guard lock(connection_mutex_);
          if (connection_ != nullptr) {
            connection_->interrupt();
          }
        }) {}

  Result<> run() {
    TRIPOS_ASSIGN(const std::optional<Received> first, inbox_.take());
    if (!first) {
      return {};
    }
    const auto* configure = std::get_if<protocol::Configure>(&first->message);
    if (configure == nullptr || configure->protocol_version != protocol::version) {
      return refuse(Error{ErrorCode::unsupported, "the worker and the server are of different versions"});
    }
    if (Result<> served = serve(*configure); !served) {
      return refuse(std::move(served).error());
    }
    return {};
  }

 private:
  Result<> refuse(Error error) {
    static_cast<void>(channel_.send(encode(protocol::ToServer(protocol::Failed{error.code, error.message}))));
    return tl::unexpected(std::move(error));
  }

  Result<> serve(const protocol::Configure& configure) {
    TRIPOS_TRY(load_duckdb());
    TRIPOS_TRY(limit_process(configure));
    Scans scans;
    TRIPOS_ASSIGN(const Database database, open_engine(configure, scans));
    TRIPOS_ASSIGN(const Connection connection, database.connect());
    LostValues lost_values(connection);
    Engine engine{.connection = connection, .scans = scans, .configure = configure, .lost_values = lost_values};
    set_connection(&connection);
    Result<> ended = orders(engine);
    set_connection(nullptr);
    return ended;
  }

  void set_connection(const Connection* connection) {
    const std::lock_guard lock(connection_mutex_);
    connection_ = connection;
  }

  Result<> orders(Engine& engine) {
    TRIPOS_TRY(channel_.send(encode(protocol::ToServer(protocol::Ready{duckdb_library_version()}))));
    while (true) {
      TRIPOS_ASSIGN(std::optional<Received> received, inbox_.take());
      if (!received) {
        return {};
      }
      protocol::ToServer outcome = protocol::Failed{ErrorCode::malformed, "an order was expected"};
      if (const auto* statement = std::get_if<protocol::Statement>(&received->message)) {
        outcome = order(statement->order, [&]() -> Result<std::uint64_t> {
          if (engine.configure.role != protocol::Role::statements) {
            return fail(ErrorCode::unsupported, "this worker writes snapshots; it answers no statements");
          }
          return StatementRunner(engine, inbox_, channel_, *statement).run();
        });
      } else if (const auto* range = std::get_if<protocol::WriteRange>(&received->message)) {
        outcome = order(range->order, [&]() -> Result<std::uint64_t> {
          if (engine.configure.role != protocol::Role::snapshots) {
            return fail(ErrorCode::unsupported, "this worker answers statements; it writes no snapshots");
          }
          TRIPOS_ASSIGN(const protocol::Wrote wrote, write_range(engine, *range, received->descriptors));
          TRIPOS_TRY(channel_.send(encode(protocol::ToServer(wrote))));
          return static_cast<std::uint64_t>(wrote.row_count);
        });
      }
      engine.scans.clear();
      TRIPOS_TRY(channel_.send(encode(outcome)));
      const auto* failed = std::get_if<protocol::Failed>(&outcome);
      if (failed != nullptr && failed->worker_ends) {
        return {};
      }
    }
  }

  template <typename Run>
  protocol::ToServer order(std::uint64_t number, const Run& run) {
    inbox_.begin_order(number);
    Result<std::uint64_t> result = inbox_.interrupted() ? fail(ErrorCode::cancelled, "the statement was cancelled") : run();
    const bool interrupted = inbox_.interrupted();
    inbox_.end_order();
    if (result) {
      return protocol::Done{*result};
    }
    if (interrupted && result.error().code != ErrorCode::cancelled) {
      return protocol::Failed{ErrorCode::cancelled, "the statement was cancelled"};
    }
    // After some errors ("FATAL") DuckDB refuses everything.
    const bool broken = !connection_->execute("SELECT 1");
    return protocol::Failed{
        .code = broken ? ErrorCode::unavailable : result.error().code, .message = result.error().message, .worker_ends = broken};
  }

  std::mutex connection_mutex_;
  const Connection* connection_ = nullptr;
  protocol::Channel channel_;
  Inbox inbox_;
};

}  // namespace

int worker_main(int fd) {
  // Ctrl-C in a terminal reaches the whole group: it is the server's to end its workers.
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  Worker worker(fd);
  return worker.run() ? 0 : 1;
}

}  // namespace tripos::worker
