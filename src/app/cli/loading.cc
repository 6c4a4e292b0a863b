#include "app/cli/loading.h"

#include <chrono>

#include "app/cli/terminal.h"
#include "client/topics.h"
#include "load/json_input.h"

namespace tripos::app {
namespace {

WallTime now() { return WallTime(std::chrono::duration_cast<WallClock::duration>(std::chrono::system_clock::now().time_since_epoch())); }

}  // namespace

Result<> load_files(client::KafkaConnection& connection, const Loading& loading, Loaded& loaded) {
  std::vector<load::JsonInput> inputs;
  std::uint64_t size_bytes = 0;
  for (const std::string& file : loading.files) {
    TRIPOS_ASSIGN(load::JsonInput input, load::JsonInput::open(file));
    size_bytes += input.size_bytes();
    inputs.push_back(std::move(input));
  }
  TRIPOS_ASSIGN(const client::TopicMetadata topic, client::describe_topic(connection, loading.topic, true));
  client::Producer producer(connection, loading.topic, static_cast<std::int32_t>(topic.partitions.size()), loading.producer,
                            [&](std::uint64_t record_count, std::uint64_t) { loaded.message_count += record_count; });
  ProgressBar bar(loading.topic, size_bytes);
  Result<> outcome;
  for (load::JsonInput& input : inputs) {
    const std::uint64_t bytes_before = loaded.bytes_read;
    outcome = input.read_elements(
        [&](Bytes element) {
          return producer.add({.partition = loading.partition, .timestamp = now(), .key = {}, .value = element, .headers = {}});
        },
        [&](std::uint64_t bytes) {
          loaded.bytes_read = bytes_before + bytes;
          bar.show(loaded.bytes_read, loaded.message_count);
        });
    if (!outcome) break;
  }
  const Result<> flushed = producer.flush();
  return outcome ? flushed : outcome;
}

Result<Loaded> load_files(client::KafkaConnection& connection, const Loading& loading) {
  Loaded loaded;
  TRIPOS_TRY(load_files(connection, loading, loaded));
  return loaded;
}

}  // namespace tripos::app
