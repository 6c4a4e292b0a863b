// KafkaConnection: one connection to a broker, requests and responses of src/wire on it.
// Requests may be sent ahead of the responses to earlier ones; a broker answers in order, and receive() takes them in order.
// The version of each request is the highest that both sides speak (asked by ApiVersions when connecting).
// Threads: one at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "client/stream.h"
#include "wire/error_code.h"
#include "wire/framing.h"

namespace tripos::client {

struct KafkaOptions {
  StreamOptions stream;
  std::string client_id = "tripos";
  std::size_t frame_size_max = 128U << 20;  // of a response
};

class KafkaConnection {
 public:
  [[nodiscard]] static Result<KafkaConnection> connect(const Address& address, const KafkaOptions& options);

  // Sends without waiting for an answer. `version_max`: the newest version that the caller has filled the request for.
  template <typename Request>
  [[nodiscard]] Result<> send(const Request& request, std::int16_t version_max = std::numeric_limits<std::int16_t>::max()) {
    TRIPOS_ASSIGN(const std::int16_t version,
                  choose_version(Request::api_key, Request::version_min, std::min(Request::version_max, version_max)));
    TRIPOS_TRY(send_frame(wire::encode_request_frame(request, version, next_correlation_id_, options_.client_id)));
    expected_.push_back({Request::api_key, version, next_correlation_id_++});
    return {};
  }
  // For requests that get no answer (a produce with acks=0): takes the last send() out of what is waited for.
  void expect_no_answer() { expected_.pop_back(); }

  // The response to the oldest request that has none yet. Views in it last until the next receive().
  template <typename Response>
  [[nodiscard]] Result<Response> receive() {
    TRIPOS_ASSIGN(const Answer answer, receive_answer(Response::api_key));
    auto response = Response::decode(answer.body, answer.version);
    if (!response) return tl::unexpected(broken(response.error()));
    return std::move(*response);
  }

  template <typename Response, typename Request>
  [[nodiscard]] Result<Response> call(const Request& request, std::int16_t version_max = std::numeric_limits<std::int16_t>::max()) {
    TRIPOS_TRY(send(request, version_max));
    return receive<Response>();
  }

  // Whether a response has begun to arrive, or does within this time.
  [[nodiscard]] bool has_response(std::chrono::nanoseconds within) const { return !unread_.empty() || stream_.has_input(within); }
  [[nodiscard]] std::size_t unanswered_count() const noexcept { return expected_.size(); }
  [[nodiscard]] const std::string& peer() const noexcept { return stream_.peer(); }

 private:
  struct Expected {
    wire::ApiKey key;
    std::int16_t version;
    std::int32_t correlation_id;
  };
  struct Answer {
    std::int16_t version;
    Bytes body;
  };
  struct VersionRange {
    std::int16_t min;
    std::int16_t max;
  };

  KafkaConnection(Stream stream, const KafkaOptions& options)
      : stream_(std::move(stream)), options_(options), decoder_(options.frame_size_max, kept_bytes_max), input_(64U << 10, '\0') {}

  // Responses of a consumer of several partitions are megabytes each, one after the other.
  static constexpr std::size_t kept_bytes_max = 64u << 20;

  [[nodiscard]] Result<> ask_versions();
  [[nodiscard]] Result<std::int16_t> choose_version(wire::ApiKey key, std::int16_t min, std::int16_t max) const;
  [[nodiscard]] Result<> send_frame(const wire::Output& frame);
  [[nodiscard]] Result<Bytes> receive_frame();
  [[nodiscard]] Result<Answer> receive_answer(wire::ApiKey key);
  [[nodiscard]] Error broken(const wire::Malformed& malformed) const;

  Stream stream_;
  KafkaOptions options_;
  wire::FrameDecoder decoder_;
  Buffer input_;  // what the socket gave last
  Bytes unread_;  // the part of it that the decoder has not taken yet
  std::map<wire::ApiKey, VersionRange> versions_;
  std::deque<Expected> expected_;
  std::int32_t next_correlation_id_ = 1;
};

// The failure that a Kafka error code stands for, said of `subject`; `message` is the broker's own text, if it sent one.
[[nodiscard]] Error kafka_error(wire::ErrorCode code, std::string_view subject, std::string_view message = {});

}  // namespace tripos::client
