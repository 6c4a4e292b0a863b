// MetadataLog: what the broker must remember, in a PartitionLog of its own (DATA/meta).
// Records are read once, at open; from then on it is only appended to. Nothing is told to anybody before its record is durable.
// Threads: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "broker/environment.h"
#include "broker/metadata_record.h"
#include "log/partition_log.h"

namespace tripos::broker {

class MetadataLog {
 public:
  using Visit = std::function<Result<>(MetadataRecord)>;
  // Recovers the log and shows its records in order. Blocks.
  [[nodiscard]] static Result<std::unique_ptr<MetadataLog>> open(const Environment& environment, log::GroupCommit& commit,
                                                                 const std::string& data, const Visit& visit);

  // `done` runs once the record is durable, or with the error that kept it from being written, during the call at the earliest.
  void append(const MetadataRecord& record, std::function<void(Result<>)> done);

  [[nodiscard]] log::PartitionLog& log() noexcept { return *log_; }

 private:
  MetadataLog(const Environment& environment, std::unique_ptr<log::PartitionLog> log) : environment_(environment), log_(std::move(log)) {}

  const Environment& environment_;
  std::unique_ptr<log::PartitionLog> log_;
};

}  // namespace tripos::broker
