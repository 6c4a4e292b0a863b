// LogFixture: a vocabulary for tests of a log on the simulated disk: append, sync, reopen, kill, cut the power.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/sim/sim_file_system.h"
#include "io/sim/sim_loop.h"
#include "log/batch_scanner.h"
#include "log/partition_log.h"
#include "log/paths.h"

namespace tripos::log {

inline const std::string test_data = "data";
inline const std::string test_directory = "data/topics/t/0";

// As DataDirectory::acquire leaves it.
inline void make_data_directory(io::SimFileSystem& files) {
  EXPECT_TRUE(files.make_directories(test_data));
  EXPECT_TRUE(files.sync_directory("."));
}

// One batch: a record for each value, at these times (or all at 1000).
inline Buffer make_batch(const std::vector<std::string>& values, const std::vector<std::int64_t>& times = {}) {
  RecordBatchBuilder builder;
  for (std::size_t i = 0; i < values.size(); ++i) {
    builder.add(WallTime(std::chrono::milliseconds(times.empty() ? 1000 : times[i])), std::nullopt, Bytes(values[i]));
  }
  return builder.finish({});
}

// offset -> value of all records of some slices.
inline Result<std::map<Offset, std::string>> read_records(const std::vector<LogSlice>& slices) {
  std::map<Offset, std::string> records;
  for (const LogSlice& slice : slices) {
    Buffer bytes;
    TRIPOS_TRY(slice.file->read(slice.begin, slice.end - slice.begin, bytes));
    BatchScanner scanner(bytes, CheckCrc::yes);
    RecordReader reader(1u << 20);
    while (true) {
      TRIPOS_ASSIGN(const auto batch, scanner.next());
      if (!batch) break;
      TRIPOS_TRY(reader.start(*batch));
      while (true) {
        TRIPOS_ASSIGN(const Record* const record, reader.next());
        if (record == nullptr) break;
        if (!records.emplace(record->offset, record->value.value_or("")).second) {
          return fail(ErrorCode::corrupt, "offset {} comes twice", record->offset);
        }
      }
    }
  }
  return records;
}

class LogFixture : public testing::Test {
 protected:
  LogFixture() {
    make_data_directory(*files_);
    start();
  }

  void start() {
    loop_ = std::make_unique<io::SimLoop>(1);
    commit_options_.clock = loop_.get();
    commit_ = std::make_unique<GroupCommit>(
        *loop_, *loop_, *files_, test_data,
        CommitHooks{[this](const Error& error) { fatal_ = error.message; }, [this](const Error& error) { warning_ = error.message; }},
        commit_options_);
  }

  [[nodiscard]] Result<> open() {
    auto opened = PartitionLog::open(*files_, *commit_, test_directory, options_);
    if (!opened) return tl::unexpected(opened.error());
    log_ = std::move(opened->log);
    report_ = opened->report;
    return {};
  }
  PartitionLog& log() {
    if (log_ == nullptr) {
      const auto opened = open();
      EXPECT_TRUE(opened) << opened.error().message;
    }
    return *log_;
  }

  Offset append(const std::vector<std::string>& values, const std::vector<std::int64_t>& times = {}) {
    auto appended = log().append(make_batch(values, times), {});
    if (!appended && appended.error().code == ErrorCode::unavailable) {
      sync();
      appended = log().append(make_batch(values, times), {});
    }
    EXPECT_TRUE(appended) << appended.error().message;
    return appended ? appended->base_offset : Offset(-1);
  }
  void sync() { loop_->run_all(); }

  // The process ends without a word; the page cache stays.
  void kill() {
    log_.reset();
    commit_.reset();
    start();
  }
  void close() {
    bool closed = false;
    close_all(*commit_, {&log()}, [&] { closed = true; });
    sync();
    EXPECT_TRUE(closed);
    kill();
  }
  void cut_power(io::Survival survival, std::uint64_t seed = 1) {
    auto left = files_->after_power_cut(survival, seed);
    log_.reset();
    commit_.reset();
    files_ = std::move(left);
    start();
  }

  std::vector<std::string> values(Offset from = Offset(0)) {
    const auto read = log().read(from, log().durable_end(), UINT64_MAX);
    EXPECT_TRUE(read) << read.error().message;
    const auto records = read_records(read->slices);
    EXPECT_TRUE(records) << records.error().message;
    std::vector<std::string> values;
    for (const auto& [offset, value] : *records) {
      if (offset >= from) values.push_back(value);
    }
    return values;
  }

  std::string file(Offset base = Offset(0)) const { return segment_path(test_directory, base); }
  std::uint64_t size_of(const std::string& path) { return io::read_file(*files_, path, 1u << 30)->size(); }
  std::vector<std::string> file_names() {
    std::vector<std::string> names;
    const auto entries = files_->list(test_directory);
    for (const auto& entry : *entries) names.push_back(entry.name);
    return names;
  }

  std::unique_ptr<io::SimFileSystem> files_ = std::make_unique<io::SimFileSystem>();
  std::unique_ptr<io::SimLoop> loop_;
  CommitOptions commit_options_;
  std::unique_ptr<GroupCommit> commit_;
  LogOptions options_;
  std::unique_ptr<PartitionLog> log_;
  RecoveryReport report_;
  std::string fatal_;
  std::string warning_;
};

using Values = std::vector<std::string>;

}  // namespace tripos::log
