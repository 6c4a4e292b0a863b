// TrimPreparation: what is made of records before they leave a log (broker's TrimGuard): a table's files where retention trims, its schema
// where compaction does, the counts of loads whoever trims.
// Threads: made, asked and destroyed on the loop; it works on the runners' threads, and answers on the loop.
#pragma once

#include <functional>

#include "broker/broker.h"
#include "io/executor.h"
#include "lambda/snapshotter.h"
#include "load/load_service.h"
#include "query/runner_threads.h"

namespace tripos::app {

class TrimPreparation {
 public:
  TrimPreparation(RecordSource& source, lambda::Snapshotter& snapshots, load::LoadService& loads, query::RunnerThreads& runners,
                  io::Executor& loop)
      : source_(source), snapshots_(snapshots), loads_(loads), runners_(runners), loop_(loop) {}

  void prepare(const broker::LeavingRecords& leaving, std::function<void(const Result<Offset>&)> allowed);

 private:
  // Blocks.
  [[nodiscard]] Result<Offset> prepare_now(const broker::LeavingRecords& leaving);

  RecordSource& source_;
  lambda::Snapshotter& snapshots_;
  load::LoadService& loads_;
  query::RunnerThreads& runners_;
  io::Executor& loop_;
};

}  // namespace tripos::app
