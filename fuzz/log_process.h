// LogProcess: a process that has logs of a simulated disk open. Its end is a kill, unless it was closed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "io/sim/sim_file_system.h"
#include "io/sim/sim_loop.h"
#include "log/partition_log.h"

namespace tripos::fuzz {

inline const std::string data = "data";

inline Buffer make_batch(Bytes value, std::int64_t timestamp_ms, int records) {
  RecordBatchBuilder builder;
  for (int i = 0; i < records; ++i) builder.add(WallTime(std::chrono::milliseconds(timestamp_ms)), std::nullopt, value);
  return builder.finish({});
}

class LogProcess {
 public:
  // Opens the logs of these directories up to the first that can't be.
  LogProcess(io::SimFileSystem& files, const std::vector<std::string>& directories, const log::LogOptions& options,
             const log::CommitOptions& commit = {})
      : commit_(loop_, loop_, files, data, {fatal, warn}, with_clock(commit, loop_)) {
    for (const std::string& directory : directories) {
      auto opened = log::PartitionLog::open(files, commit_, directory, options);
      if (!opened) {
        error_ = std::move(opened.error());
        logs_.clear();
        return;
      }
      logs_.push_back(std::move(opened->log));
    }
  }
  [[nodiscard]] bool is_open() const { return !logs_.empty(); }
  [[nodiscard]] const Error& error() const { return error_; }
  [[nodiscard]] log::PartitionLog& log(std::size_t i = 0) { return *logs_[i]; }
  [[nodiscard]] const log::CommitCounters& counters() const { return commit_.counters(); }
  void sync() { loop_.run_all(); }
  void append(std::size_t i, Bytes batch) {
    if (const auto appended = log(i).append(batch, {}); !appended) {
      CHECK(appended.error().code == ErrorCode::unavailable);
      sync();
      CHECK(log(i).append(batch, {}));
    }
  }
  void close() {
    std::vector<log::PartitionLog*> logs;
    for (const auto& log : logs_) logs.push_back(log.get());
    close_all(commit_, logs, [] {});
    sync();
  }

 private:
  static void fatal(const Error& /*error*/) { CHECK(false); }  // no operation fails here
  static void warn(const Error& /*error*/) {}
  static log::CommitOptions with_clock(log::CommitOptions options, const io::SimLoop& loop) {
    options.clock = &loop;
    return options;
  }

  io::SimLoop loop_{1};
  log::GroupCommit commit_;
  std::vector<std::unique_ptr<log::PartitionLog>> logs_;
  Error error_{};
};

}  // namespace tripos::fuzz
