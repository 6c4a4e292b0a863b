#include "broker/produced_batch.h"

#include <algorithm>
#include <limits>

#include "base/crc32c.h"
#include "model/recompress.h"

namespace tripos::broker {

namespace {

constexpr std::int8_t magic_v2 = 2;
constexpr std::int16_t zstd_from = 7;  // the first version of Produce whose consumers must know zstd (KIP-110)

template <typename... Args>
tl::unexpected<RefusedBatch> refuse_batch(wire::ErrorCode code, fmt::format_string<Args...> text, Args&&... args) {
  return tl::unexpected(RefusedBatch{.error = {.code = code, .message = fmt::format(text, std::forward<Args>(args)...)}, .records = {}});
}

tl::expected<void, RefusedBatch> check_size(std::size_t bytes, const TopicConfig& config) {
  if (bytes <= static_cast<std::size_t>(config.message_bytes_max)) return {};
  return refuse_batch(wire::ErrorCode::message_too_large,
                      "The record batch size is {} bytes, which exceeds the maximum configured value of {}.", bytes,
                      config.message_bytes_max);
}

// Size, magic and checksum: is it one whole batch, as it was sent?
tl::expected<RecordBatchView, RefusedBatch> parse_one(Bytes records, const TopicConfig& config) {
  if (records.size() > batch_layout::magic && records[batch_layout::magic] != magic_v2) {
    // The older ones are known; a newer one is none.
    const bool is_older = records[batch_layout::magic] == 0 || records[batch_layout::magic] == 1;
    return refuse_batch(is_older ? wire::ErrorCode::invalid_record : wire::ErrorCode::corrupt_message,
                        "records of magic {} are not accepted: batches of magic 2 only", static_cast<int>(records[batch_layout::magic]));
  }
  if (records.size() < batch_layout::header_size) {
    return refuse_batch(wire::ErrorCode::invalid_record, "{} bytes are no record batch", records.size());
  }
  const auto size = RecordBatchView::size_from_prefix(records.substr(0, batch_layout::log_overhead));
  if (size && *size > records.size()) {
    return refuse_batch(wire::ErrorCode::invalid_record, "of a batch of {} bytes {} were sent", *size, records.size());
  }
  if (size && *size < records.size()) {
    return refuse_batch(wire::ErrorCode::invalid_record, "one batch for each partition is accepted, more bytes follow behind byte {}",
                        *size);
  }
  auto batch = RecordBatchView::parse(records);
  if (!batch) {
    // With its checksum right it is what the producer meant to send: to send it again would not help.
    const auto checksum = load_be<std::uint32_t>(records.data() + batch_layout::crc);
    const bool is_as_sent = size && checksum == crc32c(records.substr(batch_layout::attributes));
    auto refused =
        refuse_batch(is_as_sent ? wire::ErrorCode::invalid_record : wire::ErrorCode::corrupt_message, "{}", batch.error().message);
    refused.value().reached_log = is_as_sent;
    return refused;
  }
  if (auto fits = check_size(batch->bytes().size(), config); !fits) return tl::unexpected(std::move(fits).error());
  if (!batch->crc_matches()) return refuse_batch(wire::ErrorCode::corrupt_message, "the batch's checksum does not match its bytes");
  return *batch;
}

tl::expected<void, RefusedBatch> check_header(const RecordBatchView& batch, std::int16_t request_version) {
  if (batch.compression() == Compression::zstd && request_version < zstd_from) {
    return refuse_batch(wire::ErrorCode::unsupported_compression_type, "zstd may be used from version {} of Produce on", zstd_from);
  }
  if (batch.is_control()) return refuse_batch(wire::ErrorCode::invalid_record, "Clients are not allowed to write control records.");
  if (batch.is_transactional() && batch.producer_id() == no_producer_id) {
    return refuse_batch(wire::ErrorCode::invalid_record, "the batch belongs to a transaction, but to no producer");
  }
  if (batch.timestamp_type() == TimestampType::log_append_time) {
    return refuse_batch(wire::ErrorCode::invalid_timestamp, "a producer can't claim the time of the broker");
  }
  if (batch.base_offset() != Offset(0)) {
    return refuse_batch(wire::ErrorCode::invalid_record, "the base offset of a batch is 0 until the broker gives it one, not {}",
                        batch.base_offset());
  }
  if (batch.record_count() < 1 || batch.last_offset_delta() != batch.record_count() - 1) {
    return refuse_batch(wire::ErrorCode::invalid_record, "the batch says it has {} records, and a last offset delta of {}",
                        batch.record_count(), batch.last_offset_delta());
  }
  if (batch.producer_id() != no_producer_id && (batch.producer_id().value() < 0 || batch.base_sequence().value() < 0)) {
    return refuse_batch(wire::ErrorCode::invalid_record, "the batch of producer {} has epoch {} and sequence {}", batch.producer_id(),
                        batch.producer_epoch(), batch.base_sequence());
  }
  if (batch.producer_id() != no_producer_id && batch.producer_epoch().value() < 0) {
    return refuse_batch(wire::ErrorCode::invalid_producer_epoch, "Epoch {} of producer {} is no epoch.", batch.producer_epoch(),
                        batch.producer_id());
  }
  return {};
}

// What is wrong with a record of a batch that can be read.
std::optional<KafkaError> fault_of(const Record& record, const TopicConfig& config, std::int64_t now_ms) {
  if (config.compacted && !record.key) {
    return KafkaError{.code = wire::ErrorCode::invalid_record, .message = "Compacted topic cannot accept message without key."};
  }
  const std::int64_t timestamp = record.timestamp_ms;
  if (config.timestamp_type != TimestampType::create_time || timestamp == -1) return std::nullopt;
  if (timestamp < -1) {
    return KafkaError{.code = wire::ErrorCode::invalid_timestamp, .message = fmt::format("Timestamp {} is negative.", timestamp)};
  }
  // Neither difference overflows: the other side of the comparison has excluded it.
  if ((timestamp < now_ms && now_ms - timestamp > config.timestamp_before_max_ms) ||
      (timestamp > now_ms && timestamp - now_ms > config.timestamp_after_max_ms)) {
    return KafkaError{.code = wire::ErrorCode::invalid_timestamp,
                      .message = fmt::format("Timestamp {} of message is out of range: it may lie {} ms before {} and {} ms after.",
                                             timestamp, config.timestamp_before_max_ms, now_ms, config.timestamp_after_max_ms)};
  }
  return std::nullopt;
}

// All that are at fault together: a timestamp's fault is the batch's before any other, as in Kafka.
class RefusedRecords {
 public:
  void add(std::int32_t place, KafkaError error) {
    ++count_;
    if (count_ == 1 || error.code == wire::ErrorCode::invalid_timestamp) code_ = error.code;
    if (refused_.size() < refused_records_max) refused_.push_back({.place = place, .why = std::move(error.message)});
  }
  [[nodiscard]] bool empty() const noexcept { return refused_.empty(); }
  [[nodiscard]] RefusedBatch finish() {
    const RefusedRecord& first = refused_.front();
    std::string message =
        count_ == 1 ? first.why : fmt::format("{} records are refused; the first, record {}: {}", count_, first.place, first.why);
    return {.error = {.code = code_, .message = std::move(message)}, .records = std::move(refused_)};
  }

 private:
  std::size_t count_ = 0;
  wire::ErrorCode code_ = wire::ErrorCode::none;
  std::vector<RefusedRecord> refused_;
};

// Reads every record; the largest timestamp.
tl::expected<std::int64_t, RefusedBatch> check_records(const RecordBatchView& batch, const TopicConfig& config, WallTime now,
                                                       RecordReader& reader) {
  const std::int64_t now_ms = now.time_since_epoch().count();
  if (auto started = reader.start(batch); !started) return refuse_batch(wire::ErrorCode::invalid_record, "{}", started.error().message);
  std::int64_t largest = std::numeric_limits<std::int64_t>::min();
  RefusedRecords refused;
  for (std::int32_t i = 0;; ++i) {
    const auto record = reader.next();
    if (!record) {  // where the next one begins is unknown
      refused.add(i, {.code = wire::ErrorCode::invalid_record, .message = record.error().message});
      break;
    }
    if (*record == nullptr) break;
    largest = std::max(largest, (*record)->timestamp_ms);
    if (auto fault = fault_of(**record, config, now_ms)) refused.add(i, *std::move(fault));
  }
  if (!refused.empty()) return tl::unexpected(refused.finish());
  return largest;
}

RecordBatchView view_of(const Buffer& batch) {
  auto view = RecordBatchView::parse(batch);
  return *view;
}

void set_max_timestamp(Buffer& batch, std::int64_t timestamp_ms) {
  store_be(batch.data() + batch_layout::max_timestamp, timestamp_ms);
  store_be(batch.data() + batch_layout::crc, crc32c(Bytes(batch).substr(batch_layout::attributes)));
}

}  // namespace

tl::expected<CheckedBatch, RefusedBatch> check_produced(Bytes records, const TopicConfig& config, WallTime now,
                                                        std::int16_t request_version, RecordReader& reader, Buffer& rewritten) {
  const auto batch = parse_one(records, config);
  if (!batch) return tl::unexpected(batch.error());
  const auto refused_by_log = [](RefusedBatch refused) {
    refused.reached_log = refused.error.code != wire::ErrorCode::unsupported_compression_type;
    return tl::unexpected(std::move(refused));
  };
  if (auto header = check_header(*batch, request_version); !header) return refused_by_log(std::move(header).error());
  auto largest_timestamp = check_records(*batch, config, now, reader);
  if (!largest_timestamp) return refused_by_log(std::move(largest_timestamp).error());

  rewritten.clear();
  if (config.compression && *config.compression != batch->compression()) {
    if (auto packed = recompress(*batch, *config.compression, config.compression_level, decompressed_size_max, rewritten); !packed)
      return refuse_batch(wire::ErrorCode::message_too_large, "{}", packed.error().message);
    if (auto fits = check_size(rewritten.size(), config); !fits) return tl::unexpected(std::move(fits).error());
  }
  const auto copy_once = [&] {
    if (rewritten.empty()) rewritten.assign(batch->bytes());
  };
  if (config.timestamp_type == TimestampType::log_append_time) {
    copy_once();
    set_log_append_time(rewritten.data(), rewritten.size(), now);
    return CheckedBatch{.batch = view_of(rewritten), .log_append_time_ms = now.time_since_epoch().count()};
  }
  if (*largest_timestamp != batch->max_timestamp_ms()) {  // what lookups by time and retention go by
    copy_once();
    set_max_timestamp(rewritten, *largest_timestamp);
  }
  if (!rewritten.empty()) return CheckedBatch{.batch = view_of(rewritten)};
  return CheckedBatch{.batch = *batch};
}

}  // namespace tripos::broker
