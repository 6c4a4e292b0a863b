#include "lambda/plain_column_files.h"

#include "json/reader.h"
#include "lambda/record_scan.h"

namespace tripos::lambda {

namespace {
constexpr std::size_t file_size_max = std::size_t{64} << 20;
constexpr std::size_t row_header_size = 16;
}  // namespace

Result<std::vector<WrittenColumnFile>> PlainColumnFiles::write(std::span<const ColumnFileOrder> orders) {
  std::vector<WrittenColumnFile> written;
  for (const ColumnFileOrder& order : orders) {
    TRIPOS_ASSIGN(const auto file, write_one(order));
    written.push_back(file);
  }
  return written;
}

Result<WrittenColumnFile> PlainColumnFiles::write_one(const ColumnFileOrder& order) const {
  WrittenColumnFile counts;
  Buffer rows;
  json::Reader reader;
  RecordScan scan;
  TRIPOS_TRY(scan.scan(order.range, [&](const Record& record) {
    const json::Outcome outcome = reader.check(record.value).outcome;
    counts.rejected_count += outcome == json::Outcome::rejected ? 1 : 0;
    counts.tombstone_count += outcome == json::Outcome::tombstone ? 1 : 0;
    if (outcome != json::Outcome::row) return;
    ++counts.row_count;
    append_be(rows, record.offset.value());
    append_be(rows, static_cast<std::uint64_t>(record.value->size()));
    rows.append(*record.value);
  }));
  TRIPOS_ASSIGN(const auto file, files_.open(order.path, io::OpenMode::create_new));
  const Bytes parts[] = {rows};
  TRIPOS_TRY(file->write_at(0, parts));
  return counts;
}

Result<std::vector<PlainRow>> PlainColumnFiles::read(const std::string& path) const {
  TRIPOS_ASSIGN(const Buffer text, io::read_file(files_, path, file_size_max));
  std::vector<PlainRow> rows;
  for (Bytes rest = text; !rest.empty();) {
    if (rest.size() < row_header_size) return fail(ErrorCode::corrupt, "{}: ends in the middle of a row", path);
    const Offset offset(load_be<std::int64_t>(rest.data()));
    const auto size = load_be<std::uint64_t>(rest.data() + 8);
    rest.remove_prefix(row_header_size);
    if (rest.size() < size) return fail(ErrorCode::corrupt, "{}: ends in the middle of a row", path);
    rows.push_back({.offset = offset, .value = Buffer(rest.substr(0, size))});
    rest.remove_prefix(size);
  }
  return rows;
}

}  // namespace tripos::lambda
