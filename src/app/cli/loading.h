// load_files: what `tripos load` does, also for the demo.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "client/producer.h"

namespace tripos::app {

struct Loading {
  std::string topic;
  std::vector<std::string> files;  // "-" is standard input
  std::optional<std::int32_t> partition = {};
  client::ProducerOptions producer = {};
};

struct Loaded {
  std::uint64_t message_count = 0;  // acknowledged
  std::uint64_t bytes_read = 0;
};

// Opens every file before it sends anything. With a progress bar. On a failure what was read before it is sent nevertheless, and
// `loaded` says how much that was.
[[nodiscard]] Result<> load_files(client::KafkaConnection& connection, const Loading& loading, Loaded& loaded);
[[nodiscard]] Result<Loaded> load_files(client::KafkaConnection& connection, const Loading& loading);

}  // namespace tripos::app
