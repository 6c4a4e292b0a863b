// LogScan: the table function tripos_scan(number), a live log as a table.
//
//   rows      __tripos_partition, __tripos_offset, __tripos_timestamp, __tripos_key, then the fields that were asked for; for a file also
//             __tripos_lost: what the columns don't tell (json/shred.h)
//   messages  key, value, topic, partition, offset, timestamp, timestampType: Spark's Kafka source
//   rejected  partition, offset, timestamp, key, reason, value (its first 64 KB)
//
// Columns that a statement doesn't use are not computed; of structures, only the fields of the scan's type. Threads of DuckDB take pieces
// of the log in turn. Strings point into the mapped log where they can.
// Ownership: a Scan outlives the statements that name its number.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "json/type.h"
#include "query/protocol/messages.h"
#include "worker/connection.h"
#include "worker/dialect/sql_type.h"
#include "worker/scan/live_log.h"

namespace tripos::worker {

inline constexpr std::size_t rejected_bytes_shown_max = std::size_t{64} << 10;

struct Scan {
  protocol::TableKind kind = protocol::TableKind::rows;
  std::string topic;
  json::Type type;                // rows: a structure of the wanted fields, as named in JSON
  std::vector<SqlField> columns;  // the same fields as SQL names them
  LiveLog log;
  std::size_t thread_count = 1;
  // Of a compacted topic: per partition, the offsets of the records that are the last of their key.
  bool compacted = false;
  bool keeps_lost = false;  // rows: there is a column __tripos_lost at the end
  std::map<PartitionId, std::unordered_set<std::int64_t>> last_offsets;

  // What came out, once the statement has ended.
  std::atomic<std::int64_t> row_count = 0;
  std::atomic<std::int64_t> rejected_count = 0;
  std::atomic<std::int64_t> tombstone_count = 0;
  std::atomic<std::int64_t> lost_count = 0;
};

[[nodiscard]] const SqlField& lost_column();

// Fills last_offsets.
[[nodiscard]] Result<> find_last_of_keys(Scan& scan);

// The columns that a table of that kind has besides JSON's.
[[nodiscard]] const std::vector<SqlField>& record_columns(protocol::TableKind kind);

// The scans that statements name by number.
class Scans {
 public:
  [[nodiscard]] std::size_t add(std::shared_ptr<Scan> scan);
  [[nodiscard]] std::shared_ptr<Scan> find(std::size_t number) const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::map<std::size_t, std::shared_ptr<Scan>> scans_;
  std::size_t next_ = 0;
};

// `scans` outlives the database.
[[nodiscard]] Result<> register_log_scan(const Connection& connection, Scans& scans);

[[nodiscard]] LogicalType logical_type_of(const SqlType& type);

}  // namespace tripos::worker
