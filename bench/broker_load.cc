// A load generator that costs next to nothing itself, for bench/broker: it builds one batch and sends it again and again, and counts what
// is acknowledged or fetched without reading records. It speaks to any broker. Usage:
//
//   broker_load produce ADDRESS TOPIC PARTITIONS RECORDS RECORD_BYTES BATCH_RECORDS IN_FLIGHT
//   broker_load consume ADDRESS TOPIC PARTITIONS RECORDS
//   broker_load latency ADDRESS TOPIC RATE SECONDS     one record a batch at a steady rate; times from send to acknowledgement and to fetch
//   broker_load idle    ADDRESS CONNECTIONS SECONDS    connections that have said ApiVersions and then nothing
//   broker_load topics  ADDRESS PREFIX TOPICS PARTITIONS
//   broker_load spread  ADDRESS PREFIX TOPICS RECORDS  one batch of RECORDS records of 100 bytes to each topic, three times
//
// Prints one line of `name value` pairs; ends with 1 and a message where the broker refuses anything.

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "client/kafka_connection.h"
#include "client/topics.h"
#include "model/record_batch.h"
#include "wire/fetch.h"
#include "wire/produce.h"

namespace tripos {
namespace {

using BenchClock = std::chrono::steady_clock;

constexpr std::int16_t names_version_max = 12;  // from 13 on topics are named by id
constexpr std::int32_t fetch_bytes_max = 50 << 20;
constexpr std::int32_t partition_bytes_max = 1 << 20;  // as Kafka's consumers ask

double seconds_since(BenchClock::time_point start) { return std::chrono::duration<double>(BenchClock::now() - start).count(); }

Result<client::KafkaConnection> connect(const std::string& text) {
  TRIPOS_ASSIGN(const auto address, client::Address::parse(text));
  return client::KafkaConnection::connect(address, {});
}

Buffer batch_of(std::int32_t records, std::size_t record_bytes) {
  RecordBatchBuilder builder;
  std::string value(record_bytes, 'x');
  // Letters that compress as badly as text does, so that no broker gains by a trick.
  for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<char>('a' + (i * 7919 + i * i) % 26);
  const WallTime now(std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()));
  for (std::int32_t i = 0; i < records; ++i) builder.add(now, std::nullopt, value);
  return builder.finish({});
}

Result<> send_batch(client::KafkaConnection& connection, const std::string& topic, std::int32_t partition, Bytes batch) {
  wire::ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 60'000;
  auto& data = request.topic_data.emplace_back();
  data.name = topic;
  auto& to = data.partition_data.emplace_back();
  to.index = partition;
  to.records = batch;
  return connection.send(request, names_version_max);
}

Result<> take_acknowledgement(client::KafkaConnection& connection) {
  TRIPOS_ASSIGN(const auto response, connection.receive<wire::ProduceResponse>());
  for (const auto& topic : response.responses) {
    for (const auto& partition : topic.partition_responses) {
      if (partition.error_code != wire::ErrorCode::none) return tl::unexpected(client::kafka_error(partition.error_code, topic.name));
    }
  }
  return {};
}

// What one Fetch brings: for each batch its first offset after it and its bytes are told to `sink`.
template <typename Sink>
Result<> fetch(client::KafkaConnection& connection, const std::string& topic, std::vector<std::int64_t>& positions, const Sink& sink) {
  wire::FetchRequest request;
  request.max_wait_ms = 500;
  request.min_bytes = 1;
  request.max_bytes = fetch_bytes_max;
  auto& wanted = request.topics.emplace_back();
  wanted.topic = topic;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    auto& partition = wanted.partitions.emplace_back();
    partition.partition = static_cast<std::int32_t>(i);
    partition.fetch_offset = positions[i];
    partition.partition_max_bytes = partition_bytes_max;
  }
  TRIPOS_ASSIGN(const auto response, connection.call<wire::FetchResponse>(request, names_version_max));
  if (response.error_code != wire::ErrorCode::none) return tl::unexpected(client::kafka_error(response.error_code, topic));
  for (const auto& answered_topic : response.responses) {
    for (const auto& answered : answered_topic.partitions) {
      if (answered.error_code != wire::ErrorCode::none) return tl::unexpected(client::kafka_error(answered.error_code, topic));
      std::int64_t& position = positions.at(static_cast<std::size_t>(answered.partition_index));
      Bytes bytes = answered.records.decoded_bytes();
      while (true) {
        const auto batch = RecordBatchView::parse(bytes);
        if (!batch) break;  // cut where the limit of bytes is
        position = batch->next_offset().value();
        sink(*batch);
        bytes.remove_prefix(batch->bytes().size());
      }
    }
  }
  return {};
}

struct Times {
  std::vector<double> ms;

  std::string text(std::string_view name) {
    if (ms.empty()) return fmt::format("{}_count 0", name);
    std::ranges::sort(ms);
    const auto at = [&](double share) {
      return ms[std::min(ms.size() - 1, static_cast<std::size_t>(share * static_cast<double>(ms.size())))];
    };
    return fmt::format("{0}_p50 {1:.3f} {0}_p99 {2:.3f} {0}_p999 {3:.3f} {0}_count {4}", name, at(0.5), at(0.99), at(0.999), ms.size());
  }
};

std::int64_t number(const std::string& text) {
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) throw std::invalid_argument(text + " is no number");
  return value;
}

Result<std::string> produce(const std::vector<std::string>& words) {
  const auto partitions = static_cast<std::int32_t>(number(words.at(2)));
  const std::int64_t records = number(words.at(3));
  const auto batch_records = static_cast<std::int32_t>(number(words.at(5)));
  const auto in_flight = static_cast<std::size_t>(number(words.at(6)));
  const Buffer batch = batch_of(batch_records, static_cast<std::size_t>(number(words.at(4))));
  TRIPOS_ASSIGN(auto connection, connect(words.at(0)));
  const auto start = BenchClock::now();
  std::int64_t sent = 0;
  for (std::int32_t turn = 0; sent < records; ++turn, sent += batch_records) {
    if (connection.unanswered_count() >= in_flight) TRIPOS_TRY(take_acknowledgement(connection));
    TRIPOS_TRY(send_batch(connection, words.at(1), turn % partitions, batch));
  }
  while (connection.unanswered_count() > 0) TRIPOS_TRY(take_acknowledgement(connection));
  return fmt::format("records {} seconds {:.4f} batch_bytes {}", sent, seconds_since(start), batch.size());
}

Result<std::string> consume(const std::vector<std::string>& words) {
  std::vector<std::int64_t> positions(static_cast<std::size_t>(number(words.at(2))));
  const std::int64_t records = number(words.at(3));
  TRIPOS_ASSIGN(auto connection, connect(words.at(0)));
  std::int64_t found = 0;
  std::int64_t bytes = 0;
  const auto start = BenchClock::now();
  while (found < records) {
    const std::int64_t before = found;
    TRIPOS_TRY(fetch(connection, words.at(1), positions, [&](const RecordBatchView& batch) {
      found += batch.record_count();
      bytes += static_cast<std::int64_t>(batch.bytes().size());
    }));
    if (found == before) return fail(ErrorCode::out_of_range, "{} has {} records, not {}", words.at(1), found, records);
  }
  return fmt::format("records {} seconds {:.4f} bytes {}", found, seconds_since(start), bytes);
}

Result<std::string> latency(const std::vector<std::string>& words) {
  if (::prctl(PR_SET_TIMERSLACK, 1) != 0) return fail(ErrorCode::unsupported, "waits can't be made exact here");
  const std::int64_t rate = number(words.at(2));
  const std::int64_t count = rate * number(words.at(3));
  std::vector<BenchClock::time_point> due(static_cast<std::size_t>(count));
  TRIPOS_ASSIGN(auto producer, connect(words.at(0)));
  TRIPOS_ASSIGN(auto consumer, connect(words.at(0)));
  const Buffer batch = batch_of(1, 100);
  Times acknowledged;
  Times fetched;
  std::atomic<bool> failed = false;
  std::string reason;
  const auto start = BenchClock::now() + std::chrono::milliseconds(200);
  // Times count from when a record was due, so that a broker that holds the sender up is charged for it.
  for (std::size_t i = 0; i < due.size(); ++i)
    due[i] = start + std::chrono::nanoseconds(static_cast<std::int64_t>(i) * 1'000'000'000 / rate);
  const auto elapsed_ms = [&](std::size_t i) { return std::chrono::duration<double, std::milli>(BenchClock::now() - due[i]).count(); };
  std::thread reader([&] {
    std::vector<std::int64_t> positions(1);
    while (fetched.ms.size() < due.size() && !failed) {
      const auto done = fetch(consumer, words.at(1), positions, [&](const RecordBatchView& view) {
        const auto first = static_cast<std::size_t>(view.base_offset().value());
        for (std::size_t i = first; i < std::min(due.size(), first + static_cast<std::size_t>(view.record_count())); ++i)
          fetched.ms.push_back(elapsed_ms(i));
      });
      if (!done) {
        reason = done.error().message;
        failed = true;
      }
    }
  });
  const auto send_all = [&]() -> Result<> {
    std::size_t answered = 0;
    for (std::size_t i = 0; answered < due.size() && !failed;) {
      const auto now = BenchClock::now();
      const bool may_send = i < due.size() && i - answered < 256;
      if (may_send && now >= due[i]) {
        TRIPOS_TRY(send_batch(producer, words.at(1), 0, batch));
        ++i;
      } else if (i == answered) {
        std::this_thread::sleep_until(due[i]);
      } else if (!may_send || producer.has_response(due[i] - now)) {  // an answer that is late holds up no record that is due
        TRIPOS_TRY(take_acknowledgement(producer));
        acknowledged.ms.push_back(elapsed_ms(answered++));
      }
    }
    return {};
  };
  const auto sent = send_all();
  if (!sent) failed = true;
  reader.join();
  TRIPOS_TRY(sent);
  if (failed) return fail(ErrorCode::unavailable, "{}", reason);
  return acknowledged.text("ack") + " " + fetched.text("end_to_end");
}

Result<std::string> idle(const std::vector<std::string>& words) {
  const auto start = BenchClock::now();
  std::vector<client::KafkaConnection> connections;
  for (std::int64_t i = 0; i < number(words.at(1)); ++i) {
    TRIPOS_ASSIGN(auto connection, connect(words.at(0)));
    connections.push_back(std::move(connection));
  }
  fmt::print("connections {} seconds {:.4f}\n", connections.size(), seconds_since(start));
  std::fflush(stdout);
  std::this_thread::sleep_for(std::chrono::seconds(number(words.at(2))));
  return fmt::format("ended 1");
}

Result<std::string> topics(const std::vector<std::string>& words) {
  TRIPOS_ASSIGN(auto connection, connect(words.at(0)));
  const auto start = BenchClock::now();
  for (std::int64_t i = 0; i < number(words.at(2)); ++i) {
    const client::NewTopic topic{
        .name = fmt::format("{}-{}", words.at(1), i), .partition_count = static_cast<std::int32_t>(number(words.at(3))), .configs = {}};
    TRIPOS_TRY(client::create_topic(connection, topic));
  }
  return fmt::format("topics {} seconds {:.4f}", words.at(2), seconds_since(start));
}

Result<std::string> spread(const std::vector<std::string>& words) {
  constexpr std::int64_t rounds = 3;
  constexpr std::size_t in_flight = 64;
  const std::int64_t count = number(words.at(2));
  const auto records = static_cast<std::int32_t>(number(words.at(3)));
  const Buffer batch = batch_of(records, 100);
  TRIPOS_ASSIGN(auto connection, connect(words.at(0)));
  const auto start = BenchClock::now();
  for (std::int64_t i = 0; i < count * rounds; ++i) {
    if (connection.unanswered_count() >= in_flight) TRIPOS_TRY(take_acknowledgement(connection));
    TRIPOS_TRY(send_batch(connection, fmt::format("{}-{}", words.at(1), i % count), 0, batch));
  }
  while (connection.unanswered_count() > 0) TRIPOS_TRY(take_acknowledgement(connection));
  return fmt::format("records {} seconds {:.4f}", count * rounds * records, seconds_since(start));
}

int run(const std::string& mode, const std::vector<std::string>& words) {
  const auto done = [&]() -> Result<std::string> {
    if (mode == "produce") return produce(words);
    if (mode == "consume") return consume(words);
    if (mode == "latency") return latency(words);
    if (mode == "idle") return idle(words);
    if (mode == "topics") return topics(words);
    if (mode == "spread") return spread(words);
    return fail(ErrorCode::invalid_argument, "{}: produce, consume, latency, idle, topics or spread", mode);
  }();
  if (!done) {
    fmt::print(stderr, "{}\n", done.error().message);
    return 1;
  }
  fmt::print("{}\n", *done);
  return 0;
}

}  // namespace
}  // namespace tripos

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: see the head of bench/broker_load.cc\n");
    return 2;
  }
  try {
    return tripos::run(arguments[1], {arguments + 2, arguments + count});
  } catch (const std::exception& error) {  // a word too few, or no number
    fmt::print(stderr, "{}: {}\n", arguments[1], error.what());
    return 2;
  }
}
