// ColumnFiles: writes the rows of log ranges as column files (rules, 6).
// In production workers write Parquet with DuckDB (query/worker_column_files.h); simulations write a plain format through io/sim
// (plain_column_files.h), so that a crash point costs microseconds.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "json/type.h"
#include "model/ports.h"

namespace tripos::lambda {

struct ColumnFileOrder {
  TopicDescription topic;
  json::Type schema;  // covers the range; fields of null-so-far are left out
  PartitionRange range;
  std::string path;  // exists not, or is left from an order that failed
  std::vector<std::pair<std::string, std::string>> footer;
};

struct WrittenColumnFile {
  std::int64_t row_count = 0;
  std::int64_t rejected_count = 0;
  std::int64_t tombstone_count = 0;
  std::int64_t lost_count = 0;  // rows of which the columns don't tell the kind of every value (json/shred.h); the file keeps those, too
};

// Threads: any; calls may overlap.
class ColumnFiles {
 public:
  virtual ~ColumnFiles() = default;

  // Writes one file for each order, perhaps several at a time: rows only, in offset order. Nothing is durable yet.
  // The first error ends it; files that were begun may be left.
  [[nodiscard]] virtual Result<std::vector<WrittenColumnFile>> write(std::span<const ColumnFileOrder> orders) = 0;

  // How many orders are worked on at a time.
  [[nodiscard]] virtual std::size_t parallel() const noexcept = 0;
};

}  // namespace tripos::lambda
