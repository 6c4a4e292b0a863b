#include "broker/producer_snapshot.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "base/crc32c.h"
#include "base/integer_reader.h"

namespace tripos::broker {

namespace {

constexpr std::int16_t kafka_version = 1;
constexpr std::int16_t own_version = 0;
constexpr std::size_t crc_position = 2;
constexpr std::size_t counted_from = 6;  // what the checksum covers
constexpr std::size_t kafka_entry_size = 46;
constexpr std::size_t own_entry_size = 20;
constexpr std::size_t aborted_entry_size = 32;
constexpr std::int64_t absent_offset = -1;

using Producer = ProducerStates::Producer;

void encode_kafka_entry(Buffer& to, ProducerId id, const Producer& producer) {
  const bool any = producer.count > 0;
  const auto& last = producer.batches[any ? producer.count - 1U : 0];
  append_be(to, id.value());
  append_be(to, producer.epoch.value());
  append_be(to, any ? last.last_sequence.value() : no_sequence.value());
  append_be(to, any ? last.last_offset.value() : absent_offset);
  append_be(to, any ? static_cast<std::int32_t>(last.last_offset - last.base_offset) : std::int32_t{0});
  append_be(to, producer.last_seen_ms);
  append_be(to, producer.coordinator_epoch);
  append_be(to, producer.transaction_first && !producer.transaction_ended ? producer.transaction_first->value() : absent_offset);
}

// What Kafka's entry of the same producer leaves out.
void encode_own_entry(Buffer& to, ProducerId id, const Producer& producer) {
  append_be(to, id.value());
  append_be(to, producer.transaction_first && producer.transaction_ended ? producer.transaction_first->value() : absent_offset);
  append_be(to, static_cast<std::int32_t>(producer.count));
  for (std::size_t i = 0; i < producer.count; ++i) {
    const auto& kept = producer.batches[i];
    append_be(to, kept.first_sequence.value());
    append_be(to, kept.last_sequence.value());
    append_be(to, kept.base_offset.value());
    append_be(to, kept.last_offset.value());
    append_be(to, kept.timestamp_ms);
  }
}

bool decode_producers(IntegerReader& from, std::vector<std::pair<ProducerId, Producer>>& to) {
  const std::int32_t count = from.count(kafka_entry_size);
  for (std::int32_t i = 0; i < count; ++i) {
    Producer producer;
    const ProducerId id(from.next<std::int64_t>());
    producer.epoch = ProducerEpoch(from.next<std::int16_t>());
    (void)from.next<std::int32_t>();  // the last batch: it stands in our own part, with those before it
    (void)from.next<std::int64_t>();
    (void)from.next<std::int32_t>();
    producer.last_seen_ms = from.next<std::int64_t>();
    producer.coordinator_epoch = from.next<std::int32_t>();
    const auto first = from.next<std::int64_t>();
    if (first >= 0) producer.transaction_first = Offset(first);
    to.emplace_back(id, producer);
  }
  return from.ok();
}

bool decode_own(IntegerReader& from, std::vector<std::pair<ProducerId, Producer>>& producers) {
  if (from.next<std::int16_t>() != own_version) return false;
  if (from.count(own_entry_size) != static_cast<std::int32_t>(producers.size())) return false;
  for (auto& [id, producer] : producers) {
    if (from.next<std::int64_t>() != id.value()) return false;
    if (const auto first = from.next<std::int64_t>(); first >= 0) {
      producer.transaction_first = Offset(first);
      producer.transaction_ended = true;
    }
    const auto count = from.next<std::int32_t>();
    if (count < 0 || static_cast<std::size_t>(count) > ProducerStates::batches_kept) return false;
    producer.count = static_cast<std::uint8_t>(count);
    for (std::size_t i = 0; i < producer.count; ++i) {
      auto& kept = producer.batches[i];
      kept.first_sequence = Sequence(from.next<std::int32_t>());
      kept.last_sequence = Sequence(from.next<std::int32_t>());
      kept.base_offset = Offset(from.next<std::int64_t>());
      kept.last_offset = Offset(from.next<std::int64_t>());
      kept.timestamp_ms = from.next<std::int64_t>();
    }
  }
  return from.ok();
}

bool decode_aborted(IntegerReader& from, AbortedTransactions& to) {
  const std::int32_t count = from.count(aborted_entry_size);
  for (std::int32_t i = 0; i < count; ++i) {
    AbortedEntry entry;
    entry.transaction.producer_id = ProducerId(from.next<std::int64_t>());
    entry.transaction.first = Offset(from.next<std::int64_t>());
    entry.transaction.last = Offset(from.next<std::int64_t>());
    entry.last_stable = Offset(from.next<std::int64_t>());
    if (!to.all().empty() && to.all().back().transaction.last >= entry.transaction.last) return false;
    to.add(entry);
  }
  return from.ok();
}

}  // namespace

Buffer encode_producer_snapshot(const ProducerStates& producers, const AbortedTransactions& aborted) {
  std::vector<std::pair<ProducerId, const Producer*>> sorted;
  sorted.reserve(producers.size());
  for (const auto& [id, producer] : producers.all()) sorted.emplace_back(id, &producer);
  std::ranges::sort(sorted);

  Buffer to;
  append_be(to, kafka_version);
  append_be(to, std::uint32_t{0});
  append_be(to, static_cast<std::int32_t>(sorted.size()));
  for (const auto& [id, producer] : sorted) encode_kafka_entry(to, id, *producer);
  append_be(to, own_version);
  append_be(to, static_cast<std::int32_t>(sorted.size()));
  for (const auto& [id, producer] : sorted) encode_own_entry(to, id, *producer);
  append_be(to, static_cast<std::int32_t>(aborted.all().size()));
  for (const AbortedEntry& entry : aborted.all()) {
    append_be(to, entry.transaction.producer_id.value());
    append_be(to, entry.transaction.first.value());
    append_be(to, entry.transaction.last.value());
    append_be(to, entry.last_stable.value());
  }
  store_be(to.data() + crc_position, crc32c(Bytes(to).substr(counted_from)));
  return to;
}

Result<ProducerSnapshot> decode_producer_snapshot(Bytes bytes, std::string_view where) {
  const auto broken = [&where](std::string_view what) { return fail(ErrorCode::corrupt, "{}: {}", where, what); };
  if (bytes.size() < counted_from) return broken("it is cut short");
  if (load_be<std::int16_t>(bytes.data()) != kafka_version) return broken("it is of another version");
  if (load_be<std::uint32_t>(bytes.data() + crc_position) != crc32c(bytes.substr(counted_from))) return broken("its checksum is wrong");
  IntegerReader from(bytes.substr(counted_from));
  ProducerSnapshot snapshot;
  std::vector<std::pair<ProducerId, Producer>> producers;
  if (!decode_producers(from, producers) || !decode_own(from, producers) || !decode_aborted(from, snapshot.aborted) || !from.at_end()) {
    return broken("its entries can't be read");
  }
  for (std::size_t i = 0; i < producers.size(); ++i) {
    if (i > 0 && producers[i].first <= producers[i - 1].first) return broken("its producers are not in order");
    snapshot.producers.restore(producers[i].first, producers[i].second);
  }
  return snapshot;
}

}  // namespace tripos::broker
