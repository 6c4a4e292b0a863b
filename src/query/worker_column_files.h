// WorkerColumnFiles: ColumnFiles as Parquet, written by worker processes for snapshots, as many at a time as the pool has.
// Threads: any; those that wait for a worker each are started by write().
#pragma once

#include <chrono>

#include "lambda/column_files.h"
#include "query/worker_pool.h"

namespace tripos::query {

class WorkerColumnFiles final : public lambda::ColumnFiles {
 public:
  // `time_limit`: of one file. A worker that takes longer is ended, its file removed by the next run.
  WorkerColumnFiles(WorkerPool& workers, std::size_t parallel, std::chrono::milliseconds time_limit)
      : workers_(workers), parallel_(parallel), time_limit_(time_limit) {}

  [[nodiscard]] Result<std::vector<lambda::WrittenColumnFile>> write(std::span<const lambda::ColumnFileOrder> orders) override;
  [[nodiscard]] std::size_t parallel() const noexcept override { return parallel_; }

  // Ends what is being written, and refuses more: the server stops.
  void stop() noexcept { stopped_.cancel(); }

 private:
  [[nodiscard]] Result<lambda::WrittenColumnFile> write_one(const lambda::ColumnFileOrder& order, const Cancellation& cancellation);

  WorkerPool& workers_;
  std::size_t parallel_;
  std::chrono::milliseconds time_limit_;
  Cancellation stopped_;
};

}  // namespace tripos::query
