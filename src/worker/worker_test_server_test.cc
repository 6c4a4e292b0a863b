#include "worker/worker_test_server.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "model/record_batch.h"
#include "worker/duckdb_library.h"
#include "worker/worker_main.h"

namespace tripos::worker {

struct TestServer::Process {
  explicit Process(const std::string& directory, protocol::Role role, const std::string& name) : channel(start(name)) {
    protocol::Configure configure;
    configure.role = role;
    configure.thread_count = 2;
    configure.temporary_directory = directory + "/" + name;
    configure.allowed_paths = {directory + "/allowed"};
    configure.table_directory = directory;
    std::filesystem::create_directories(configure.temporary_directory);
    std::filesystem::create_directories(configure.allowed_paths[0]);
    CHECK(channel.send(encode(protocol::ToWorker(configure))));
    const auto ready = receive();
    const auto* failed = std::get_if<protocol::Failed>(&ready);
    EXPECT_TRUE(std::holds_alternative<protocol::Ready>(ready)) << (failed == nullptr ? "" : failed->message);
  }
  ~Process() {
    channel.shut_down();
    thread.join();
  }
  protocol::Descriptor start(const std::string&) {
    // The library lies beside the programs of the build, not beside the test.
    CHECK(load_duckdb(TRIPOS_TEST_DUCKDB));
    auto pair = protocol::Channel::socket_pair();
    CHECK(pair);
    thread = std::thread([fd = pair->second.release()] { static_cast<void>(worker_main(fd)); });
    return std::move(pair->first);
  }
  protocol::ToServer receive() {
    auto frame = channel.receive(std::chrono::seconds(120));
    if (!frame || !*frame) {
      return protocol::Failed{ErrorCode::unavailable, "the worker has gone"};
    }
    auto message = protocol::decode_to_server((*frame)->body);
    CHECK(message);
    return std::move(*message);
  }
  std::thread thread;
  protocol::Channel channel;
};

TestServer::TestServer(std::uint64_t row_count_max) : row_count_max_(row_count_max) {
  char name[] = "/tmp/tripos_worker_test.XXXXXX";
  directory = mkdtemp(name);
  statements_ = std::make_unique<Process>(directory, protocol::Role::statements, "statements");
}

TestServer::~TestServer() {
  statements_.reset();
  snapshots_.reset();
  std::filesystem::remove_all(directory);
}

TestTable& TestServer::add_table(const std::string& topic) {
  TestTable& table = tables_[topic];
  table.topic = topic;
  table.file = protocol::Descriptor(memfd_create("log", MFD_CLOEXEC));
  return table;
}

void TestServer::append(TestTable& table, const std::vector<TestRecord>& records, Compression compression, std::size_t batch_size) {
  for (std::size_t first = 0; first < records.size(); first += batch_size) {
    RecordBatchBuilder builder;
    for (std::size_t i = first; i < std::min(records.size(), first + batch_size); ++i) {
      const TestRecord& record = records[i];
      builder.add(WallTime(WallClock::duration(record.timestamp_ms)), record.key ? std::optional<Bytes>(*record.key) : std::nullopt,
                  record.value ? std::optional<Bytes>(*record.value) : std::nullopt);
      if (record.value) {
        static_cast<void>(table.inference.add(*record.value));
      }
    }
    const std::int32_t count = builder.record_count();
    RecordBatchFields fields;
    fields.base_offset = Offset(table.end);
    fields.compression = compression;
    const Buffer batch = builder.finish(fields);
    table.batches.emplace_back(table.end, table.bytes);
    CHECK(pwrite(table.file.number(), batch.data(), batch.size(), static_cast<off_t>(table.bytes)) == static_cast<ssize_t>(batch.size()));
    table.bytes += batch.size();
    table.end += count;
  }
}

protocol::PinnedRange TestServer::range(const TestTable& table, std::int64_t begin, std::int64_t end, std::uint32_t descriptor) const {
  protocol::PinnedRange pinned{.partition = PartitionId(0), .begin = Offset(begin), .end = Offset(end), .slices = {}, .aborted = {}};
  protocol::PinnedSlice slice{
      .descriptor = descriptor, .begin = 0, .end = table.bytes, .file = fmt::format("topics/{}/0/0.log", table.topic)};
  for (const auto& [base, position] : table.batches) {
    if (base <= begin) {
      slice.begin = position;
    }
  }
  for (auto batch = table.batches.rbegin(); batch != table.batches.rend() && batch->first >= end; ++batch) {
    slice.end = batch->second;
  }
  if (begin < end) {
    pinned.slices.push_back(slice);
  }
  return pinned;
}

void TestServer::pin(Process& process, const protocol::NeedTables& need) {
  asked_for.clear();
  protocol::Pinned pinned;
  std::vector<int> descriptors;
  for (const protocol::TableName& wanted : need.names) {
    asked_for.push_back(wanted.qualifier.empty() ? wanted.name : wanted.qualifier + "." + wanted.name);
    std::string name = wanted.name;
    std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    protocol::PinnedTable table;
    table.name = wanted.name;
    for (const auto& [suffix, kind] :
         {std::pair{"_messages", protocol::TableKind::messages}, std::pair{"_rejected", protocol::TableKind::rejected}}) {
      if (name.ends_with(suffix)) {
        table.kind = kind;
        name.resize(name.size() - std::string_view(suffix).size());
      }
    }
    const auto found = tables_.find(name);
    if (found == tables_.end()) {
      CHECK(process.channel.send(encode(protocol::ToWorker(protocol::Refused{ErrorCode::not_found, "there is no table " + wanted.name}))));
      return;
    }
    const TestTable& of = found->second;
    table.topic = of.topic;
    table.schema = of.inference.type().text();
    table.compacted = of.compacted;
    const bool rows = table.kind == protocol::TableKind::rows;
    if (rows) {
      table.files = of.files;
    }
    table.ranges.push_back(range(of, rows ? of.live_begin : 0, of.end, static_cast<std::uint32_t>(descriptors.size())));
    descriptors.push_back(of.file.number());
    pinned.tables.push_back(std::move(table));
  }
  if (need.list_names) {
    for (const auto& [name, table] : tables_) {
      pinned.table_names.push_back(name);
    }
  }
  CHECK(process.channel.send(encode(protocol::ToWorker(pinned)), descriptors));
}

TestAnswer TestServer::converse(Process& process, const protocol::ToWorker& order, std::span<const int> descriptors) {
  CHECK(process.channel.send(encode(order), descriptors));
  TestAnswer answer;
  answer.rows = "[";
  while (true) {
    protocol::ToServer message = process.receive();
    if (const auto* need = std::get_if<protocol::NeedTables>(&message)) {
      pin(process, *need);
    } else if (const auto* change = std::get_if<protocol::ViewChange>(&message)) {
      std::erase_if(views, [&](const protocol::View& view) { return view.name == change->name; });
      if (change->kind < protocol::ViewChangeKind::drop) {
        views.push_back({change->name, change->text});
      }
      CHECK(process.channel.send(encode(protocol::ToWorker(protocol::ViewChanged{}))));
    } else if (auto* columns = std::get_if<protocol::Columns>(&message)) {
      answer.columns = std::move(columns->columns);
    } else if (auto* rows = std::get_if<protocol::Rows>(&message)) {
      answer.rows += rows->text;
    } else if (auto* chunk = std::get_if<protocol::ParquetChunk>(&message)) {
      answer.parquet += chunk->bytes;
    } else if (auto* wrote = std::get_if<protocol::Wrote>(&message)) {
      answer.wrote = *wrote;
    } else {
      if (auto* failed = std::get_if<protocol::Failed>(&message)) {
        answer.failed = std::move(*failed);
      }
      answer.rows += ']';
      return answer;
    }
  }
}

TestAnswer TestServer::ask(const std::string& sql, protocol::Output output) {
  protocol::Statement statement;
  statement.order = ++order_;
  statement.text = sql;
  statement.views = views;
  statement.output = output;
  statement.row_count_max = row_count_max_;
  return converse(*statements_, statement, {});
}

TestAnswer TestServer::ask_and_interrupt(const std::string& sql, std::chrono::milliseconds after) {
  std::thread interrupter([this, after, order = order_ + 1] {
    std::this_thread::sleep_for(after);
    CHECK(statements_->channel.send(encode(protocol::ToWorker(protocol::Interrupt{order}))));
  });
  TestAnswer answer = ask(sql);
  interrupter.join();
  return answer;
}

TestAnswer TestServer::snapshot(TestTable& table, std::int64_t end) {
  if (!snapshots_) {
    snapshots_ = std::make_unique<Process>(directory, protocol::Role::snapshots, "snapshots");
  }
  protocol::WriteRange order;
  order.order = ++order_;
  order.topic = table.topic;
  order.schema = table.inference.type().text();
  order.range = range(table, table.live_begin, end, 0);
  order.path = directory + "/" + table.topic + std::to_string(file_count_++) + ".parquet";
  order.footer = {{"tripos.topic", table.topic}, {"tripos.end", std::to_string(end)}};
  const int descriptor = table.file.number();
  TestAnswer answer = converse(*snapshots_, order, {&descriptor, 1});
  if (answer.wrote) {
    protocol::PinnedFile file;
    file.path = order.path;
    file.begin = Offset(table.live_begin);
    file.end = Offset(end);
    file.lost_count = answer.wrote->lost_count;
    file.schema = order.schema;
    table.files.push_back(std::move(file));
    table.live_begin = end;
  }
  return answer;
}

}  // namespace tripos::worker
