#include "query/answer_text.h"

#include "query/json_text.h"

namespace tripos::query {

namespace {

template <typename List, typename Write>
std::string array_text(const List& list, Write write) {
  std::string to = "[";
  for (const auto& element : list) {
    if (to.size() > 1) to.push_back(',');
    to.append(write(element));
  }
  return to + "]";
}

// What a manifest holds: "manifest":2,"files":…
std::string holdings_text(const lambda::Manifest& manifest) {
  std::int64_t rows = 0;
  std::uint64_t bytes = 0;
  for (const auto& file : manifest.files) {
    rows += file.row_count;
    bytes += file.size_bytes;
  }
  std::int64_t rejected = 0;
  for (const auto& partition : manifest.partitions) rejected += partition.rejected_count;
  return fmt::format(R"("manifest":{},"files":{},"rows":{},"rejected":{},"bytes":{},"created_ms":{})", manifest.version,
                     manifest.files.size(), rows, rejected, bytes, manifest.created.time_since_epoch().count());
}

}  // namespace

std::string columns_text(std::span<const protocol::Column> columns) {
  return array_text(columns, [](const auto& column) {
    return fmt::format(R"({{"name":{},"type":{}}})", json_text(column.name), json_text(column.type));
  });
}

std::string as_of_text(const lambda::Pin& pin) {
  return fmt::format(R"({{"tables":{}}})", array_text(pin.tables, [](const lambda::PinnedTable& table) {
                       const auto partitions = array_text(table.ranges, [&](const PartitionRange& range) {
                         // Where the table starts: with its first file, or with the log.
                         Offset begin = range.begin;
                         for (const auto& file : table.files()) {
                           if (file.file->partition == range.partition) begin = std::min(begin, file.begin);
                         }
                         return fmt::format(R"({{"partition":{},"begin":{},"live_begin":{},"end":{}}})", range.partition, begin,
                                            range.begin, range.end.offset);
                       });
                       return fmt::format(R"({{"table":{},"topic":{},"topic_id":{},"kind":{},"manifest":{},"partitions":{}}})",
                                          json_text(table.name), json_text(table.topic.name), json_text(table.topic.id.text()),
                                          json_text(lambda::to_string(table.kind)), table.manifest->version, partitions);
                     }));
}

std::string batch_run_text(std::span<const lambda::TableSnapshot> snapshots) {
  return fmt::format(R"({{"tables":{}}})", array_text(snapshots, [](const lambda::TableSnapshot& table) {
                       const auto partitions = array_text(table.manifest.partitions, [](const lambda::ManifestPartition& partition) {
                         return fmt::format(R"({{"partition":{},"end":{}}})", partition.partition, partition.end);
                       });
                       return fmt::format(R"({{"topic":{},"outcome":{},"new_files":{},"new_rows":{},"new_bytes":{},{},"partitions":{}}})",
                                          json_text(table.topic.name), json_text(lambda::to_string(table.outcome)), table.new_files,
                                          table.new_row_count, table.new_bytes, holdings_text(table.manifest), partitions);
                     }));
}

std::string batch_status_text(std::span<const lambda::TableStatus> tables) {
  return fmt::format(R"({{"tables":{}}})", array_text(tables, [](const lambda::TableStatus& table) {
                       const auto live = array_text(table.live, [](const lambda::TableStatus::Live& range) {
                         return fmt::format(R"({{"partition":{},"begin":{},"end":{},"log_bytes":{}}})", range.partition, range.begin,
                                            range.end, range.log_bytes);
                       });
                       return fmt::format(R"({{"topic":{},{},"live":{}}})", json_text(table.topic.name), holdings_text(table.manifest),
                                          live);
                     }));
}

std::string error_text(const Error& error) {
  return fmt::format(R"({{"code":{},"message":{}}})", json_text(to_string(error.code)), json_text(error.message));
}

}  // namespace tripos::query
