// RecordScan: the records of a pinned range, one by one, in offset order; control records, what was aborted and what lies outside of it
// left out.
// Memory: one window of the log, at least as large as its largest batch. Threads: one.
#pragma once

#include <functional>

#include "model/ports.h"
#include "model/record_batch.h"

namespace tripos::lambda {

class RecordScan {
 public:
  RecordScan();

  using Take = std::function<void(const Record&)>;
  [[nodiscard]] Result<> scan(const PartitionRange& range, const Take& take);

  // The batches only: their headers, with the position of each in its slice's file. Reads no records.
  struct BatchPlace {
    std::size_t slice = 0;
    std::uint64_t position = 0;
    Offset base_offset;
  };
  [[nodiscard]] static Result<> scan_headers(const PartitionRange& range, const std::function<void(const BatchPlace&)>& take);

 private:
  [[nodiscard]] Result<> scan_slice(const PartitionRange& range, const LogSlice& slice, const Take& take);
  [[nodiscard]] Result<> take_batch(const PartitionRange& range, const RecordBatchView& batch, const Take& take);

  RecordReader reader_;
  AbortedBatches aborted_;  // of the range that is scanned
  Buffer window_;
};

}  // namespace tripos::lambda
