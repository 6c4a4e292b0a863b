#include "worker/range_writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace tripos::worker {
namespace {

// Rows of a row group are held in memory until it is written: fewer where little is allowed, or where they are wide.
constexpr std::size_t row_group_rows_max = 122'880;
constexpr std::size_t row_group_rows_min = 2'048;
constexpr std::size_t rows_when_memory_is_small = 32'768;
constexpr std::uint64_t memory_bytes_for_large_groups = std::uint64_t{1} << 30;
constexpr std::size_t cells_max = std::size_t{16} << 20;

// Columns of Parquet.
std::size_t leaf_count(const SqlType& type) {
  if (type.is(SqlKind::array)) {
    return leaf_count(type.element());
  }
  std::size_t count = type.fields().empty() ? 1 : 0;
  for (const SqlField& field : type.fields()) {
    count += leaf_count(field.type);
  }
  return count;
}

std::size_t row_group_rows(const SqlType& type, std::uint64_t memory_bytes_max) {
  const bool roomy = memory_bytes_max == 0 || memory_bytes_max >= memory_bytes_for_large_groups;
  return std::clamp(cells_max / leaf_count(type), row_group_rows_min, roomy ? row_group_rows_max : rows_when_memory_is_small);
}

// A string inside of a structure or an array may show a value that isn't one.
bool may_lose(const json::Type& type, int level) {
  if (type.kind() == json::TypeKind::array) {
    return may_lose(type.element(), level + 1);
  }
  if (type.kind() != json::TypeKind::structure) {
    return type.kind() == json::TypeKind::string && level > 1;
  }
  return std::ranges::any_of(type.fields(), [&](const json::Field& field) { return may_lose(field.type, level + 1); });
}

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
  scan->keeps_lost = may_lose(scan->type, 0);
  TRIPOS_ASSIGN(scan->log, LiveLog::open({&order.range, 1}, descriptors));

  std::string columns;
  for (const SqlField& column : record_columns(protocol::TableKind::rows)) {
    columns += fmt::format("{0}CAST({1} AS {2}) AS {1}", columns.empty() ? "" : ", ", quoted_name(column.name), column.type.parquet());
  }
  for (const SqlField& column : scan->columns) {
    columns += ", " + quoted_name(column.name);
  }
  columns += scan->keeps_lost ? ", " + quoted_name(lost_column().name) : "";
  std::string footer;
  for (const protocol::KeyValue& entry : order.footer) {
    footer += fmt::format("{}{}: {}", footer.empty() ? ", KV_METADATA {" : ", ", quoted_name(entry.key), literal(entry.value));
  }
  footer += footer.empty() ? "" : "}";
  const std::string partial = order.path + ".partial";
  const Result<> copied = engine.connection.execute(
      fmt::format("COPY (SELECT {} FROM tripos_scan({})) TO {} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {}{})", columns,
                  engine.scans.add(scan), literal(partial), row_group_rows(sql_type, engine.configure.memory_bytes_max), footer));
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
                         .lost_count = scan->lost_count,
                         .file_bytes = static_cast<std::uint64_t>(status.st_size)};
}

}  // namespace tripos::worker
