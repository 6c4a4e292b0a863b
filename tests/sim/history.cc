#include "history.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "model/record_batch.h"

namespace tripos::sim {

namespace {
constexpr std::string_view number_field = "{\"n\":";
constexpr std::int64_t key_count = 4;
}  // namespace

std::size_t History::add(SentBatch batch) {
  batch.first_number = static_cast<std::int64_t>(batch_of_number.size());
  batch_of_number.insert(batch_of_number.end(), static_cast<std::size_t>(batch.count), batches.size());
  batches.push_back(std::move(batch));
  ++version;
  return batches.size() - 1;
}

void History::accept(std::size_t batch, std::int64_t base_offset) {
  SentBatch& accepted = batches[batch];
  accepted.outcome = Outcome::accepted;
  accepted.base_offset = base_offset;
  for (std::int32_t i = 0; i < accepted.count; ++i) see(accepted.place, base_offset + i, accepted.first_number + i);
  ++version;
}

void History::see(const Place& place, std::int64_t offset, std::int64_t number) {
  PlaceKnown& known = places[place];
  if (!known.seen.emplace(offset, number).second) return;
  known.end_seen = std::max(known.end_seen, offset + 1);
  ++version;
}

const SentBatch* History::batch_of(std::int64_t number) const {
  if (number < 0 || static_cast<std::size_t>(number) >= batch_of_number.size()) return nullptr;
  return &batches[batch_of_number[static_cast<std::size_t>(number)]];
}

// Sizes differ, and now and then a field is new, or of another kind than before.
std::string value_of(std::int64_t number) {
  std::string value = std::string(number_field) + std::to_string(number);
  if (number % 3 == 0) value += ",\"answer\":\"" + std::string(static_cast<std::size_t>(number * 37 % 120), 'x') + "\"";
  if (number % 7 == 0) value += ",\"score\":" + std::string(number % 2 == 0 ? "1.5" : "\"none\"");
  return value + "}";
}

std::string key_of(std::int64_t number) { return "key" + std::to_string(number % key_count); }

Buffer bytes_of(const SentBatch& batch) {
  RecordBatchFields fields;
  if (batch.writer != Writer::plain) {
    fields.producer_id = ProducerId(batch.producer_id);
    fields.producer_epoch = ProducerEpoch(batch.epoch);
    fields.base_sequence = Sequence(batch.sequence);
    fields.transactional = batch.writer == Writer::transactional;
  }
  RecordBatchBuilder builder;
  for (std::int32_t i = 0; i < batch.count; ++i) {
    const std::string key = key_of(batch.first_number + i);
    const std::string value = value_of(batch.first_number + i);
    builder.add(WallTime(std::chrono::milliseconds(batch.timestamp_ms)), Bytes(key), Bytes(value));
  }
  return builder.finish(fields);
}

std::optional<std::int64_t> number_of(std::string_view value) {
  if (!value.starts_with(number_field)) return std::nullopt;
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(value.data() + number_field.size(), value.data() + value.size(), number);
  if (error != std::errc() || number < 0 || value != value_of(number)) return std::nullopt;
  return number;
}

}  // namespace tripos::sim
