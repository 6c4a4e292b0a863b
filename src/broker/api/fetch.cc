// Fetch: whole batches of durable records, as slices of their files. With too little to answer it waits, for records or max_wait_ms.
// read_committed sees what lies below the last stable offset, and is told which of it was aborted: the client leaves that out.
// What is asked for may be remembered (fetch_sessions.h).
#include <algorithm>
#include <memory>
#include <utility>

#include "broker/api/handlers.h"
#include "broker/api/leader_epoch.h"
#include "broker/fetch_sessions.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

using PartitionData = wire::FetchResponse::PartitionData;

constexpr std::int16_t fetch_topic_ids_from = 13;
constexpr auto read_committed = static_cast<std::int8_t>(IsolationLevel::read_committed);
constexpr std::int32_t max_wait_ms_max = 60'000;  // an empty answer is always allowed, and a client that has gone is not kept for longer

// What a read has found.
struct Found {
  std::vector<PartitionData> partitions;
  std::uint64_t bytes = 0;
  std::vector<std::pair<Partition*, std::uint64_t>> sent;  // bytes of each partition; good until the loop goes on
  bool must_answer = false;                                // an error, which waiting does not heal
};

class Fetch final : public PartitionWatcher, public std::enable_shared_from_this<Fetch> {
 public:
  Fetch(RequestContext& context, const wire::FetchRequest& request, FetchSessions::Context session, Reply<wire::FetchResponse> reply)
      : broker_(context.broker),
        session_(context.session),
        version_(context.version),
        max_wait_ms_(std::min(request.max_wait_ms, max_wait_ms_max)),
        min_bytes_(request.min_bytes),
        bytes_max_(static_cast<std::uint64_t>(std::clamp(request.max_bytes, 0, context.broker.config().fetch_bytes_max))),
        isolation_(request.isolation_level == read_committed ? IsolationLevel::read_committed : IsolationLevel::read_uncommitted),
        asked_(std::move(session)),
        reply_(std::move(reply)) {}

  void start() {
    Found found = read();
    if (is_enough(found) || max_wait_ms_ <= 0 || broker_.stopping()) return answer(std::move(found));
    watch();
    // The timer keeps this alive while it waits.
    timer_ = broker_.environment().executor.post_after(std::chrono::milliseconds(max_wait_ms_), [self = shared_from_this()] {
      self->timer_ = io::no_timer;
      if (!self->answered_) self->answer(self->read());
    });
  }

  Next partition_moved() override {
    if (answered_) return Next::done;
    Found found = read();
    if (!is_enough(found) && !broker_.stopping()) return Next::wait;
    answer(std::move(found));
    return Next::done;
  }

 private:
  [[nodiscard]] bool is_enough(const Found& found) const {
    return found.must_answer || static_cast<std::int64_t>(found.bytes) >= min_bytes_;
  }

  void answer(Found found) {
    answered_ = true;
    for (const auto& [partition, bytes] : found.sent) partition->count_bytes_out(bytes);
    broker_.environment().executor.cancel(std::exchange(timer_, io::no_timer));
    reply_(asked_.answer(std::move(found.partitions)));
  }

  // Once: all partitions asked for tell of their moves until this is answered.
  void watch() {
    for (const FetchSessions::Asked& asked : asked_.asked()) {
      Topic* const known = find(asked);
      if (known == nullptr) continue;
      if (const auto partition = broker_.topics().partition(*known, PartitionId(asked.partition.partition)))
        (*partition)->watch(shared_from_this());
    }
  }

  [[nodiscard]] Topic* find(const FetchSessions::Asked& asked) const {
    return version_ >= fetch_topic_ids_from ? broker_.topics().find(asked.topic_id) : broker_.topics().find(asked.topic);
  }

  [[nodiscard]] Found read() const {
    Found found;
    found.partitions.reserve(asked_.asked().size());
    for (const FetchSessions::Asked& asked : asked_.asked()) {
      Topic* const known = find(asked);
      PartitionData& data = found.partitions.emplace_back();
      data.partition_index = asked.partition.partition;
      data.high_watermark = -1;
      data.error_code = known == nullptr ? missing_topic() : read_partition(*known, asked.partition, data, found);
      if (data.error_code != wire::ErrorCode::none) found.must_answer = true;
    }
    return found;
  }

  [[nodiscard]] wire::ErrorCode missing_topic() const {
    return version_ >= fetch_topic_ids_from ? wire::ErrorCode::unknown_topic_id : wire::ErrorCode::unknown_topic_or_partition;
  }

  wire::ErrorCode read_partition(Topic& topic, const wire::FetchRequest::FetchPartition& asked, PartitionData& data, Found& found) const {
    if (!broker_.authorizer().allows(session_, Operation::read, ResourceType::topic, topic.name())) {
      return wire::ErrorCode::topic_authorization_failed;
    }
    const auto partition = broker_.topics().partition(topic, PartitionId(asked.partition));
    if (!partition) return partition.error().code;
    data.aborted_transactions.reset();  // null: not told, as Kafka does
    if (const auto wrong = check_leader_epoch(asked.current_leader_epoch); wrong != wire::ErrorCode::none) return wrong;
    const Offset high_watermark = (*partition)->durable_end().offset;
    const Offset from(asked.fetch_offset);
    const bool is_diverged = asked.last_fetched_epoch > only_leader_epoch;  // of a leader that there never was
    if (from < (*partition)->start_offset() || from > high_watermark || is_diverged) return wire::ErrorCode::offset_out_of_range;
    data.high_watermark = high_watermark.value();
    data.last_stable_offset = (*partition)->stable_offset().offset.value();
    data.log_start_offset = (*partition)->start_offset().value();
    if (isolation_ == IsolationLevel::read_committed) data.aborted_transactions.emplace();
    if (from >= (*partition)->visible_end(isolation_).offset()) return wire::ErrorCode::none;
    return read_records(**partition, from, asked.partition_max_bytes, data, found);
  }

  // The first partition with records gives at least one batch, however large, so that a consumer gets on; others keep within the limits.
  wire::ErrorCode read_records(Partition& partition, Offset from, std::int32_t partition_bytes_max, PartitionData& data,
                               Found& found) const {
    const std::uint64_t left = bytes_max_ - std::min(bytes_max_, found.bytes);
    const std::uint64_t limit = std::min(left, static_cast<std::uint64_t>(std::max(partition_bytes_max, 0)));
    if (found.bytes > 0 && limit == 0) return wire::ErrorCode::none;
    auto records = partition.log()->read(from, partition.visible_end(isolation_), limit);
    if (!records) return kafka_error(records.error()).code;
    if (found.bytes > 0 && records->bytes > limit) return wire::ErrorCode::none;  // its first batch alone is too large
    for (LogSlice& slice : records->slices) data.records.add(std::move(slice));
    if (data.aborted_transactions) {
      for (const AbortedTransaction& each : partition.aborted(from, records->next)) {
        data.aborted_transactions->push_back({.producer_id = each.producer_id.value(), .first_offset = each.first.value()});
      }
    }
    found.bytes += records->bytes;
    found.sent.emplace_back(&partition, records->bytes);
    return wire::ErrorCode::none;
  }

  Broker& broker_;
  SessionContext session_;
  std::int16_t version_;
  std::int32_t max_wait_ms_;
  std::int32_t min_bytes_;
  std::uint64_t bytes_max_;
  IsolationLevel isolation_;
  FetchSessions::Context asked_;
  Reply<wire::FetchResponse> reply_;
  io::TimerId timer_ = io::no_timer;
  bool answered_ = false;
};

}  // namespace

void handle_fetch(RequestContext& context, const wire::FetchRequest& request, Reply<wire::FetchResponse> reply) {
  FetchSessions::Context session;
  const MonotonicTime now = context.broker.environment().clock.monotonic();
  const wire::ErrorCode refused = context.broker.fetch_sessions().begin(request, context.version >= fetch_topic_ids_from, now, session);
  if (refused != wire::ErrorCode::none) {
    wire::FetchResponse response;
    response.error_code = refused;
    return reply(response);
  }
  std::make_shared<Fetch>(context, request, std::move(session), std::move(reply))->start();
}

}  // namespace tripos::broker
