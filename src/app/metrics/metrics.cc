#include "app/metrics/metrics.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "broker/group/coordinator.h"
#include "broker/net/server.h"
#include "broker/request_metrics.h"
#include "broker/topics.h"
#include "broker/transaction/transaction_coordinator.h"

namespace tripos::app {
namespace {

constexpr std::int64_t state_running = 3;
constexpr std::int64_t state_stopping = 6;

void add_traffic(Exposition& to, Exposition::Labels labels, const broker::Traffic& traffic) {
  to.add(Metric::messages_in, labels, traffic.messages_in);
  to.add(Metric::bytes_in, labels, traffic.bytes_in);
  to.add(Metric::bytes_out, labels, traffic.bytes_out);
}

}  // namespace

void Metrics::add_requests(Exposition& to) const {
  const MonotonicTime now = broker_.environment().clock.monotonic();
  for (std::size_t kind = 0; kind < broker::api_table().size(); ++kind) {
    RecentDurations& durations = broker_.request_metrics().durations(kind);
    const std::string_view request = to_string(broker::api_table()[kind].key);
    to.add(Metric::requests, {{"request", request}}, durations.all().count());
    if (durations.all().count() > 0)
      to.add_durations(Metric::request_times, Metric::request_durations, {{"request", request}}, durations, now);
  }
  to.add_durations(Metric::flush_times, Metric::flush_durations, {}, broker_.commit().durations(), now);
}

void Metrics::add_partitions(Exposition& to) const {
  std::uint64_t topics = 0;
  std::uint64_t partitions = 0;
  std::uint64_t refused = 0;
  broker::Traffic all = broker_.topics().traffic_of_deleted();
  for (const broker::Topic* topic : broker_.topics().all()) {
    ++topics;
    const broker::Traffic traffic = topic->traffic();
    all += traffic;
    add_traffic(to, {{"topic", topic->name()}}, traffic);
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      ++partitions;
      const broker::Partition* partition = topic->partitions[i].get();
      if (partition == nullptr) continue;  // nobody has used it yet
      if (partition->log() == nullptr) {
        refused += partition->is_refused() ? 1 : 0;
        continue;
      }
      const std::string index = std::to_string(i);
      const Exposition::Labels labels = {{"topic", topic->name()}, {"partition", index}};
      to.add(Metric::log_size, labels, partition->log()->size_bytes());
      to.add(Metric::log_start_offset, labels, partition->start_offset().value());
      to.add(Metric::log_end_offset, labels, partition->durable_end().offset.value());
      to.add(Metric::stable_offset_lag, labels, partition->durable_end().offset - partition->stable_offset().offset);
    }
  }
  add_traffic(to, {}, all);
  to.add(Metric::under_replicated, {}, std::uint64_t{0});
  to.add(Metric::under_min_isr, {}, std::uint64_t{0});
  to.add(Metric::partition_count, {}, partitions);
  to.add(Metric::leader_count, {}, partitions - refused);
  to.add(Metric::offline_replicas, {}, refused);
  to.add(Metric::active_controllers, {}, std::uint64_t{1});
  to.add(Metric::offline_partitions, {}, refused);
  to.add(Metric::topic_count, {}, topics);
  to.add(Metric::global_partition_count, {}, partitions);
}

void Metrics::add_groups(Exposition& to) {
  std::uint64_t count = 0;
  std::map<std::string, std::uint64_t, std::less<>> states;
  for (const auto state :
       {groups::State::empty, groups::State::preparing_rebalance, groups::State::completing_rebalance, groups::State::stable}) {
    states[std::string(to_string(state))] = 0;
  }
  broker_.groups().for_each_group([&](const groups::Group& group) {
    ++count;
    ++states[std::string(to_string(group.state()))];
    to.add(Metric::group_members, {{"consumergroup", group.id()}}, static_cast<std::uint64_t>(group.members().all().size()));
  });
  to.add(Metric::groups, {}, count);
  for (const auto& [state, groups_in_it] : states) to.add(Metric::groups_by_state, {{"state", state}}, groups_in_it);
  lag_.for_each([&to](const ConsumerLag::Position& position) {
    const std::string index = std::to_string(position.partition);
    const Exposition::Labels labels = {{"consumergroup", position.group}, {"topic", position.topic}, {"partition", index}};
    to.add(Metric::group_offset, labels, position.committed.value());
    to.add(Metric::group_lag, labels, position.lag);
    to.add(Metric::group_lag_seconds, labels, position.lag_seconds);
  });
}

void Metrics::add_transactions(Exposition& to) const {
  using transactions::State;
  const std::int64_t now_ms = broker_.environment().clock.wall().time_since_epoch().count();
  std::map<std::string, std::uint64_t, std::less<>> states;
  for (const State state :
       {State::empty, State::ongoing, State::prepare_commit, State::prepare_abort, State::complete_commit, State::complete_abort}) {
    states[std::string(to_string(state))] = 0;
  }
  std::int64_t oldest_ms = 0;
  broker_.transactions().for_each([&](const std::string&, const transactions::Transaction& transaction) {
    const auto& metadata = transaction.metadata();
    ++states[std::string(to_string(metadata.state))];
    const bool open = metadata.state == State::ongoing || is_prepared(metadata.state);
    if (open && metadata.start_timestamp_ms >= 0) oldest_ms = std::max(oldest_ms, now_ms - metadata.start_timestamp_ms);
  });
  for (const auto& [state, ids] : states) to.add(Metric::transactions, {{"state", state}}, ids);
  to.add(Metric::oldest_transaction, {}, static_cast<double>(oldest_ms) / 1000);
}

void Metrics::add_disk(Exposition& to) const {
  const auto space = broker_.environment().files.space(broker_.directory());
  if (!space) return;
  to.add(Metric::data_free_bytes, {}, space->free_bytes);
  to.add(Metric::data_total_bytes, {}, space->total_bytes);
}

std::string Metrics::text(const broker::Server* server) {
  Exposition to;
  add_requests(to);
  add_partitions(to);
  to.add(Metric::broker_state, {}, broker_.stopping() ? state_stopping : state_running);
  to.add(Metric::connections, {}, static_cast<std::uint64_t>(server == nullptr ? 0 : server->session_count()));
  add_groups(to);
  add_transactions(to);
  add_disk(to);
  to.add(Metric::build, {{"version", TRIPOS_VERSION}}, std::uint64_t{1});
  add_process_metrics(to);
  return to.text();
}

}  // namespace tripos::app
