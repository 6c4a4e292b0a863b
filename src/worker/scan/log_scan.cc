#include "worker/scan/log_scan.h"

#include <algorithm>

#include "base/check.h"
#include "json/shred.h"
#include "worker/scan/record_cursor.h"
#include "worker/scan/vector_host.h"

namespace tripos::worker {
namespace {

// Positions in record_columns().
enum RowColumn : std::size_t { row_partition, row_offset, row_timestamp, row_key, row_column_count };
enum MessageColumn : std::size_t {
  message_key,
  message_value,
  message_topic,
  message_partition,
  message_offset,
  message_timestamp,
  message_timestamp_type
};
enum RejectedColumn : std::size_t {
  rejected_partition,
  rejected_offset,
  rejected_timestamp,
  rejected_key,
  rejected_reason,
  rejected_value
};

constexpr std::size_t not_wanted = static_cast<std::size_t>(-1);

struct Shared {  // of one run of the function
  std::shared_ptr<Scan> scan;
  std::vector<std::size_t> place;  // by column: its place in the output
  std::atomic<std::size_t> next_piece = 0;
};

// The wanted fields: their type, and where in the output each goes.
json::Type wanted_type(const Shared& shared, std::vector<std::size_t>& places) {
  std::vector<json::Field> fields;
  for (std::size_t i = 0; i < shared.scan->columns.size(); ++i) {
    const std::size_t place = shared.place[row_column_count + i];
    if (place != not_wanted) {
      fields.push_back(shared.scan->type.fields()[i]);
      places.push_back(place);
    }
  }
  return json::Type::structure(std::move(fields));
}

class Local {  // of one thread
 public:
  explicit Local(Shared& shared) : shared_(shared), scan_(*shared.scan), shredder_(wanted_type_of(), host_) {
    if (scan_.keeps_lost) {
      shredder_.keep_lost();
    }
  }

  Result<> fill(duckdb_data_chunk output) {
    begin(output);
    const idx_t rows_max = duckdb_vector_size();
    idx_t row = 0;
    while (row < rows_max) {
      TRIPOS_ASSIGN(const Record* record, next_record());
      if (record == nullptr) {
        break;
      }
      const bool written = scan_.kind == protocol::TableKind::rows       ? write_row(*record, row)
                           : scan_.kind == protocol::TableKind::messages ? write_message(*record, row)
                                                                         : write_rejected(*record, row);
      row += written ? 1 : 0;
      if (failure_) {
        return tl::unexpected(std::move(*failure_));
      }
    }
    for (const json::Column& column : shredder_.root().children) {
      VectorHost::finish(column);
    }
    duckdb_data_chunk_set_size(output, row);
    scan_.row_count += static_cast<std::int64_t>(row);
    return {};
  }

 private:
  json::Type wanted_type_of() {
    return scan_.kind == protocol::TableKind::rows ? wanted_type(shared_, places_) : json::Type::structure({});
  }

  void begin(duckdb_data_chunk output) {
    cursor_.begin_chunk();
    output_ = output;
    vectors_.clear();
    for (const std::size_t place : shared_.place) {
      vectors_.push_back(place == not_wanted ? nullptr : duckdb_data_chunk_get_vector(output, place));
    }
    shredder_.start_chunk();
    auto& columns = shredder_.root().children;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      VectorHost::bind(columns[i], duckdb_data_chunk_get_vector(output, places_[i]));
    }
  }

  Result<const Record*> next_record() {
    while (true) {
      if (has_piece_) {
        TRIPOS_ASSIGN(const Record* record, cursor_.next());
        if (record != nullptr) {
          return record;
        }
      }
      const std::size_t piece = shared_.next_piece++;
      has_piece_ = piece < scan_.log.pieces().size();
      if (!has_piece_) {
        shared_.next_piece = scan_.log.pieces().size();
        return nullptr;
      }
      cursor_.start(scan_.log.pieces()[piece]);
    }
  }

  // Only the last record of a key counts in a compacted topic.
  [[nodiscard]] bool superseded(const Record& record) const {
    if (!scan_.compacted || !record.key) {
      return false;
    }
    const auto partition = scan_.last_offsets.find(cursor_.partition());
    return partition == scan_.last_offsets.end() || !partition->second.contains(record.offset.value());
  }

  bool write_row(const Record& record, idx_t row) {
    if (!record.value) {
      ++scan_.tombstone_count;
      return false;
    }
    if (superseded(record)) {
      return false;
    }
    const json::Verdict verdict = places_.empty() ? reader_.check(*record.value) : shredder_.shred(*record.value, row);
    if (!verdict.is_row()) {
      if (verdict.reason == json::Reason::too_large && record.value->size() <= json::value_size_max) {
        failure_ =
            Error{ErrorCode::too_large, fmt::format("the values at offset {} need more memory than the query may take", record.offset)};
      }
      scan_.rejected_count += verdict.outcome == json::Outcome::rejected ? 1 : 0;
      return false;
    }
    put<std::int32_t>(row_partition, row, cursor_.partition().value());
    put<std::int64_t>(row_offset, row, record.offset.value());
    put_timestamp(row_timestamp, row, record.timestamp_ms);
    put_bytes(row_key, row, record.key);
    if (scan_.keeps_lost) {
      const Bytes lost = shredder_.lost();
      put_bytes(vectors_.size() - 1, row, lost.empty() ? std::nullopt : std::optional(lost));
      scan_.lost_count += lost.empty() ? 0 : 1;
    }
    return true;
  }

  bool write_message(const Record& record, idx_t row) {
    put_bytes(message_key, row, record.key);
    put_bytes(message_value, row, record.value);
    put_bytes(message_topic, row, Bytes(scan_.topic));
    put<std::int32_t>(message_partition, row, cursor_.partition().value());
    put<std::int64_t>(message_offset, row, record.offset.value());
    put_timestamp(message_timestamp, row, record.timestamp_ms);
    put<std::int32_t>(message_timestamp_type, row, static_cast<std::int32_t>(cursor_.timestamp_type()));
    return true;
  }

  bool write_rejected(const Record& record, idx_t row) {
    if (!record.value) {
      return false;
    }
    const json::Verdict verdict = reader_.check(*record.value);
    if (verdict.is_row()) {
      return false;
    }
    put<std::int32_t>(rejected_partition, row, cursor_.partition().value());
    put<std::int64_t>(rejected_offset, row, record.offset.value());
    put_timestamp(rejected_timestamp, row, record.timestamp_ms);
    put_bytes(rejected_key, row, record.key);
    if (vectors_[rejected_reason] != nullptr) {
      const std::string reason = verdict.text();
      duckdb_vector_assign_string_element_len(vectors_[rejected_reason], row, reason.data(), reason.size());
    }
    put_bytes(rejected_value, row, record.value->substr(0, rejected_bytes_shown_max));
    return true;
  }

  template <typename T>
  void put(std::size_t column, idx_t row, T value) {
    if (vectors_[column] != nullptr) {
      static_cast<T*>(duckdb_vector_get_data(vectors_[column]))[row] = value;
    }
  }

  void put_null(std::size_t column, idx_t row) {
    duckdb_vector_ensure_validity_writable(vectors_[column]);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vectors_[column]), row);
  }

  void put_timestamp(std::size_t column, idx_t row, std::int64_t timestamp_ms) {
    constexpr std::int64_t representable_ms_max = 250'000'000'000'000;  // DuckDB's microseconds hold it
    if (vectors_[column] == nullptr) {
      return;
    }
    if (timestamp_ms == -1 || timestamp_ms > representable_ms_max || timestamp_ms < -representable_ms_max) {
      put_null(column, row);
    } else {
      put<std::int64_t>(column, row, timestamp_ms * 1000);
    }
  }

  void put_bytes(std::size_t column, idx_t row, const std::optional<Bytes>& bytes) {
    if (vectors_[column] == nullptr) {
      return;
    }
    if (bytes) {
      put<json::StringCell>(column, row, string_cell(*bytes));
    } else {
      put_null(column, row);
    }
  }

  Shared& shared_;
  Scan& scan_;
  std::vector<std::size_t> places_;  // of the wanted fields
  VectorHost host_;
  RecordCursor cursor_;
  json::Shredder shredder_;
  json::Reader reader_;
  duckdb_data_chunk output_ = nullptr;
  std::vector<duckdb_vector> vectors_;  // by column; nullptr: not wanted
  bool has_piece_ = false;
  std::optional<Error> failure_;
};

void bind(duckdb_bind_info info) {
  auto* scans = static_cast<Scans*>(duckdb_bind_get_extra_info(info));
  duckdb_value number = duckdb_bind_get_parameter(info, 0);
  const auto scan = scans->find(static_cast<std::size_t>(duckdb_get_int64(number)));
  duckdb_destroy_value(&number);
  if (!scan) {
    duckdb_bind_set_error(info, "there is no such scan");
    return;
  }
  const auto add = [info](const SqlField& column) {
    const LogicalType type = logical_type_of(column.type);
    duckdb_bind_add_result_column(info, column.name.c_str(), type.get());
  };
  std::ranges::for_each(record_columns(scan->kind), add);
  if (scan->kind == protocol::TableKind::rows) {
    std::ranges::for_each(scan->columns, add);
    if (scan->keeps_lost) {
      add(lost_column());
    }
  }
  duckdb_bind_set_cardinality(info, static_cast<idx_t>(std::max<std::int64_t>(scan->log.record_count(), 0)), false);
  duckdb_bind_set_bind_data(info, new std::shared_ptr<Scan>(scan), [](void* owned) { delete static_cast<std::shared_ptr<Scan>*>(owned); });
}

void init(duckdb_init_info info) {
  auto shared = std::make_unique<Shared>();
  shared->scan = *static_cast<std::shared_ptr<Scan>*>(duckdb_init_get_bind_data(info));
  const Scan& scan = *shared->scan;
  const std::size_t column_count =
      record_columns(scan.kind).size() + (scan.kind == protocol::TableKind::rows ? scan.columns.size() : 0) + (scan.keeps_lost ? 1 : 0);
  shared->place.assign(column_count, not_wanted);
  for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
    if (const idx_t column = duckdb_init_get_column_index(info, i); column < column_count) {
      shared->place[column] = i;
    }
  }
  duckdb_init_set_max_threads(info, std::clamp<idx_t>(scan.log.pieces().size(), 1, scan.thread_count));
  duckdb_init_set_init_data(info, shared.release(), [](void* owned) { delete static_cast<Shared*>(owned); });
}

// The thread's state needs what init() made; it is reached at the first call.
void init_local(duckdb_init_info info) {
  duckdb_init_set_init_data(info, new std::unique_ptr<Local>(), [](void* owned) { delete static_cast<std::unique_ptr<Local>*>(owned); });
}

void run(duckdb_function_info info, duckdb_data_chunk output) {
  auto& local = *static_cast<std::unique_ptr<Local>*>(duckdb_function_get_local_init_data(info));
  if (!local) {
    local = std::make_unique<Local>(*static_cast<Shared*>(duckdb_function_get_init_data(info)));
  }
  if (const Result<> filled = local->fill(output); !filled) {
    duckdb_function_set_error(info, filled.error().message.c_str());
  }
}

}  // namespace

const std::vector<SqlField>& record_columns(protocol::TableKind kind) {
  static const std::vector<SqlField> rows = {{"__tripos_partition", SqlKind::integer},
                                             {"__tripos_offset", SqlKind::big_integer},
                                             {"__tripos_timestamp", SqlKind::timestamp},
                                             {"__tripos_key", SqlKind::binary}};
  static const std::vector<SqlField> messages = {{"key", SqlKind::binary},           {"value", SqlKind::binary},
                                                 {"topic", SqlKind::string},         {"partition", SqlKind::integer},
                                                 {"offset", SqlKind::big_integer},   {"timestamp", SqlKind::timestamp},
                                                 {"timestampType", SqlKind::integer}};
  static const std::vector<SqlField> rejected = {{"partition", SqlKind::integer},   {"offset", SqlKind::big_integer},
                                                 {"timestamp", SqlKind::timestamp}, {"key", SqlKind::binary},
                                                 {"reason", SqlKind::string},       {"value", SqlKind::binary}};
  return kind == protocol::TableKind::rows ? rows : kind == protocol::TableKind::messages ? messages : rejected;
}

const SqlField& lost_column() {
  static const SqlField column = {"__tripos_lost", SqlKind::string};
  return column;
}

Result<> find_last_of_keys(Scan& scan) {
  scan.compacted = true;
  struct Last {
    std::int64_t offset;
    bool tombstone;
  };
  std::map<PartitionId, std::map<std::string, Last, std::less<>>> last;
  RecordCursor cursor;
  for (const LogPiece& piece : scan.log.pieces()) {
    cursor.start(piece);
    while (true) {
      cursor.begin_chunk();
      TRIPOS_ASSIGN(const Record* record, cursor.next());
      if (record == nullptr) {
        break;
      }
      if (record->key) {
        last[piece.partition].insert_or_assign(std::string(*record->key), Last{record->offset.value(), !record->value});
      }
    }
  }
  for (const auto& [partition, keys] : last) {
    for (const auto& [key, of_key] : keys) {
      if (!of_key.tombstone) {
        scan.last_offsets[partition].insert(of_key.offset);
      }
    }
  }
  return {};
}

std::size_t Scans::add(std::shared_ptr<Scan> scan) {
  const std::lock_guard lock(mutex_);
  scans_.emplace(next_, std::move(scan));
  return next_++;
}

std::shared_ptr<Scan> Scans::find(std::size_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = scans_.find(number);
  return found == scans_.end() ? nullptr : found->second;
}

void Scans::clear() {
  const std::lock_guard lock(mutex_);
  scans_.clear();
}

Result<> register_log_scan(const Connection& connection, Scans& scans) {
  Owner<duckdb_table_function, duckdb_destroy_table_function> function(duckdb_create_table_function());
  duckdb_table_function_set_name(function.get(), "tripos_scan");
  const LogicalType number(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  duckdb_table_function_add_parameter(function.get(), number.get());
  duckdb_table_function_set_extra_info(function.get(), &scans, nullptr);
  duckdb_table_function_set_bind(function.get(), bind);
  duckdb_table_function_set_init(function.get(), init);
  duckdb_table_function_set_local_init(function.get(), init_local);
  duckdb_table_function_set_function(function.get(), run);
  duckdb_table_function_supports_projection_pushdown(function.get(), true);
  if (duckdb_register_table_function(connection.get(), function.get()) != DuckDBSuccess) {
    return fail(ErrorCode::query, "DuckDB refuses the function tripos_scan");
  }
  return {};
}

LogicalType logical_type_of(const SqlType& type) {
  switch (type.kind()) {
    case SqlKind::array: {
      const LogicalType element = logical_type_of(type.element());
      return LogicalType(duckdb_create_list_type(element.get()));
    }
    case SqlKind::structure: {
      std::vector<LogicalType> owned;
      std::vector<duckdb_logical_type> types;
      std::vector<const char*> names;
      for (const SqlField& field : type.fields()) {
        owned.push_back(logical_type_of(field.type));
        types.push_back(owned.back().get());
        names.push_back(field.name.c_str());
      }
      return LogicalType(duckdb_create_struct_type(types.data(), names.data(), types.size()));
    }
    case SqlKind::decimal:
      return LogicalType(duckdb_create_decimal_type(static_cast<uint8_t>(type.precision()), static_cast<uint8_t>(type.scale())));
    case SqlKind::boolean: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN));
    case SqlKind::integer: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_INTEGER));
    case SqlKind::big_integer: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
    case SqlKind::double_float: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE));
    case SqlKind::timestamp: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP));
    case SqlKind::binary: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_BLOB));
    default: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  }
}

}  // namespace tripos::worker
