#include "model/control_record.h"

namespace tripos {

namespace {

constexpr std::int16_t key_version = 0;
constexpr std::int16_t value_version = 0;
constexpr std::int16_t type_abort = 0;
constexpr std::int16_t type_commit = 1;
constexpr std::size_t key_size = 4;
constexpr std::size_t value_size = 6;
constexpr std::size_t batch_bytes_max = 4096;  // decompressed; a marker takes 78

}  // namespace

Buffer build_marker_batch(const TransactionMarker& marker, WallTime timestamp) {
  Buffer key;
  append_be(key, key_version);
  append_be(key, marker.committed ? type_commit : type_abort);
  Buffer value;
  append_be(value, value_version);
  append_be(value, marker.coordinator_epoch);
  RecordBatchBuilder builder;
  builder.add(timestamp, Bytes(key), Bytes(value));
  RecordBatchFields fields;
  fields.producer_id = marker.producer_id;
  fields.producer_epoch = marker.producer_epoch;
  fields.transactional = true;
  fields.control = true;
  return builder.finish(fields);
}

Result<TransactionMarker> read_marker_batch(const RecordBatchView& batch) {
  if (!batch.is_control()) return fail(ErrorCode::malformed, "the batch at offset {} is no control batch", batch.base_offset());
  RecordReader reader(batch_bytes_max);
  TRIPOS_TRY(reader.start(batch));
  TRIPOS_ASSIGN(const Record* const record, reader.next());
  if (record == nullptr || !record->key || record->key->size() < key_size || !record->value || record->value->size() < value_size) {
    return fail(ErrorCode::malformed, "the control batch at offset {} holds no transaction marker", batch.base_offset());
  }
  const auto type = load_be<std::int16_t>(record->key->data() + 2);
  if (type != type_abort && type != type_commit) {
    return fail(ErrorCode::malformed, "the control batch at offset {} is of the unknown type {}", batch.base_offset(), type);
  }
  return TransactionMarker{.producer_id = batch.producer_id(),
                           .producer_epoch = batch.producer_epoch(),
                           .committed = type == type_commit,
                           .coordinator_epoch = load_be<std::int32_t>(record->value->data() + 2)};
}

}  // namespace tripos
