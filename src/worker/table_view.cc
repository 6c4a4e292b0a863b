#include "worker/table_view.h"

#include <fcntl.h>

#include <algorithm>

#include "json/canonical.h"
#include "worker/functions/scalar.h"
#include "worker/scan/vector_host.h"

namespace tripos::worker {
namespace {

// A type cut down to what is read, in both spellings.
struct Pruned {
  json::Type json;
  SqlType sql;
};

// Fields that the statement mentions stay, even if nobody reads what was made of them: it must still make sense.
Pruned prune(const json::Type& type, const SqlType& sql, const Usage* usage) {
  if (type.kind() != json::TypeKind::structure || usage == nullptr || usage->whole || usage->fields.empty()) {
    return {type, sql};
  }
  std::vector<json::Field> fields;
  std::vector<SqlField> sql_fields;
  for (std::size_t i = 0; i < type.fields().size(); ++i) {
    const auto used = usage->fields.find(sql.fields()[i].name);
    if (used == usage->fields.end()) {
      continue;
    }
    Pruned field = prune(type.fields()[i].type, sql.fields()[i].type, &used->second);
    fields.push_back({type.fields()[i].name, std::move(field.json)});
    sql_fields.push_back({sql.fields()[i].name, std::move(field.sql)});
  }
  return {json::Type::structure(std::move(fields)), SqlType::structure(std::move(sql_fields))};
}

std::string null_of(const SqlType& type) { return fmt::format("CAST(NULL AS {})", type.duckdb()); }

bool holds_string(const json::Type& type) {
  switch (type.kind()) {
    case json::TypeKind::array: return holds_string(type.element());
    case json::TypeKind::structure:
      return std::ranges::any_of(type.fields(), [](const json::Field& field) { return holds_string(field.type); });
    default: return type.kind() == json::TypeKind::string;
  }
}

// A value of a file's type as the table's type. `usage`: what is read of it, nullptr for all; a structure of which not all is read is never
// looked at as a whole, and what isn't read is NULL. Sets `loses` if its text would show strings of which it isn't known what they were.
std::string conversion(const std::string& value, const json::Type& from, const json::Type& to, const SqlType& to_sql, const Usage* usage,
                       int depth, bool& loses) {
  const bool cut = usage != nullptr && !usage->whole && !usage->fields.empty();
  if (!cut && from == to && SqlType::of(from) == to_sql) {
    return value;
  }
  if (from.kind() == json::TypeKind::null_so_far) {  // elements: no column is all null
    return null_of(to_sql);
  }
  if (to.kind() == json::TypeKind::string && from.kind() != json::TypeKind::string) {
    loses = loses || holds_string(from);
    return fmt::format("tripos_shown({}, {})", value, literal(from.text()));
  }
  if (to.kind() == json::TypeKind::structure && from.kind() == json::TypeKind::structure) {
    const std::vector<std::string> from_names = json::sql_names(from);
    std::string members;
    for (std::size_t i = 0; i < to.fields().size(); ++i) {
      const json::Field& field = to.fields()[i];
      const SqlField& sql_field = to_sql.fields()[i];
      const json::Field* source = from.field(field.name);
      const auto used = cut ? usage->fields.find(sql_field.name) : std::map<std::string, Usage, std::less<>>::const_iterator();
      const Usage* field_usage = cut && used != usage->fields.end() ? &used->second : nullptr;
      const std::string member = source == nullptr || (field_usage != nullptr && !field_usage->any())
                                     ? null_of(sql_field.type)
                                     : conversion(fmt::format("struct_extract({}, {})", value,
                                                              literal(from_names[static_cast<std::size_t>(source - from.fields().data())])),
                                                  source->type, field.type, sql_field.type, field_usage, depth, loses);
      members += fmt::format("{}{} := {}", members.empty() ? "" : ", ", quoted_name(sql_field.name), member);
    }
    const std::string packed = fmt::format("struct_pack({})", members);
    return cut ? packed : fmt::format("CASE WHEN {} IS NULL THEN NULL ELSE {} END", value, packed);
  }
  if (to.kind() == json::TypeKind::array && from.kind() == json::TypeKind::array) {
    const std::string parameter = quoted_name(fmt::format("element#{}", depth));
    return fmt::format("list_transform({}, lambda {}: {})", value, parameter,
                       conversion(parameter, from.element(), to.element(), to_sql.element(), nullptr, depth + 1, loses));
  }
  return fmt::format("CAST({} AS {})", value, to_sql.duckdb());
}

void shown(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  Rows rows(input, output);
  if (rows.count() == 0) {
    return;
  }
  const Result<json::Type> type = json::Type::parse(rows.text(1, 0));  // a literal, the same in all rows
  if (!type) {
    duckdb_scalar_function_set_error(info, type.error().message.c_str());
    return;
  }
  json::Column column(*type);
  VectorHost::bind(column, duckdb_data_chunk_get_vector(input, 0));
  Buffer text;
  for (idx_t row = 0; row < rows.count(); ++row) {
    if (!column.is_valid(row)) {
      rows.set_null(row);
      continue;
    }
    text.clear();
    json::append_shown(column, row, text);
    rows.set_text(row, text);
  }
}

}  // namespace

json::Type without_nulls(const json::Type& type) {
  if (type.kind() == json::TypeKind::array) {
    return json::Type::array(without_nulls(type.element()));
  }
  if (type.kind() != json::TypeKind::structure) {
    return type;
  }
  std::vector<json::Field> fields;
  for (const json::Field& field : type.fields()) {
    json::Type kept = without_nulls(field.type);
    if (kept.kind() != json::TypeKind::null_so_far) {
      fields.push_back({field.name, std::move(kept)});
    }
  }
  return json::Type::structure(std::move(fields));
}

Result<> register_shown_function(const Connection& connection) {
  return register_scalar(connection, "tripos_shown", {DUCKDB_TYPE_ANY, DUCKDB_TYPE_VARCHAR}, DUCKDB_TYPE_VARCHAR, shown);
}

Result<PinnedTableView> PinnedTableView::open(protocol::PinnedTable table, std::span<const protocol::Descriptor> descriptors,
                                              std::size_t thread_count) {
  PinnedTableView view;
  view.table_ = std::move(table);
  view.scan_ = std::make_shared<Scan>();
  Scan& scan = *view.scan_;
  scan.kind = view.table_.kind;
  scan.topic = view.table_.topic;
  scan.thread_count = thread_count;
  TRIPOS_ASSIGN(scan.log, LiveLog::open(view.table_.ranges, descriptors));
  if (scan.kind != protocol::TableKind::rows) {
    view.columns_ = record_columns(scan.kind);
    return view;
  }
  TRIPOS_ASSIGN(const json::Type schema, json::Type::parse(view.table_.schema));
  view.type_ = schema.settled();
  if (view.type_.kind() != json::TypeKind::structure || view.type_.fields().empty()) {
    return fail(ErrorCode::not_found,
                "the table {} has no columns yet: no JSON object with a field has come into the topic {}; {}_messages shows its records",
                view.table_.name, view.table_.topic, view.table_.name);
  }
  const SqlType type = SqlType::of(view.type_);
  view.columns_.assign(type.fields().begin(), type.fields().end());
  view.hidden_columns_ = record_columns(scan.kind);
  if (view.table_.compacted) {
    TRIPOS_TRY(find_last_of_keys(scan));
  }
  for (const protocol::PinnedFile& file : view.table_.files) {
    const int descriptor = ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
      return tl::unexpected(os_error(errno, "opening", file.path));
    }
    view.files_.emplace_back(descriptor);
  }
  return view;
}

Result<std::string> PinnedTableView::sql(const ColumnUsage& usage, Scans& scans, LostValues& lost_values) {
  if (table_.kind != protocol::TableKind::rows) {
    return fmt::format("tripos_scan({})", scans.add(scan_));
  }
  const auto usage_of = [&usage](const std::string& column) {
    const auto used = usage.find(column);
    return used == usage.end() ? nullptr : &used->second;
  };
  std::vector<Pruned> wanted;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    wanted.push_back(prune(type_.fields()[i].type, columns_[i].type, usage_of(columns_[i].name)));
  }
  std::string hidden;          // DuckDB drops those that nobody reads
  std::string hidden_in_file;  // their timestamps are of another type
  for (const SqlField& column : hidden_columns_) {
    const std::string name = quoted_name(column.name);
    const bool cast = column.type.duckdb() != column.type.parquet();
    hidden += ", " + name;
    hidden_in_file += cast ? fmt::format(", CAST({0} AS {1}) AS {0}", name, column.type.duckdb()) : ", " + name;
  }
  std::string arms;
  const auto add_arm = [&arms](const std::string& arm) { arms += (arms.empty() ? "" : " UNION ALL ") + arm; };
  for (std::size_t first = 0; first < files_.size();) {
    std::size_t last = first + 1;
    // A file with rows that were deleted stands alone: the others need no look at offsets.
    const protocol::PinnedFile& head = table_.files[first];
    const bool keeps_lost = head.lost_count > 0;
    while (last < files_.size() && !head.holds_more && !table_.files[last].holds_more && table_.files[last].schema == head.schema &&
           (table_.files[last].lost_count > 0) == keeps_lost) {
      ++last;
    }
    TRIPOS_ASSIGN(const json::Type schema, json::Type::parse(table_.files[first].schema));
    const json::Type from = without_nulls(schema);
    const std::vector<std::string> from_names = json::sql_names(from);
    std::string list;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const json::Field* source = from.field(type_.fields()[i].name);
      bool loses = false;
      std::string value = source == nullptr ? null_of(wanted[i].sql)
                                            : conversion(quoted_name(from_names[static_cast<std::size_t>(source - from.fields().data())]),
                                                         source->type, wanted[i].json, wanted[i].sql, usage_of(columns_[i].name), 0, loses);
      if (loses && keeps_lost) {
        TRIPOS_ASSIGN(const std::string function, lost_values.function({source->name, wanted[i].json}, wanted[i].sql));
        value = fmt::format("coalesce({}({}), {})", function, quoted_name(lost_column().name), value);
      }
      list += fmt::format("{}{} AS {}", list.empty() ? "" : ", ", value, quoted_name(columns_[i].name));
    }
    list += hidden_in_file;
    const std::string condition =
        head.holds_more ? fmt::format(" WHERE {} >= {}", quoted_name(hidden_columns_[1].name), head.begin) : std::string();
    std::string paths;
    for (; first < last; ++first) {
      paths += fmt::format("{}'/proc/self/fd/{}'", paths.empty() ? "" : ", ", files_[first].number());
    }
    add_arm(fmt::format("SELECT {} FROM read_parquet([{}], hive_partitioning = false){}", list, paths, condition));
  }
  if (!scan_->log.pieces().empty() || files_.empty()) {
    std::vector<json::Field> fields;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      fields.push_back({type_.fields()[i].name, wanted[i].json});
      scan_->columns.resize(columns_.size());
      scan_->columns[i] = {columns_[i].name, wanted[i].sql};
    }
    scan_->type = json::Type::structure(std::move(fields));
    std::string list;
    for (const SqlField& column : columns_) {
      list += (list.empty() ? "" : ", ") + quoted_name(column.name);
    }
    list += hidden;
    add_arm(fmt::format("SELECT {} FROM tripos_scan({})", list, scans.add(scan_)));
  }
  return fmt::format("({})", arms);
}

}  // namespace tripos::worker
