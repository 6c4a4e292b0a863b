// load_files: what `tripos load` does, also for the demo.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "client/http_client.h"
#include "client/kafka_connection.h"
#include "model/compression.h"

namespace tripos::app {

struct Loading {
  std::string topic;
  std::vector<std::string> files;  // and directories; "-" is standard input
  std::string id_field = {};       // what makes two elements the same; empty: their content
  bool append = false;             // adds everything again, over Kafka's protocol alone
  std::optional<std::int32_t> partition = {};
  Compression compression = Compression::none;
  bool quiet = false;  // says nothing while it works
  const std::atomic<bool>* cancelled = nullptr;
};

struct Loaded {
  std::uint64_t new_count = 0;  // durable
  std::uint64_t known_count = 0;
  std::uint64_t rejected_count = 0;  // lines that are no JSON, new or known: kept as they are
  std::uint64_t bytes_read = 0;
  std::uint64_t uncounted = 0;  // records that retention had removed before they could be counted
  double seconds = 0;
};

// Connected when they are needed.
struct LoadConnections {
  std::function<Result<client::KafkaConnection>()> kafka;
  std::function<Result<client::HttpClient>()> http;
};

// Finds every file before it sends anything. A file that is broken is told of at once, what came before the break is kept, and the next
// file's turn comes; the first such failure is the outcome, and so are rejected lines if nothing else went wrong. `loaded` says how much it
// was whatever the outcome.
[[nodiscard]] Result<> load_files(const LoadConnections& connections, const Loading& loading, Loaded& loaded);

// "Loaded 3,280 messages (8.7 MB) into exams."
[[nodiscard]] std::string loaded_text(const Loading& loading, const Loaded& loaded);

}  // namespace tripos::app
