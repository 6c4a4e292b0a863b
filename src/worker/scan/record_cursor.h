// RecordCursor: the records of a piece of the log, one after the other, control batches and what lies outside of the pin left out.
// The bytes of records stay where they are until the next begin_chunk(), also those of compressed batches.
// Threads: one at a time.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "log/batch_scanner.h"
#include "model/record_batch.h"
#include "worker/scan/live_log.h"

namespace tripos::worker {

class RecordCursor {
 public:
  RecordCursor() { readers_.push_back(make_reader()); }

  void start(const LogPiece& piece);
  // What was given before may go.
  void begin_chunk();
  // The next record; nullptr: the piece is done.
  [[nodiscard]] Result<const Record*> next();

  [[nodiscard]] PartitionId partition() const noexcept { return piece_.partition; }
  [[nodiscard]] TimestampType timestamp_type() const noexcept { return timestamp_type_; }

 private:
  [[nodiscard]] static std::unique_ptr<RecordReader> make_reader();

  LogPiece piece_{};
  std::optional<log::BatchScanner> scanner_;
  std::vector<std::unique_ptr<RecordReader>> readers_;  // the last one in use holds the current batch
  std::size_t in_use_ = 1;
  bool in_batch_ = false;
  bool compressed_ = false;
  TimestampType timestamp_type_ = TimestampType::create_time;
};

}  // namespace tripos::worker
