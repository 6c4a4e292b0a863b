#include "worker/range_writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace tripos::worker {
namespace {

constexpr std::size_t row_group_rows = 122'880;
// Rows of a row group are held in memory until it is written: fewer where little is allowed.
constexpr std::uint64_t memory_bytes_for_large_groups = std::uint64_t{1} << 30;
constexpr std::size_t row_group_rows_small = 32'768;

}  // namespace

Result<protocol::Wrote> write_range(Engine& engine, const protocol::WriteRange& order, std::span<const protocol::Descriptor> descriptors) {
  auto scan = std::make_shared<Scan>();
  scan->kind = protocol::TableKind::rows;
  scan->topic = order.topic;
  scan->thread_count = 1;  // in the order of offsets
  TRIPOS_ASSIGN(const json::Type schema, json::Type::parse(order.schema));
  scan->type = without_nulls(schema);
  if (scan->type.kind() != json::TypeKind::structure) {
    scan->type = json::Type::structure({});
  }
  const SqlType sql_type = SqlType::of(scan->type);
  scan->columns.assign(sql_type.fields().begin(), sql_type.fields().end());
  TRIPOS_ASSIGN(scan->log, LiveLog::open({&order.range, 1}, descriptors));

  std::string columns;
  for (const SqlField& column : record_columns(protocol::TableKind::rows)) {
    columns += (columns.empty() ? "" : ", ") + quoted_name(column.name);
  }
  for (const SqlField& column : scan->columns) {
    columns += ", " + quoted_name(column.name);
  }
  std::string footer;
  for (const protocol::KeyValue& entry : order.footer) {
    footer += fmt::format("{}{}: {}", footer.empty() ? ", KV_METADATA {" : ", ", quoted_name(entry.key), literal(entry.value));
  }
  footer += footer.empty() ? "" : "}";
  const bool roomy = engine.configure.memory_bytes_max == 0 || engine.configure.memory_bytes_max >= memory_bytes_for_large_groups;
  const std::string partial = order.path + ".partial";
  const Result<> copied = engine.connection.execute(
      fmt::format("COPY (SELECT {} FROM tripos_scan({})) TO {} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {}{})", columns,
                  engine.scans.add(scan), literal(partial), roomy ? row_group_rows : row_group_rows_small, footer));
  if (!copied) {
    ::unlink(partial.c_str());
    return tl::unexpected(Error(copied.error()).within(fmt::format("writing {}", order.path)));
  }
  struct stat status {};
  if (::stat(partial.c_str(), &status) != 0 || ::rename(partial.c_str(), order.path.c_str()) != 0) {
    return tl::unexpected(os_error(errno, "renaming", partial));
  }
  return protocol::Wrote{.row_count = scan->row_count,
                         .rejected_count = scan->rejected_count,
                         .tombstone_count = scan->tombstone_count,
                         .file_bytes = static_cast<std::uint64_t>(status.st_size)};
}

}  // namespace tripos::worker
