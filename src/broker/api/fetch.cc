// Fetch: whole batches of durable records, as slices of their files. With too little to answer it waits, for records or max_wait_ms.
// read_committed sees what lies below the last stable offset, and is told which of it was aborted: the client leaves that out.
// Fetch sessions are not kept: each request names all its partitions, and the answer's session id is 0, as KIP-227 lets a broker do.
#include <algorithm>
#include <memory>
#include <utility>

#include "broker/api/handlers.h"
#include "broker/api/leader_epoch.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

using Request = wire::FetchRequest;
using Response = wire::FetchResponse;
using PartitionData = Response::PartitionData;

constexpr std::int16_t topic_ids_from = 13;
constexpr auto read_committed = static_cast<std::int8_t>(IsolationLevel::read_committed);
constexpr std::int32_t max_wait_ms_max = 60'000;  // an empty answer is always allowed, and a client that has gone is not kept for longer

// What a read has found.
struct Found {
  Response response;
  std::uint64_t bytes = 0;
  bool must_answer = false;  // an error, which waiting does not heal
};

class Fetch final : public PartitionWatcher, public std::enable_shared_from_this<Fetch> {
 public:
  Fetch(RequestContext& context, const Request& request, Reply<Response> reply)
      : broker_(context.broker), session_(context.session), version_(context.version), request_(request), reply_(std::move(reply)) {}

  void start() {
    Found found = read();
    const auto wait_ms = std::min(request_.max_wait_ms, max_wait_ms_max);
    if (is_enough(found) || wait_ms <= 0 || broker_.stopping()) return answer(std::move(found));
    watch();
    // The timer keeps this alive while it waits.
    timer_ = broker_.environment().executor.post_after(std::chrono::milliseconds(wait_ms), [self = shared_from_this()] {
      self->timer_ = io::no_timer;
      if (!self->answered_) self->answer(self->read());
    });
  }

  void partition_moved() override {
    if (answered_) return;
    Found found = read();
    if (is_enough(found) || broker_.stopping()) {
      answer(std::move(found));
    } else {
      watch();
    }
  }

 private:
  [[nodiscard]] bool is_enough(const Found& found) const {
    return found.must_answer || static_cast<std::int64_t>(found.bytes) >= request_.min_bytes;
  }

  void answer(Found found) {
    answered_ = true;
    broker_.environment().executor.cancel(std::exchange(timer_, io::no_timer));
    reply_(found.response);
  }

  // All partitions asked for tell of their next move; a partition that was watched before tells twice, which does no harm but once.
  void watch() {
    for (const auto& topic : request_.topics) {
      Topic* const known = find(topic);
      if (known == nullptr) continue;
      for (const auto& asked : topic.partitions) {
        if (const auto partition = broker_.topics().partition(*known, PartitionId(asked.partition)))
          (*partition)->watch(shared_from_this());
      }
    }
  }

  [[nodiscard]] Topic* find(const Request::FetchTopic& topic) const {
    return version_ >= topic_ids_from ? broker_.topics().find(topic.topic_id) : broker_.topics().find(topic.topic);
  }

  [[nodiscard]] Found read() const {
    Found found;
    found.response.responses.reserve(request_.topics.size());
    for (const auto& topic : request_.topics) {
      auto& answered = found.response.responses.emplace_back();
      answered.topic = topic.topic;
      answered.topic_id = topic.topic_id;
      answered.partitions.reserve(topic.partitions.size());
      Topic* const known = find(topic);
      for (const auto& asked : topic.partitions) {
        PartitionData& data = answered.partitions.emplace_back();
        data.partition_index = asked.partition;
        data.high_watermark = -1;
        data.error_code = known == nullptr ? missing_topic() : read_partition(*known, asked, data, found);
        if (data.error_code != wire::ErrorCode::none) found.must_answer = true;
      }
    }
    return found;
  }

  [[nodiscard]] wire::ErrorCode missing_topic() const {
    return version_ >= topic_ids_from ? wire::ErrorCode::unknown_topic_id : wire::ErrorCode::unknown_topic_or_partition;
  }

  wire::ErrorCode read_partition(Topic& topic, const Request::FetchPartition& asked, PartitionData& data, Found& found) const {
    if (!broker_.authorizer().allows(session_, Operation::read, ResourceType::topic, topic.name())) {
      return wire::ErrorCode::topic_authorization_failed;
    }
    const auto partition = broker_.topics().partition(topic, PartitionId(asked.partition));
    if (!partition) return partition.error().code;
    if (const auto wrong = check_leader_epoch(asked.current_leader_epoch); wrong != wire::ErrorCode::none) return wrong;
    const Offset high_watermark = (*partition)->durable_end().offset;
    data.high_watermark = high_watermark.value();
    data.last_stable_offset = (*partition)->stable_offset().offset.value();
    data.log_start_offset = (*partition)->start_offset().value();
    const Offset from(asked.fetch_offset);
    if (from < (*partition)->start_offset() || from > high_watermark) return wire::ErrorCode::offset_out_of_range;
    data.aborted_transactions.reset();  // null: not told, as Kafka does
    if (request_.isolation_level == read_committed) data.aborted_transactions.emplace();
    if (from >= visible_end(**partition).offset()) return wire::ErrorCode::none;
    return read_records(**partition, from, asked.partition_max_bytes, data, found);
  }

  [[nodiscard]] log::VisibleEnd visible_end(const Partition& partition) const {
    return partition.visible_end(request_.isolation_level == read_committed ? IsolationLevel::read_committed
                                                                            : IsolationLevel::read_uncommitted);
  }

  // The first partition with records gives at least one batch, however large, so that a consumer gets on; others keep within the limits.
  wire::ErrorCode read_records(Partition& partition, Offset from, std::int32_t partition_bytes_max, PartitionData& data,
                               Found& found) const {
    const auto bytes_max = static_cast<std::uint64_t>(std::clamp(request_.max_bytes, 0, broker_.config().fetch_bytes_max));
    const std::uint64_t left = bytes_max - std::min(bytes_max, found.bytes);
    const std::uint64_t limit = std::min(left, static_cast<std::uint64_t>(std::max(partition_bytes_max, 0)));
    if (found.bytes > 0 && limit == 0) return wire::ErrorCode::none;
    auto records = partition.log()->read(from, visible_end(partition), limit);
    if (!records) return kafka_error(records.error()).code;
    if (found.bytes > 0 && records->bytes > limit) return wire::ErrorCode::none;  // its first batch alone is too large
    for (LogSlice& slice : records->slices) data.records.add(std::move(slice));
    if (data.aborted_transactions) {
      for (const AbortedTransaction& each : partition.aborted(from, records->next)) {
        data.aborted_transactions->push_back({.producer_id = each.producer_id.value(), .first_offset = each.first.value()});
      }
    }
    found.bytes += records->bytes;
    return wire::ErrorCode::none;
  }

  Broker& broker_;
  SessionContext session_;
  std::int16_t version_;
  Request request_;
  Reply<Response> reply_;
  io::TimerId timer_ = io::no_timer;
  bool answered_ = false;
};

}  // namespace

void handle_fetch(RequestContext& context, const wire::FetchRequest& request, Reply<wire::FetchResponse> reply) {
  if (request.session_id != 0) {  // a session that this broker never gave
    Response response;
    response.error_code = wire::ErrorCode::fetch_session_id_not_found;
    return reply(response);
  }
  std::make_shared<Fetch>(context, request, std::move(reply))->start();
}

}  // namespace tripos::broker
