// tripos produce
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "app/cli/command.h"
#include "app/cli/interrupt.h"
#include "app/cli/record_format.h"
#include "app/cli/terminal.h"
#include "client/producer.h"
#include "client/topics.h"

namespace tripos::app {
namespace {

bool input_waits() {
  pollfd waiting{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 0) > 0;
}

struct Produce {
  static constexpr CommandInfo info = {"produce", "Send messages: one per line of standard input or of files",
                                       "  echo '{\"a\": 1}' | tripos produce exams\n"
                                       "  tripos produce exams --key-delimiter : lines.txt     key:value\n"
                                       "  tripos produce exams --header source=import --compression zstd < lines.txt"};

  std::string topic;
  std::vector<std::string> files;
  std::string delimiter = "\\n";
  std::string key_delimiter;
  std::string key;
  std::vector<std::string> headers;  // NAME=VALUE
  std::optional<std::int32_t> partition;
  std::string compression = "none";
  std::string acks = "all";
  bool empty_is_null = false;

  void flags(Flags& flags) {
    flags.option("topic", topic, "The topic; made if the broker allows it", "TOPIC").required();
    flags.option("files", files, "Files; - is standard input, the default", "FILE…|-");
    flags.option("-D,--delimiter", delimiter, "What ends a message; one character, \\n if not given", "CHAR");
    flags.option("-K,--key-delimiter", key_delimiter, "What separates a message's key from its value", "TEXT");
    flags.option("-k,--key", key, "The key of every message", "KEY");
    flags.option("-H,--header", headers, "A header of every message", "NAME=VALUE");
    flags.option("--partition", partition, "All into this partition; else by the key as Kafka's clients do, or in turns", "N");
    flags.option("--compression", compression, "none, gzip, snappy, lz4 or zstd", "CODEC");
    flags.choice("--acks", acks, "all, 1 or 0", {"all", "-1", "1", "0"});
    flags.flag("-Z,--empty-is-null", empty_is_null, "An empty value (or key) is sent as null: a tombstone");
  }

  Result<> send_lines(std::istream& input, client::Producer& producer, char end, const std::vector<RecordHeader>& record_headers) {
    std::string line;
    while (!interrupted() && std::getline(input, line, end)) {
      const auto present = [&](Bytes bytes) {
        return empty_is_null && bytes.empty() ? std::optional<Bytes>() : std::optional<Bytes>(bytes);
      };
      client::ProducedRecord record;
      record.partition = partition;
      record.timestamp = WallTime(std::chrono::duration_cast<WallClock::duration>(std::chrono::system_clock::now().time_since_epoch()));
      record.headers = record_headers;
      record.value = present(line);
      if (!key.empty()) record.key = key;
      if (!key_delimiter.empty()) {
        const std::size_t at = line.find(key_delimiter);
        if (at != std::string::npos) {
          record.key = present(Bytes(line).substr(0, at));
          record.value = present(Bytes(line).substr(at + key_delimiter.size()));
        }
      }
      TRIPOS_TRY(producer.add(record));
      // Somebody types, or a pipe trickles: what is there goes out.
      if (&input == &std::cin && input.rdbuf()->in_avail() == 0 && !input_waits()) TRIPOS_TRY(producer.flush());
    }
    return {};
  }

  Result<> run(Session& session) {
    client::ProducerOptions options;
    options.acks = acks == "0" ? std::int16_t{0} : acks == "1" ? std::int16_t{1} : std::int16_t{-1};
    TRIPOS_ASSIGN(options.compression, compression_from_name(compression));
    TRIPOS_ASSIGN(const std::string end, unescaped(delimiter));
    if (end.size() != 1) return fail(ErrorCode::invalid_argument, "--delimiter takes one character, not '{}'", delimiter);
    TRIPOS_ASSIGN(key_delimiter, unescaped(key_delimiter));
    std::vector<RecordHeader> record_headers;
    for (const std::string& header : headers) {
      const std::size_t equals = header.find('=');
      if (equals == std::string::npos) return fail(ErrorCode::invalid_argument, "--header takes NAME=VALUE, not '{}'", header);
      record_headers.push_back({Bytes(header).substr(0, equals), Bytes(header).substr(equals + 1)});
    }
    TRIPOS_ASSIGN(Target * target, session.target());
    TRIPOS_ASSIGN(client::KafkaConnection connection, target->connect_kafka());
    TRIPOS_ASSIGN(const client::TopicMetadata metadata, client::describe_topic(connection, topic, true));
    std::uint64_t acknowledged = 0;
    client::Producer producer(connection, topic, static_cast<std::int32_t>(metadata.partitions.size()), options,
                              [&](std::uint64_t record_count, std::uint64_t) { acknowledged += record_count; });
    if (files.empty()) files.emplace_back("-");
    std::ios::sync_with_stdio(false);
    for (const std::string& file : files) {
      if (file == "-") {
        TRIPOS_TRY(send_lines(std::cin, producer, end.front(), record_headers));
        continue;
      }
      std::ifstream input(file, std::ios::binary);
      if (!input) return fail(ErrorCode::not_found, "{} can't be read", file);
      TRIPOS_TRY(send_lines(input, producer, end.front(), record_headers));
    }
    TRIPOS_TRY(producer.flush());
    fmt::print(stderr, "Produced {} messages to {}.\n", grouped(acknowledged), topic);
    return {};
  }
};

}  // namespace

void add_produce(const Commands& root) { root.add<Produce>(); }

}  // namespace tripos::app
