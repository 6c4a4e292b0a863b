// Writes a log on the real disk, through the real loop and threads.
//   log_writer DIRECTORY                 writes until SIGTERM, rolling often; then stops cleanly (dump_log.sh reads meanwhile)
//   log_writer --latency DIRECTORY       append to acknowledgement, one at a time, beside a bare write and fdatasync
//   log_writer --crossover DIRECTORY     N files by fdatasync in four threads, and by syncfs
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "io/asio/loop.h"
#include "io/real/background_threads.h"
#include "io/real/posix_file_system.h"
#include "log/partition_log.h"
#include "model/record_batch.h"

namespace tripos::log {
namespace {

using Microseconds = std::chrono::duration<double, std::micro>;

Microseconds now() { return std::chrono::steady_clock::now().time_since_epoch(); }

Buffer make_batch(int records, std::size_t value_bytes) {
  static std::int64_t time_ms = 1'517'141'411'000;
  RecordBatchBuilder builder;
  const std::string value(value_bytes, 'v');
  for (int i = 0; i < records; ++i) builder.add(WallTime(std::chrono::milliseconds(++time_ms)), std::nullopt, Bytes(value));
  return builder.finish({});
}

std::string percentiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) { return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))]; };
  return fmt::format("p50 {:.0f} us, p99 {:.0f} us", at(0.5), at(0.99));
}

class Writer {
 public:
  explicit Writer(std::string directory)
      : directory_(std::move(directory)),
        commit_(loop_, background_, files_, io::parent_of(directory_), {[](const Error& error) { fatal(error); }, nullptr}) {}

  PartitionLog& open(const std::string& name, LogOptions options) {
    auto opened = PartitionLog::open(files_, commit_, directory_ + name, options);
    if (!opened) fatal(opened.error());
    logs_.push_back(std::move(opened->log));
    return *logs_.back();
  }

  // Keeps a few appends under way until a signal comes.
  void write_until_stopped() {
    LogOptions options;
    options.segment_bytes = 8u << 20;
    PartitionLog& log = open("", options);
    bool stopping = false;
    std::function<void()> next = [&] {
      if (stopping) return;
      const auto appended = log.append(make_batch(10, 300), {});
      if (!appended) fatal(appended.error());
      log.when_durable(appended->end, [&](DurableEnd) { static_cast<void>(loop_.post_after(std::chrono::milliseconds(1), next)); });
    };
    for (int i = 0; i < 4; ++i) loop_.post(next);
    loop_.on_stop_signal([&](int) {
      stopping = true;
      close_all(commit_, {&log}, [&] { loop_.stop(); });
    });
    loop_.run();
  }

  void measure_latency() {
    constexpr int rounds = 2000;
    const Buffer batch = make_batch(10, 100);
    std::vector<double> bare;
    {
      auto file = files_.open(directory_ + "-bare", io::OpenMode::replace);
      CHECK(file);
      for (std::uint64_t i = 0; i < rounds; ++i) {
        const auto begin = now();
        CHECK((*file)->write_at(i * batch.size(), std::array{Bytes(batch)}) && (*file)->sync_data());
        bare.push_back((now() - begin).count());
      }
      CHECK(files_.remove(directory_ + "-bare"));
    }
    PartitionLog& log = open("", {});
    std::vector<double> durable;
    std::function<void()> next = [&] {
      const auto begin = now();
      const auto appended = log.append(batch, {});
      CHECK(appended);
      log.when_durable(appended->end, [&, begin](DurableEnd) {
        durable.push_back((now() - begin).count());
        durable.size() < rounds ? loop_.post(next) : loop_.stop();
      });
    };
    loop_.post(next);
    loop_.run();
    fmt::print("write and fdatasync       {}\nappend to acknowledgement {}\n", percentiles(bare), percentiles(durable));
  }

  void measure_crossover() {
    for (const std::size_t count : {1, 2, 4, 8, 12, 16, 24, 32, 64, 128, 256}) {
      std::vector<std::shared_ptr<io::File>> files;
      for (std::size_t i = 0; i < count; ++i) files.push_back(*files_.open(fmt::format("{}-{}", directory_, i), io::OpenMode::replace));
      const Buffer batch = make_batch(10, 100);
      std::vector<double> each;
      std::vector<double> all;
      std::uint64_t position = 0;
      for (int round = 0; round < 30; ++round) {
        const auto write = [&] {
          for (const auto& file : files) CHECK(file->write_at(position, std::array{Bytes(batch)}));
          position += batch.size();
        };
        write();
        auto begin = now();
        std::vector<std::thread> threads;
        for (std::size_t lane = 0; lane < std::min<std::size_t>(4, count); ++lane) {
          threads.emplace_back([&, lane] {
            for (std::size_t i = lane; i < count; i += 4) CHECK(files[i]->sync_data());
          });
        }
        for (auto& thread : threads) thread.join();
        each.push_back((now() - begin).count());
        write();
        begin = now();
        CHECK(files_.sync_all(io::parent_of(directory_)));
        all.push_back((now() - begin).count());
      }
      for (const auto& file : files) CHECK(files_.remove(file->path()));
      fmt::print("{:4} files: fdatasync {}   syncfs {}\n", count, percentiles(each), percentiles(all));
    }
  }

 private:
  [[noreturn]] static void fatal(const Error& error) {
    fmt::print(stderr, "log_writer: {}\n", error.message);
    std::_Exit(1);
  }

  io::PosixFileSystem files_;
  io::AsioLoop loop_;
  io::BackgroundThreads background_{loop_, 4, "syncer"};
  std::string directory_;
  GroupCommit commit_;
  std::vector<std::unique_ptr<PartitionLog>> logs_;
};

}  // namespace
}  // namespace tripos::log

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.empty() || words.size() > 2) {
    std::fputs("usage: log_writer [--latency | --crossover] DIRECTORY\n", stderr);
    return 2;
  }
  tripos::log::Writer writer(words.back());
  if (words.front() == "--latency") {
    writer.measure_latency();
  } else if (words.front() == "--crossover") {
    writer.measure_crossover();
  } else {
    writer.write_until_stopped();
  }
  return 0;
}
