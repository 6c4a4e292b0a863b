// Record batches as producers send them, and what is compressed in them. First byte: which. What is read lies within the batch and
// within the limits; what the broker accepts can be read, record by record, and says of itself what is true; what is built reads back.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "base/check.h"
#include "base/crc32c.h"
#include "broker/produced_batch.h"
#include "input.h"
#include "model/record_batch.h"

namespace tripos {
namespace {

using fuzz::Input;

constexpr std::size_t size_max = std::size_t{1} << 20;
constexpr WallTime now{std::chrono::milliseconds(1'700'000'000'000)};

Compression codec_of(std::uint8_t byte) { return static_cast<Compression>(byte % 5); }

// Length and checksum as they must be: what lies behind them is reached.
void make_whole(Buffer& batch) {
  if (batch.size() < batch_layout::header_size) batch.resize(batch_layout::header_size, '\0');
  store_be(batch.data() + batch_layout::length, static_cast<std::int32_t>(batch.size() - batch_layout::log_overhead));
  batch[batch_layout::magic] = 2;
  store_be(batch.data() + batch_layout::crc, crc32c(Bytes(batch).substr(batch_layout::attributes)));
}

struct Seen {
  std::int32_t count = 0;
  std::int64_t largest_timestamp = std::numeric_limits<std::int64_t>::min();
};

// Nothing: a record can't be read.
std::optional<Seen> read_all(const RecordBatchView& batch, RecordReader& reader) {
  Seen seen;
  if (!reader.start(batch)) return std::nullopt;
  Offset next = batch.base_offset();
  while (true) {
    const auto record = reader.next();
    if (!record) return std::nullopt;
    if (*record == nullptr) break;
    CHECK((*record)->offset >= next && (*record)->offset <= batch.last_offset());
    next = (*record)->offset + 1;
    const auto headers = (*record)->parse_headers();
    CHECK(headers && headers->size() == static_cast<std::size_t>((*record)->header_count));
    seen.largest_timestamp = std::max(seen.largest_timestamp, (*record)->timestamp_ms);
    ++seen.count;
  }
  CHECK(seen.count == batch.record_count());
  return seen;
}

void fuzz_bytes(Bytes bytes) {
  RecordReader reader(size_max);
  while (true) {
    const auto batch = RecordBatchView::parse(bytes);
    if (!batch) return;
    CHECK(batch->bytes().size() <= bytes.size() && batch->last_offset() >= batch->base_offset());
    (void)read_all(*batch, reader);
    bytes.remove_prefix(batch->bytes().size());
  }
}

void fuzz_codec(Input input) {
  const Compression codec = codec_of(input.take<std::uint8_t>());
  const std::size_t limit = std::size_t{input.take<std::uint16_t>()} * 16;
  const Bytes bytes = input.rest();
  Buffer plain;
  if (const auto done = decompress(codec, bytes, limit, plain)) {
    CHECK(plain.size() <= limit);
    Buffer again;
    Buffer back;
    compress(codec, plain, again);
    CHECK(decompress(codec, again, limit, back) && back == plain);
  }
  CHECK(plain.capacity() <= 2 * limit + (std::size_t{1} << 18));
  compress(codec, bytes, plain);
  Buffer back;
  CHECK(decompress(codec, plain, bytes.size(), back) && back == bytes);
  if (!bytes.empty()) CHECK(!decompress(codec, plain, bytes.size() - 1, back));
}

void fuzz_produced(Input input) {
  static const broker::BrokerConfig broker_config;
  broker::TopicConfig config(broker_config, {});
  const auto choices = input.take<std::uint8_t>();
  if ((choices & 1) != 0) config.timestamp_type = TimestampType::log_append_time;
  config.compacted = (choices & 2) != 0;
  if ((choices & 4) != 0) config.timestamp_before_max_ms = config.timestamp_after_max_ms = 1000;
  const auto version = static_cast<std::int16_t>(3 + choices / 32);
  Buffer batch;
  if ((choices & 8) != 0) {
    // The records are the input's, compressed as the header says: few random bytes are a codec's.
    batch.assign(input.take_bytes(batch_layout::header_size));
    batch.resize(batch_layout::header_size, '\0');
    const Compression codec = codec_of(static_cast<std::uint8_t>(batch[batch_layout::attributes + 1]));
    batch[batch_layout::attributes] = 0;
    batch[batch_layout::attributes + 1] = static_cast<char>(codec);
    Buffer records;
    compress(codec, input.rest(), records);
    batch += records;
  } else {
    batch.assign(input.rest());
  }
  if ((choices & 16) == 0) make_whole(batch);
  RecordReader reader(size_max);
  Buffer rewritten;
  const auto checked = broker::check_produced(batch, config, now, version, reader, rewritten);
  if (!checked) return;
  const RecordBatchView& accepted = checked->batch;
  CHECK(accepted.crc_matches());
  CHECK(accepted.bytes().size() == batch.size());
  RecordReader consumer(size_max);
  const auto seen = read_all(accepted, consumer);
  CHECK(seen.has_value());
  CHECK(seen->count >= 1 && seen->count == accepted.last_offset_delta() + 1);
  CHECK(seen->largest_timestamp == accepted.max_timestamp_ms());
  CHECK((accepted.timestamp_type() == TimestampType::log_append_time) == (config.timestamp_type == TimestampType::log_append_time));
}

void fuzz_builder(Input input) {
  struct Sent {
    std::int64_t timestamp_ms;
    std::optional<Bytes> key;
    std::optional<Bytes> value;
    std::vector<RecordHeader> headers;
  };
  const auto nullable = [&]() -> std::optional<Bytes> {
    if (input.flag()) return std::nullopt;
    return input.take_short();
  };
  RecordBatchFields fields{.base_offset = Offset(input.take<std::uint32_t>()), .compression = codec_of(input.take<std::uint8_t>())};
  std::vector<Sent> all;
  RecordBatchBuilder builder;
  do {
    Sent sent{.timestamp_ms = input.take<std::int32_t>(), .key = nullable(), .value = nullable(), .headers = {}};
    for (std::size_t count = input.below(4); count > 0; --count) sent.headers.push_back({.key = input.take_short(), .value = nullable()});
    builder.add(WallTime(std::chrono::milliseconds(sent.timestamp_ms)), sent.key, sent.value, sent.headers);
    all.push_back(std::move(sent));
  } while (!input.empty());
  const Buffer bytes = builder.finish(fields);
  const auto batch = RecordBatchView::parse(bytes);
  CHECK(batch && batch->crc_matches() && batch->bytes().size() == bytes.size());
  RecordReader reader(size_max);
  CHECK(reader.start(*batch));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto record = reader.next();
    CHECK(record && *record != nullptr);
    CHECK((*record)->offset == fields.base_offset + static_cast<std::int64_t>(i));
    CHECK((*record)->timestamp_ms == all[i].timestamp_ms && (*record)->key == all[i].key && (*record)->value == all[i].value);
    const auto headers = (*record)->parse_headers();
    CHECK(headers && headers->size() == all[i].headers.size());
    for (std::size_t h = 0; h < headers->size(); ++h) {
      CHECK((*headers)[h].key == all[i].headers[h].key && (*headers)[h].value == all[i].headers[h].value);
    }
  }
  CHECK(reader.next().value() == nullptr);
}

}  // namespace
}  // namespace tripos

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tripos::fuzz::Input input(data, size);
  switch (input.take<std::uint8_t>() % 4) {
    case 0: tripos::fuzz_bytes(input.rest()); break;
    case 1: tripos::fuzz_codec(input); break;
    case 2: tripos::fuzz_produced(input); break;
    default: tripos::fuzz_builder(input);
  }
  return 0;
}
