#include "broker/broker.h"

#include <random>
#include <utility>
#include <vector>

#include "broker/api/handlers.h"
#include "broker/api/request.h"
#include "broker/api/table.h"
#include "broker/cleaner.h"
#include "broker/consumer_offsets.h"
#include "broker/fetch_sessions.h"
#include "broker/group/coordinator.h"
#include "broker/metadata_log.h"
#include "broker/produced_batch.h"
#include "broker/producer_ids.h"
#include "broker/request_metrics.h"
#include "broker/retention.h"
#include "broker/straddling_transactions.h"
#include "broker/topics.h"
#include "broker/transaction/transaction_coordinator.h"
#include "broker/transaction_state.h"
#include "broker/trimming.h"
#include "log/journal_replay.h"

namespace tripos::broker {

namespace {

// HOST:PORT out of "PLAINTEXT://HOST:PORT"; of a list, the first.
Result<io::Endpoint> parse_listener(std::string_view listener) {
  const std::string_view whole = listener;
  listener = listener.substr(0, listener.find(','));
  if (const auto scheme = listener.find("://"); scheme != std::string_view::npos) listener.remove_prefix(scheme + 3);
  const auto colon = listener.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? std::string_view() : listener.substr(colon + 1);
  const std::int64_t number =
      port.empty() || port.find_first_not_of("0123456789") != std::string_view::npos || port.size() > 5 ? -1 : parse_integer(port);
  std::string_view host = listener.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (number < 1 || number > 65535 || host.empty()) {
    return fail(ErrorCode::invalid_argument, "Invalid value {} for configuration advertised.listeners: it takes PLAINTEXT://HOST:PORT",
                whole);
  }
  return io::Endpoint{.host = std::string(host), .port = static_cast<std::uint16_t>(number)};
}

// UNSUPPORTED_VERSION to a request whose response we have no schema of: a lone code is what most answers begin or end with.
wire::Output unsupported(wire::ApiKey key, std::int16_t version, std::int32_t correlation_id) {
  wire::Output out;
  wire::begin_response(out, key, version, correlation_id);
  out.append_integer(static_cast<std::int16_t>(wire::ErrorCode::unsupported_version));
  out.patch_frame_size();
  return out;
}

}  // namespace

Broker::Broker(Environment environment, std::string data, BrokerConfig config)
    : environment_(std::move(environment)),
      data_(std::move(data)),
      config_(std::move(config)),
      authorizer_(std::make_unique<AllowEverything>()),
      fetch_sessions_(std::make_unique<FetchSessions>(
          static_cast<std::size_t>(config_.integer("max.incremental.fetch.session.cache.slots")),
          [device = std::make_shared<std::random_device>()] { return static_cast<std::int32_t>((*device)()); })),
      record_reader_(decompressed_size_max),
      request_metrics_(std::make_unique<RequestMetrics>()) {}

Broker::~Broker() = default;

Result<std::unique_ptr<Broker>> Broker::open(Environment environment, std::string data, BrokerOptions options) {
  std::unique_ptr<Broker> self(new Broker(std::move(environment), std::move(data), std::move(options.config)));
  if (const auto advertised = self->config_.text("advertised.listeners"); advertised && !advertised->empty()) {
    TRIPOS_ASSIGN(self->advertised_, parse_listener(*advertised));
    self->advertised_is_set_ = true;
  }
  TRIPOS_TRY(self->open_directory(std::move(options.offset_floor), options.journal));
  self->trim_guard_ = std::move(options.trim_guard);
  self->trimming_ = std::make_unique<Trimming>(*self);
  self->open_transactions();
  self->topics_->open_all();
  self->open_groups();
  self->retention_ = std::make_unique<Retention>(*self);
  self->cleaner_ = std::make_unique<Cleaner>(*self);
  return self;
}

Result<> Broker::open_directory(std::function<Offset(const TopicPartition&)> offset_floor, const log::JournalOptions& journal) {
  TRIPOS_ASSIGN(const log::JournalReplay replayed, log::replay_journal(environment_.files, data_));
  // After kill -9 what is read now may live in the page cache only: checkpoints with the starts of logs, manifests, snapshots of producers.
  // Nobody may see it, and nothing be removed on its word, before it is durable.
  TRIPOS_TRY(environment_.files.sync_all(data_));
  TRIPOS_TRY(log::remove_journal(environment_.files, data_));
  for (const std::string& damaged : replayed.damaged) environment_.warn(damaged);
  if (replayed.records > 0) {
    environment_.warn(
        fmt::format("the journal held {} acknowledged rounds ({} bytes) of a server that ended without a word: the logs have them now",
                    replayed.records, replayed.bytes));
  }
  commit_ = std::make_unique<log::GroupCommit>(
      environment_.executor, environment_.background, environment_.files, data_,
      log::CommitHooks{.fatal = environment_.fatal, .warning = [this](const Error& error) { environment_.warn(error.message); }},
      log::CommitOptions{.journal = journal, .clock = &environment_.clock});
  std::vector<MetadataRecord> records;
  // The configuration first: topics are made with it, wherever in the log it stands.
  const auto keep = [this, &records](MetadataRecord record) -> Result<> {
    if (auto* dynamic = std::get_if<DynamicConfigRecord>(&record)) {
      TRIPOS_TRY(check_values(broker_keys(), dynamic->values));
      config_.set_dynamic_values(dynamic->scope, std::move(dynamic->values));
      return {};
    }
    records.push_back(std::move(record));
    return {};
  };
  TRIPOS_ASSIGN(metadata_, MetadataLog::open(environment_, *commit_, data_, keep));
  producer_ids_ = std::make_unique<ProducerIds>(*metadata_);
  topics_ = std::make_unique<Topics>(environment_, config_, *commit_, *metadata_, data_, std::move(offset_floor));
  for (MetadataRecord& record : records) {
    if (const auto* block = std::get_if<ProducerIdBlock>(&record)) {
      producer_ids_->recover(*block);
    } else if (const auto* cluster = std::get_if<ClusterRecord>(&record)) {
      cluster_id_ = cluster->id.text();
    } else {
      TRIPOS_TRY(topics_->replay(std::move(record)));
    }
  }
  if (cluster_id_.empty()) {
    // The first start. The id may be told before it is durable: with it nothing else is lost.
    const Uuid id = Uuid::random();
    cluster_id_ = id.text();
    metadata_->append(ClusterRecord{id}, [this](const Result<>& durable) {
      if (!durable) environment_.warn(fmt::format("the cluster id could not be written: {}", durable.error().message));
    });
  }
  return {};
}

void Broker::open_transactions() {
  transactions::TransactionSettings settings;
  const auto ms = [this](std::string_view key) { return std::chrono::milliseconds(config_.integer(key)); };
  settings.timeout_max = ms("transaction.max.timeout.ms");
  settings.id_expiration = ms("transactional.id.expiration.ms");
  settings.expiration_check_interval = ms("transaction.remove.expired.transaction.cleanup.interval.ms");
  const auto next_id = [this](const auto& done) {
    producer_ids_->next([done](const Outcome<ProducerId>& id) {
      if (id) return done(*id);
      done(tl::unexpected(id.error().code));
    });
  };
  straddling_ = std::make_unique<StraddlingTransactions>([this](const TopicPartition& id) -> std::optional<Offset> {
    const auto partition = topics_->partition(id);
    if (!partition) return std::nullopt;
    return (*partition)->stable_offset().offset;
  });
  transactions_ = std::make_unique<transactions::TransactionCoordinator>(settings, std::make_unique<TransactionState>(*this),
                                                                         std::make_unique<TransactionalPartitions>(*this), next_id,
                                                                         environment_.executor, environment_.clock);
  const transactions::TransactionLoadReport report = transactions_->load();
  warn_of_load("__transaction_state", report);
  topics_->set_completing_transactions([this](ProducerId producer, const std::string& topic, PartitionId partition, Offset first) {
    return transactions_->is_completing(producer, {.topic = topic, .partition = partition.value()}, first);
  });
  transactions_->complete_prepared();
  commit_->sync_now();
  if (transactions_->completing_count() > 0) {
    environment_.warn(
        fmt::format("{} transactions have been decided but can't be completed yet: what they wrote is not shown before that. "
                    "A full disk or a damaged partition keeps their markers from being written",
                    transactions_->completing_count()));
  }
}

template <typename Report>
void Broker::warn_of_load(std::string_view topic, const Report& report) const {
  for (const std::string& why : report.unread) environment_.warn(fmt::format("what {} remembers there is NOT SERVED: {}", topic, why));
  if (report.skipped_records > 0) {
    environment_.warn(fmt::format("{} records of {} were skipped: {}", report.skipped_records, topic, report.first_broken));
  }
}

void Broker::open_groups() {
  groups::CoordinatorSettings settings;
  const auto ms = [this](std::string_view key) { return std::chrono::milliseconds(config_.integer(key)); };
  settings.group.initial_rebalance_delay = ms("group.initial.rebalance.delay.ms");
  settings.group.size_max = static_cast<std::size_t>(config_.integer("group.max.size"));
  settings.session_timeout_min = ms("group.min.session.timeout.ms");
  settings.session_timeout_max = ms("group.max.session.timeout.ms");
  settings.offsets_retention = std::chrono::minutes(config_.integer("offsets.retention.minutes"));
  settings.offsets_retention_check_interval = ms("offsets.retention.check.interval.ms");
  auto coordinator = std::make_unique<groups::GroupCoordinator>(settings, std::make_unique<ConsumerOffsets>(*this), environment_.executor,
                                                                environment_.clock);
  const groups::LoadReport report = coordinator->load([this](std::string_view topic) { return topics_->find(topic) != nullptr; });
  warn_of_load(consumer_offsets_name, report);
  groups_ = std::move(coordinator);
}

void Broker::handle(SessionContext& session, Bytes frame, Responder responder) {
  if (stopping_) return responder(CloseSession{});
  const auto decoded = wire::decode_request_frame(frame);
  if (!decoded) return responder(CloseSession{fmt::format("a request's header can't be read: {}", decoded.error().text())});
  const wire::RequestHeader& header = decoded->header;
  const ApiRow* row = find_api(header.api_key);
  if (row == nullptr || !row->versions.contains(header.api_version)) {
    if (header.api_key == wire::ApiKey::api_versions) return refuse_api_versions(header.correlation_id, responder);
    return responder(unsupported(header.api_key, header.api_version, header.correlation_id));
  }
  RequestContext context{.broker = *this,
                         .session = session,
                         .api_key = header.api_key,
                         .version = header.api_version,
                         .client_id = header.client_id.value_or(std::string_view())};
  row->serve(context, decoded->body, header.correlation_id, std::move(responder));
}

void Broker::change_config(DynamicScope scope, ConfigChange change, std::function<void(const Outcome<>&)> done) {
  config_changes_.run([this, scope, change = std::move(change), done = std::move(done)](const std::function<void()>& finished) {
    const auto finish = [done, finished](const Outcome<>& changed) {
      done(changed);
      finished();
    };
    auto values = change(config_.dynamic_values(scope));
    if (!values) return finish(tl::unexpected(std::move(values).error()));
    const DynamicConfigRecord record{.scope = scope, .values = std::move(*values)};
    metadata_->append(record, [this, record, finish](const Result<>& durable) {
      if (!durable) return finish(tl::unexpected(kafka_error(durable.error())));
      config_.set_dynamic_values(record.scope, record.values);
      topics_->reconfigure();
      finish({});
    });
  });
}

void Broker::ask_trim_guard(const LeavingRecords& leaving, std::function<void(const Result<Offset>&)> allowed) const {
  if (!trim_guard_) return allowed(leaving.end);
  trim_guard_(leaving, std::move(allowed));
}

void Broker::set_listening_at(const io::Endpoint& endpoint) {
  if (!advertised_is_set_) advertised_ = endpoint;
}

void Broker::refuse_requests() {
  if (std::exchange(stopping_, true)) return;
  topics_->wake_watchers();
}

void Broker::stop(io::Task stopped) {
  refuse_requests();
  commit_->when_idle([this, stopped = std::move(stopped)]() mutable {
    topics_->write_final_snapshots();
    std::vector<log::PartitionLog*> logs = topics_->open_logs();
    logs.push_back(&metadata_->log());
    log::close_all(*commit_, std::move(logs), std::move(stopped));
  });
}

}  // namespace tripos::broker
