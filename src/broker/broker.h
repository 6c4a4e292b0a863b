// Broker: Kafka's protocol over a data directory, without sockets.
//
//   session (net/) ── frame ──> handle() ──> api/table.cc ──> api/<request>.cc ──> Topics, Partition, groups … ──> Responder
//
// Everything that it remembers is a log: topics and producer ids in the metadata log (DATA/meta), group offsets and groups in
// __consumer_offsets, transactions in __transaction_state, records in their partitions. Opening reads what it needs of them, and completes
// the transactions whose end was decided before anybody looks; nothing is answered before it is durable.
// Threads: the executor's loop only. Never blocks on it but for opening logs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "broker/authorizer.h"
#include "broker/config/broker_config.h"
#include "broker/environment.h"
#include "broker/kafka_error.h"
#include "broker/serial_tasks.h"
#include "broker/session_context.h"
#include "io/socket.h"
#include "log/group_commit.h"
#include "log/partition_log.h"
#include "model/record_batch.h"

namespace tripos::groups {
class GroupCoordinator;
}  // namespace tripos::groups

namespace tripos::transactions {
class TransactionCoordinator;
}  // namespace tripos::transactions

namespace tripos::broker {

class MetadataLog;
class Cleaner;
class FetchSessions;
class Partition;
class ProducerIds;
class RequestMetrics;
class Retention;
class StraddlingTransactions;
struct Topic;
class Topics;
class Trimming;

// Records that are to leave a partition's log: those below `end`.
struct LeavingRecords {
  TopicPartition partition;
  Offset end;
  log::Trim trim;
};
// Asked before records leave a log, so that what must be made of them is made first (a table's files, the counts of loads). Blocks nobody:
// `allowed` is called once, on the loop, then or later, with the offset below which they may go, which may be less than was asked for.
using TrimGuard = std::function<void(const LeavingRecords& leaving, std::function<void(const Result<Offset>&)> allowed)>;

struct BrokerOptions {
  BrokerConfig config;
  // What offset a partition's next record must have at least (rules, 1.7); none: no table holds any.
  std::function<Offset(const TopicPartition&)> offset_floor;
  TrimGuard trim_guard = {};  // none: nobody needs them
  log::JournalOptions journal = {.half_bytes = 8u << 20};
};

class Broker {
 public:
  // Recovers the data directory, whose LOCK the caller holds. Blocks. A damaged partition is refused, the others serve; a damaged metadata
  // log is an error.
  [[nodiscard]] static Result<std::unique_ptr<Broker>> open(Environment environment, std::string data, BrokerOptions options);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // Answers one request. `frame`: the request without its size; valid during the call only.
  void handle(SessionContext& session, Bytes frame, Responder responder);

  // Where clients are told to connect: advertised.listeners, or else where the broker listens (once it does).
  void set_listening_at(const io::Endpoint& endpoint);
  [[nodiscard]] const io::Endpoint& advertised() const noexcept { return advertised_; }

  // Handles no request any more, and answers the fetches that wait.
  void refuse_requests();
  // A clean stop: refuse_requests(), waits until all is durable, checkpoints the logs, then runs `stopped`.
  void stop(io::Task stopped);

  // Changes what of the configuration can be changed while running: `change` is given the scope's values as earlier changes have left
  // them, checked values are what it returns. `done` runs once they are durable and in force, or refused.
  using ConfigChange = std::function<Outcome<ConfigValues>(const ConfigValues&)>;
  void change_config(DynamicScope scope, ConfigChange change, std::function<void(const Outcome<>&)> done);

  // For the handlers of requests, and for src/source.
  [[nodiscard]] const Environment& environment() const noexcept { return environment_; }
  [[nodiscard]] const BrokerConfig& config() const noexcept { return config_; }
  [[nodiscard]] const std::string& directory() const noexcept { return data_; }
  [[nodiscard]] const std::string& cluster_id() const noexcept { return cluster_id_; }
  [[nodiscard]] const Authorizer& authorizer() const noexcept { return *authorizer_; }
  [[nodiscard]] Topics& topics() noexcept { return *topics_; }
  [[nodiscard]] FetchSessions& fetch_sessions() noexcept { return *fetch_sessions_; }
  [[nodiscard]] Trimming& trimming() noexcept { return *trimming_; }
  [[nodiscard]] Retention& retention() noexcept { return *retention_; }
  [[nodiscard]] Cleaner& cleaner() noexcept { return *cleaner_; }
  // What must be made of records that are to leave is made; then `allowed` (TrimGuard).
  void ask_trim_guard(const LeavingRecords& leaving, std::function<void(const Result<Offset>&)> allowed) const;
  [[nodiscard]] ProducerIds& producer_ids() noexcept { return *producer_ids_; }
  [[nodiscard]] groups::GroupCoordinator& groups() noexcept { return *groups_; }
  // They are read behind the transactions.
  [[nodiscard]] bool groups_are_loaded() const noexcept { return groups_ != nullptr; }
  [[nodiscard]] transactions::TransactionCoordinator& transactions() noexcept { return *transactions_; }
  [[nodiscard]] StraddlingTransactions& straddling() noexcept { return *straddling_; }
  [[nodiscard]] log::GroupCommit& commit() noexcept { return *commit_; }
  // For checking what producers send: keeps its buffer from batch to batch.
  [[nodiscard]] RecordReader& record_reader() noexcept { return record_reader_; }
  [[nodiscard]] bool stopping() const noexcept { return stopping_; }
  [[nodiscard]] RequestMetrics& request_metrics() noexcept { return *request_metrics_; }

 private:
  Broker(Environment environment, std::string data, BrokerConfig config);
  [[nodiscard]] Result<> open_directory(std::function<Offset(const TopicPartition&)> offset_floor, const log::JournalOptions& journal);
  void open_transactions();
  // Tells the operator what could not be read of what a coordinator's topic keeps.
  template <typename Report>
  void warn_of_load(std::string_view topic, const Report& report) const;
  void open_groups();

  Environment environment_;
  std::string data_;
  BrokerConfig config_;
  SerialTasks config_changes_;
  std::unique_ptr<Authorizer> authorizer_;
  std::unique_ptr<FetchSessions> fetch_sessions_;
  std::unique_ptr<log::GroupCommit> commit_;
  std::unique_ptr<MetadataLog> metadata_;
  std::unique_ptr<ProducerIds> producer_ids_;
  std::unique_ptr<Topics> topics_;
  std::unique_ptr<Trimming> trimming_;
  std::unique_ptr<StraddlingTransactions> straddling_;
  std::unique_ptr<transactions::TransactionCoordinator> transactions_;
  TrimGuard trim_guard_;
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<Cleaner> cleaner_;
  std::unique_ptr<groups::GroupCoordinator> groups_;
  RecordReader record_reader_;
  std::unique_ptr<RequestMetrics> request_metrics_;
  std::string cluster_id_;
  io::Endpoint advertised_;
  bool advertised_is_set_ = false;
  bool stopping_ = false;
};

}  // namespace tripos::broker
