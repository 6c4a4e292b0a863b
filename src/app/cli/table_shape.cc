#include "app/cli/table_shape.h"

#include "app/cli/query.h"
#include "exam/sql_text.h"

namespace tripos::app {
namespace {

exam::TableField field_of(std::string name, const ColumnType& type) {
  exam::TableField field{.name = std::move(name), .type = {}};
  const ColumnType* element = &type;
  for (; element->kind == ColumnType::Kind::array; element = &element->element.front()) ++field.array_depth;
  field.type = element->kind == ColumnType::Kind::structure ? "struct" : element->name;
  for (const ColumnType::Field& below : element->fields) field.fields.push_back(field_of(below.name, below.type));
  return field;
}

constexpr int attempts_max = 10;

}  // namespace

Result<exam::TableShape> fetch_shape(client::HttpClient& http, const std::string& table) {
  const std::string name = exam::quoted_name(table);
  TRIPOS_ASSIGN(const Rows rows, fetch_rows(http, {.sql = fmt::format("SELECT * FROM {} LIMIT 0", name)}, 0));
  // A view has no records of its own, and refuses this.
  const bool has_place = fetch_rows(http, {.sql = fmt::format("SELECT __tripos_offset FROM {} LIMIT 0", name)}, 0).has_value();
  std::vector<exam::TableField> fields;
  for (const Column& column : rows.columns) fields.push_back(field_of(column.name, column.type));
  return exam::TableShape(table, std::move(fields), has_place);
}

Result<> ask_of_shape(client::HttpClient& http, const std::string& table, const std::function<Result<>(const exam::TableShape&)>& ask) {
  TRIPOS_ASSIGN(exam::TableShape shape, fetch_shape(http, table));
  for (int attempt = 1; attempt <= attempts_max; ++attempt) {
    TRIPOS_TRY(ask(shape));
    TRIPOS_ASSIGN(exam::TableShape after, fetch_shape(http, table));
    if (after == shape) return {};
    shape = std::move(after);
  }
  return fail(ErrorCode::unavailable, "the columns of {} keep changing: try again later", table);
}

}  // namespace tripos::app
