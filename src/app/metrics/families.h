// All metrics of GET /metrics, in one table: names, types, labels, what they say. docs/reference/metrics.md is made of it.
// Names and labels are those that Prometheus' JMX exporter makes of Kafka's, lower case, as dashboards for Kafka expect them; of consumer
// groups those of kafka_exporter; what Kafka has no name for begins with tripos_.
#pragma once

#include <span>

namespace tripos::app {

enum class MetricType { counter, gauge, summary, histogram };

enum class Metric {
  messages_in,
  bytes_in,
  bytes_out,
  requests,
  request_times,
  request_durations,
  under_replicated,
  under_min_isr,
  partition_count,
  leader_count,
  offline_replicas,
  active_controllers,
  offline_partitions,
  topic_count,
  global_partition_count,
  broker_state,
  connections,
  log_size,
  log_start_offset,
  log_end_offset,
  stable_offset_lag,
  flush_times,
  flush_durations,
  groups,
  groups_by_state,
  group_members,
  group_offset,
  group_lag,
  group_lag_seconds,
  transactions,
  oldest_transaction,
  data_free_bytes,
  data_total_bytes,
  build,
  process_cpu,
  process_resident,
  process_virtual,
  process_open_files,
  process_open_files_max,
  process_threads,
  process_start,
  count  // how many there are
};

struct MetricFamily {
  Metric metric;
  MetricType type;
  const char* name;
  const char* labels;  // "topic, partition"
  const char* help;
};

// In the order of Metric.
[[nodiscard]] std::span<const MetricFamily> metric_families() noexcept;
[[nodiscard]] const char* to_string(MetricType type) noexcept;

}  // namespace tripos::app
