// TestServer: the server's side of the conversation, over tables that a test makes; its workers run in threads of this process.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "json/infer.h"
#include "model/compression.h"
#include "query/protocol/channel.h"
#include "query/protocol/messages.h"

namespace tripos::worker {

struct TestRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::int64_t timestamp_ms = 1517141451123;
};

// A log of one partition in an unnamed file, its Parquet files, its schema.
struct TestTable {
  std::string topic;
  protocol::Descriptor file;
  std::uint64_t bytes = 0;
  std::vector<std::pair<std::int64_t, std::uint64_t>> batches;  // base offset, position
  std::int64_t end = 0;
  std::int64_t live_begin = 0;
  bool compacted = false;
  json::Inference inference;
  std::vector<protocol::PinnedFile> files;
};

struct TestAnswer {
  std::vector<protocol::Column> columns;
  std::string rows;  // JSON: an array of rows
  std::string parquet;
  std::optional<protocol::Failed> failed;
  std::optional<protocol::Wrote> wrote;
};

class TestServer {
 public:
  explicit TestServer(std::uint64_t row_count_max = 0);
  ~TestServer();

  TestTable& add_table(const std::string& topic);
  void append(TestTable& table, const std::vector<TestRecord>& records, Compression compression = Compression::none,
              std::size_t batch_size = 7);
  // Moves the records below `end` into a Parquet file, as the batch layer does.
  TestAnswer snapshot(TestTable& table, std::int64_t end);
  TestAnswer ask(const std::string& sql, protocol::Output output = protocol::Output::json);
  // As ask(), interrupted after that time.
  TestAnswer ask_and_interrupt(const std::string& sql, std::chrono::milliseconds after);

  std::vector<protocol::View> views;
  std::vector<std::string> asked_for;  // the names of the last NeedTables
  std::string directory;

 private:
  struct Process;
  TestAnswer converse(Process& process, const protocol::ToWorker& order, std::span<const int> descriptors);
  void pin(Process& process, const protocol::NeedTables& need);
  protocol::PinnedRange range(const TestTable& table, std::int64_t begin, std::int64_t end, std::uint32_t descriptor) const;

  std::uint64_t row_count_max_;
  std::map<std::string, TestTable> tables_;
  std::unique_ptr<Process> statements_;
  std::unique_ptr<Process> snapshots_;
  std::uint64_t order_ = 0;
  int file_count_ = 0;
};

}  // namespace tripos::worker
