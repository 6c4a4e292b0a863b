#include "app/metrics/families.h"

#include <array>

namespace tripos::app {
namespace {

using enum MetricType;

constexpr std::array table{
    MetricFamily{Metric::messages_in, counter, "kafka_server_brokertopicmetrics_messagesin_total", "topic",
                 "Records appended since the start; without a topic: of all topics, deleted ones and the broker's own included"},
    MetricFamily{Metric::bytes_in, counter, "kafka_server_brokertopicmetrics_bytesin_total", "topic", "Bytes of record batches appended"},
    MetricFamily{Metric::bytes_out, counter, "kafka_server_brokertopicmetrics_bytesout_total", "topic", "Bytes of record batches fetched"},
    MetricFamily{Metric::requests, counter, "kafka_network_requestmetrics_requests_total", "request", "Requests answered"},
    MetricFamily{Metric::request_times, summary, "kafka_network_requestmetrics_totaltimems", "request, quantile",
                 "Milliseconds from a request's last byte to its answer, the waiting of long polls included; quantiles of the last one to "
                 "two minutes"},
    MetricFamily{Metric::request_durations, histogram, "tripos_request_duration_seconds", "request, le",
                 "The same as a histogram since the start"},
    MetricFamily{Metric::under_replicated, gauge, "kafka_server_replicamanager_underreplicatedpartitions", "", "0: there is one server"},
    MetricFamily{Metric::under_min_isr, gauge, "kafka_server_replicamanager_underminisrpartitioncount", "", "0: there is one server"},
    MetricFamily{Metric::partition_count, gauge, "kafka_server_replicamanager_partitioncount", "", "Partitions"},
    MetricFamily{Metric::leader_count, gauge, "kafka_server_replicamanager_leadercount", "",
                 "Partitions that are led here: those that serve"},
    MetricFamily{Metric::offline_replicas, gauge, "kafka_server_replicamanager_offlinereplicacount", "",
                 "Partitions that are refused for damage"},
    MetricFamily{Metric::active_controllers, gauge, "kafka_controller_kafkacontroller_activecontrollercount", "", "1: this server"},
    MetricFamily{Metric::offline_partitions, gauge, "kafka_controller_kafkacontroller_offlinepartitionscount", "",
                 "Partitions that are refused for damage"},
    MetricFamily{Metric::topic_count, gauge, "kafka_controller_kafkacontroller_globaltopiccount", "", "Topics"},
    MetricFamily{Metric::global_partition_count, gauge, "kafka_controller_kafkacontroller_globalpartitioncount", "", "Partitions"},
    MetricFamily{Metric::broker_state, gauge, "kafka_server_kafkaserver_brokerstate", "", "3: it runs; 6: it is stopping"},
    MetricFamily{Metric::connections, gauge, "kafka_server_socket_server_metrics_connection_count", "",
                 "Kafka's clients that are connected"},
    MetricFamily{Metric::log_size, gauge, "kafka_log_log_size", "topic, partition", "Bytes of a partition's segments"},
    MetricFamily{Metric::log_start_offset, gauge, "kafka_log_log_logstartoffset", "topic, partition", "The first offset that is kept"},
    MetricFamily{Metric::log_end_offset, gauge, "kafka_log_log_logendoffset", "topic, partition",
                 "The high watermark: below it everything is durable"},
    MetricFamily{Metric::stable_offset_lag, gauge, "kafka_cluster_partition_laststableoffsetlag", "topic, partition",
                 "Offsets behind the last stable one: what open transactions hold back from readers of committed records, and from SQL"},
    MetricFamily{Metric::flush_times, summary, "kafka_log_logflushstats_logflushrateandtimems", "quantile",
                 "Milliseconds of a group commit's syncs; quantiles of the last one to two minutes"},
    MetricFamily{Metric::flush_durations, histogram, "tripos_log_sync_duration_seconds", "le", "The same as a histogram since the start"},
    MetricFamily{Metric::groups, gauge, "kafka_coordinator_group_groupmetadatamanager_numgroups", "", "Consumer groups"},
    MetricFamily{Metric::groups_by_state, gauge, "tripos_consumergroups", "state", "Consumer groups by their states"},
    MetricFamily{Metric::group_members, gauge, "kafka_consumergroup_members", "consumergroup", "A group's members"},
    MetricFamily{Metric::group_offset, gauge, "kafka_consumergroup_current_offset", "consumergroup, topic, partition",
                 "What the group has committed"},
    MetricFamily{Metric::group_lag, gauge, "kafka_consumergroup_lag", "consumergroup, topic, partition",
                 "Offsets from there to the high watermark"},
    MetricFamily{
        Metric::group_lag_seconds, gauge, "kafka_consumergroup_lag_seconds", "consumergroup, topic, partition",
        "How long the first record behind the committed offset has been waiting, by this server's observation of the end each second, "
        "not by records' own times: at least so long (what was there at the start counts from the start); 0: nothing waits"},
    MetricFamily{Metric::transactions, gauge, "tripos_transactional_ids", "state", "Transactional ids by the states of their transactions"},
    MetricFamily{Metric::oldest_transaction, gauge, "tripos_oldest_open_transaction_seconds", "",
                 "How long the oldest transaction has been open; 0: none is"},
    MetricFamily{Metric::data_free_bytes, gauge, "tripos_data_free_bytes", "", "What the disk of the data directory has left"},
    MetricFamily{Metric::data_total_bytes, gauge, "tripos_data_size_bytes", "", "What it holds at most"},
    MetricFamily{Metric::build, gauge, "tripos_build_info", "version", "1"},
    MetricFamily{Metric::process_cpu, counter, "process_cpu_seconds_total", "", "CPU time of this process; workers have their own"},
    MetricFamily{Metric::process_resident, gauge, "process_resident_memory_bytes", "", "Its resident memory"},
    MetricFamily{Metric::process_virtual, gauge, "process_virtual_memory_bytes", "", "Its address space"},
    MetricFamily{Metric::process_open_files, gauge, "process_open_fds", "", "Its open files and sockets"},
    MetricFamily{Metric::process_open_files_max, gauge, "process_max_fds", "", "How many it may have"},
    MetricFamily{Metric::process_threads, gauge, "process_threads", "", "Its threads"},
    MetricFamily{Metric::process_start, gauge, "process_start_time_seconds", "", "When it began, since 1970"},
};

static_assert(table.size() == static_cast<std::size_t>(Metric::count));
static_assert([] {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].metric != static_cast<Metric>(i)) return false;
  }
  return true;
}());

}  // namespace

std::span<const MetricFamily> metric_families() noexcept { return table; }

const char* to_string(MetricType type) noexcept {
  switch (type) {
    case counter: return "counter";
    case gauge: return "gauge";
    case summary: return "summary";
    case histogram: return "histogram";
  }
  return "untyped";
}

}  // namespace tripos::app
