// LoadClient: the client's side of /v1/load (docs/reference/http.md): hands elements to the server, which appends those that the topic
// lacks. The connection of `http` is the load: nothing else is asked on it before end(). Threads: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "client/http_client.h"
#include "model/compression.h"

namespace tripos::app {

class LoadClient {
 public:
  struct Request {
    std::string topic;
    std::string id_field;  // empty: by content
    std::optional<std::int32_t> partition;
    Compression compression = Compression::none;
  };
  struct Begun {
    std::size_t element_bytes_max = 0;
    std::size_t message_bytes_max = 0;  // the topic's max.message.bytes
    std::uint64_t uncounted = 0;        // offsets that were trimmed from the log before they were counted
  };
  struct Tally {
    std::uint64_t new_count = 0;
    std::uint64_t known_count = 0;
  };

  explicit LoadClient(client::HttpClient& http) : http_(http) {}

  // For each file. conflict: another load of the topic is under way. `counting` is told how far the server has come with its log.
  [[nodiscard]] Result<Begun> begin(const Request& request, const std::function<void(std::uint64_t counted, std::uint64_t all)>& counting);
  // Elements, each with a newline behind it.
  [[nodiscard]] Result<> send(std::string lines);
  // All of them are durable, and the topic is free for others.
  [[nodiscard]] Result<Tally> end();
  // As the server told last.
  [[nodiscard]] const Tally& tally() const noexcept { return tally_; }

 private:
  [[nodiscard]] Result<> post(std::string target, std::string body);
  [[nodiscard]] Result<Begun> begin_once(const std::string& target,
                                         const std::function<void(std::uint64_t counted, std::uint64_t all)>& counting);

  client::HttpClient& http_;
  Tally tally_;
};

}  // namespace tripos::app
