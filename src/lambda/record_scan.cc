#include "lambda/record_scan.h"

#include <algorithm>
#include <utility>

#include "model/batch_order.h"

namespace tripos::lambda {

namespace {

constexpr std::uint64_t window_size = std::uint64_t{1} << 20;
constexpr std::size_t decompressed_size_max = std::size_t{1} << 30;  // a batch's; producing has refused larger ones

tl::unexpected<Error> damaged(const LogSlice& slice, std::uint64_t position, std::string_view what) {
  return fail(ErrorCode::corrupt, "{}: at byte {} {}", slice.file->name(), position, what);
}

Result<> in_file(const LogSlice& slice, Result<> result) {
  if (!result) return tl::unexpected(std::move(result).error().within(slice.file->name()));
  return result;
}

}  // namespace

RecordScan::RecordScan() : reader_(decompressed_size_max) {}

Result<> RecordScan::scan(const PartitionRange& range, const Take& take) {
  aborted_ = AbortedBatches(range.aborted);
  for (const LogSlice& slice : range.slices) TRIPOS_TRY(scan_slice(range, slice, take));
  return {};
}

Result<> RecordScan::scan_slice(const PartitionRange& range, const LogSlice& slice, const Take& take) {
  std::uint64_t wanted = window_size;
  BatchOrder order(slice.from, slice.to);
  for (std::uint64_t position = slice.begin; position < slice.end;) {
    window_.clear();
    TRIPOS_TRY(slice.file->read(position, static_cast<std::size_t>(std::min(wanted, slice.end - position)), window_));
    wanted = window_size;
    Bytes rest = window_;
    while (rest.size() >= batch_layout::log_overhead) {
      const auto size = RecordBatchView::size_from_prefix(rest);
      if (!size || *size > slice.end - position) return damaged(slice, position, "no record batch starts");
      if (*size > rest.size()) {
        wanted = std::max<std::uint64_t>(window_size, *size);
        break;
      }
      auto batch = RecordBatchView::parse(rest);
      if (!batch) return damaged(slice, position, batch.error().message);
      if (!batch->crc_matches()) return damaged(slice, position, "the record batch has a wrong checksum");
      TRIPOS_TRY(in_file(slice, order.take(position, batch->base_offset(), batch->next_offset())));
      TRIPOS_TRY(in_file(slice, take_batch(range, *batch, take)));
      rest.remove_prefix(*size);
      position += *size;
    }
    if (rest.size() < batch_layout::log_overhead && position + rest.size() >= slice.end && !rest.empty()) {
      return damaged(slice, position, "a record batch is cut short");
    }
  }
  return {};
}

Result<> RecordScan::take_batch(const PartitionRange& range, const RecordBatchView& batch, const Take& take) {
  if (batch.is_control() || batch.next_offset() <= range.begin || batch.base_offset() >= range.end.offset) return {};
  if (aborted_.contains(batch)) return {};
  TRIPOS_TRY(reader_.start(batch));
  while (true) {
    TRIPOS_ASSIGN(const Record* record, reader_.next());
    if (record == nullptr) return {};
    if (record->offset >= range.begin && record->offset < range.end.offset) take(*record);
  }
}

Result<> RecordScan::scan_headers(const PartitionRange& range, const std::function<void(const BatchPlace&)>& take) {
  Buffer header;
  for (std::size_t i = 0; i < range.slices.size(); ++i) {
    const LogSlice& slice = range.slices[i];
    BatchOrder order(slice.from, slice.to);
    for (std::uint64_t position = slice.begin; position < slice.end;) {
      header.clear();
      if (slice.end - position < batch_layout::header_size) return damaged(slice, position, "a record batch is cut short");
      TRIPOS_TRY(slice.file->read(position, batch_layout::log_overhead, header));
      const auto size = RecordBatchView::size_from_prefix(header);
      if (!size || *size > slice.end - position) return damaged(slice, position, "no record batch starts");
      const Offset base(load_be<std::int64_t>(header.data()));
      TRIPOS_TRY(in_file(slice, order.take(position, base, base + 1)));
      take({.slice = i, .position = position, .base_offset = base});
      position += *size;
    }
  }
  return {};
}

}  // namespace tripos::lambda
