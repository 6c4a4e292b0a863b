#include "exam/quality.h"

#include <fmt/format.h>

#include <utility>

#include "exam/quality_planner.h"
#include "exam/sql_text.h"

namespace tripos::exam {
namespace {

constexpr std::size_t fields_max = 1000;  // a statement may have 1 MiB
constexpr std::size_t kinds_max = 5000;   // lines of paths and kinds

// What kinds of values fields have, and in how many messages (json_kinds: "integer sequences.attempt"). Not by LATERAL VIEW: DuckDB joins
// the elements of what is computed back to the values that it was computed from, by comparing those.
std::string kinds_sql(const std::string& messages) {
  return fmt::format(
      "SELECT substr(kind_path, locate(' ', kind_path) + 1) AS path, substring_index(kind_path, ' ', 1) AS kind, COUNT(*) AS messages FROM "
      "(SELECT explode(json_kinds(value)) AS kind_path FROM {}) AS exploded GROUP BY kind_path",
      messages);
}

}  // namespace

std::string kind_rows_sql(const TableShape& shape, std::string_view kind, std::string_view path) {
  return fmt::format("SELECT partition, offset, CAST(value AS STRING) AS value FROM {} WHERE array_contains(json_kinds(value), {})",
                     quoted_name(shape.table() + "_messages"), quoted_text(fmt::format("{} {}", kind, path)));
}

Result<QualityPlan> plan_quality(const TableShape& shape, const QualityOptions& options) {
  for (const std::string& field : {options.identity, options.person}) {
    const std::string_view path = field;
    if (!field.empty()) {
      TRIPOS_TRY(shape.require({&path, 1}));
    }
  }
  return QualityPlanner(shape, options).plan();
}

QualityPlan QualityPlanner::plan() {
  plan_.identity = attempts_.identity_name();
  add_sizes();
  add_rejected();
  add_marks();
  add_times();
  add_order();
  add_exams();
  add_persons();
  add_kinds();
  add_fields();
  std::vector<std::string> all;
  for (const auto& [name, sql] : computed_) all.push_back(name);
  queries_.insert(queries_.begin(), fmt::format("SELECT {} FROM {}", joined(row_columns_), source(all)));
  plan_.sql = (shared_.empty() ? "" : fmt::format("WITH {} ", joined(shared_))) + "SELECT *";
  for (std::size_t i = 0; i < queries_.size(); ++i) {
    plan_.sql += fmt::format("{} ({}) AS part_{}", i == 0 ? " FROM" : " CROSS JOIN", queries_[i], i);
  }
  return std::move(plan_);
}

QualityCheck& QualityPlanner::check_rows(std::string name, std::string meaning, const std::vector<std::string>& uses,
                                         const std::string& condition, const std::string& shown) {
  row_columns_.push_back(fmt::format("COUNT(CASE WHEN {} THEN 1 END) AS {}", condition, name));
  std::string rows = fmt::format("SELECT {}{} FROM {} WHERE {}", shown_first(), shown, source(uses), condition);
  return plan_.checks.emplace_back(QualityCheck{.name = name, .meaning = std::move(meaning), .column = name, .rows_sql = std::move(rows)});
}

QualityCheck& QualityPlanner::check_query(const std::string& name, std::string meaning, std::string rows_sql) {
  queries_.push_back(fmt::format("SELECT COUNT(*) AS {} FROM ({}) AS counted", name, rows_sql));
  return check_counted(name, std::move(meaning), std::move(rows_sql));
}

QualityCheck& QualityPlanner::check_counted(const std::string& name, std::string meaning, std::string rows_sql) {
  return plan_.checks.emplace_back(
      QualityCheck{.name = name, .meaning = std::move(meaning), .column = name, .rows_sql = std::move(rows_sql)});
}

void QualityPlanner::check_lacks(std::string name, std::string meaning, std::string field) {
  plan_.checks.push_back({.name = std::move(name), .meaning = std::move(meaning), .lacking = std::move(field)});
}

std::string QualityPlanner::source(const std::vector<std::string>& uses) const {
  std::string columns;
  for (const std::string& name : uses) columns += fmt::format(", {} AS {}", computed_.at(name), name);
  if (columns.empty()) return table_;
  return fmt::format("(SELECT {}*{} FROM {}) AS attempts", attempts_.place_columns(), columns, table_);
}

std::string QualityPlanner::shown_first() const {
  const std::string name = attempts_.identity_name();
  return attempts_.place_columns() + (name == "content" ? "" : quoted_path(name) + ", ");
}

void QualityPlanner::add_sizes() {
  row_columns_.emplace_back("COUNT(*) AS messages");
  const auto add = [this](std::string name, std::string meaning, std::string column, std::string rows_sql, bool is_fault) {
    plan_.checks.push_back({.name = std::move(name),
                            .meaning = std::move(meaning),
                            .column = std::move(column),
                            .rows_sql = std::move(rows_sql),
                            .is_fault = is_fault});
  };
  add("messages", "rows: messages that are JSON objects", "messages", fmt::format("SELECT * FROM {}", table_), false);

  std::vector<std::string> keys;  // as the query below names them
  std::vector<std::string> selected;
  std::vector<std::string> known_conditions;
  std::vector<std::string> again_keys;
  std::vector<std::string> same;
  for (const std::string& key : attempts_.identity()) {
    const std::string& name = keys.emplace_back(fmt::format("identity_{}", keys.size() + 1));
    selected.push_back(fmt::format("{} AS {}", key, name));
    known_conditions.push_back(name + " IS NOT NULL");
    again_keys.push_back(fmt::format("{0} AS again_{0}", name));
    same.push_back(fmt::format("{0} <=> again_{0}", name));
  }
  const std::string by = joined(keys);
  const std::string known = joined(known_conditions, " OR ");
  const std::string keyed = fmt::format("(SELECT {} FROM {}) AS keyed", joined(selected), table_);
  const std::string times = fmt::format("SELECT {0}, COUNT(*) AS times FROM {1} GROUP BY {0}", by, keyed);
  const std::string repeated =
      fmt::format("SELECT {0}, COUNT(*) AS times FROM {1} WHERE {2} GROUP BY {0} HAVING COUNT(*) > 1", by, keyed, known);
  queries_.push_back(
      fmt::format("SELECT coalesce(SUM(CASE WHEN {0} THEN 1 ELSE times END), 0) AS distinct_messages, coalesce(SUM(CASE WHEN {0} THEN "
                  "times - 1 END), 0) "
                  "AS surplus_messages, COUNT(CASE WHEN ({0}) AND times > 1 THEN 1 END) AS duplicate_groups, coalesce(SUM(CASE WHEN NOT "
                  "({0}) THEN times "
                  "END), 0) AS without_identity FROM ({1}) AS identities",
                  known, times));
  add("distinct", "different ones, by " + plan_.identity, "distinct_messages", times, false);
  add("surplus_messages", "beyond the first of their identity", "surplus_messages",
      fmt::format(
          "SELECT * FROM (SELECT {0}{1}, ROW_NUMBER() OVER (PARTITION BY {1} ORDER BY {2}) AS copy FROM (SELECT {0}{3} FROM {4}) AS "
          "keyed WHERE {5}) AS copies WHERE copy > 1",
          attempts_.place_columns(), by, shape_.has_place() ? "__tripos_partition, __tripos_offset" : by, joined(selected), table_, known),
      true);
  add("duplicate_groups", "identities that several messages have", "duplicate_groups", repeated, true);
  if (plan_.identity == "content") return;
  // Contents are hashed behind the join: only of what is there more than once.
  check_query("duplicates_that_differ", "identities whose messages are not alike",
              fmt::format("SELECT {0}, COUNT(*) AS times, COUNT(DISTINCT {7}) AS contents FROM (SELECT {1}, {2} AS content FROM {3}) AS "
                          "keyed LEFT SEMI JOIN (SELECT {4} FROM ({5}) AS repeated) AS again ON {6} GROUP BY {0} HAVING COUNT(DISTINCT "
                          "{7}) > 1",
                          by, joined(selected), attempts_.row(), table_, joined(again_keys), repeated, joined(same, " AND "),
                          AttemptSql::content_of("content")));
  add("without_identity", fmt::format("{} is null: each counts as one of its own", plan_.identity), "without_identity",
      fmt::format("SELECT {}* FROM {} WHERE {} IS NULL", attempts_.place_columns(), table_, joined(attempts_.identity(), " IS NULL AND ")),
      true);
}

void QualityPlanner::add_rejected() {
  if (!shape_.has_place()) return;  // a view has no messages of its own
  check_query(
      "rejected", "messages that are no JSON object",
      fmt::format("SELECT partition, offset, reason, CAST(value AS STRING) AS value FROM {}", quoted_name(shape_.table() + "_rejected")));
}

// Whole numbers and others are both numbers, and null goes with everything: no conflict.
void QualityPlanner::add_kinds() {
  if (!shape_.has_place()) return;  // a view has no messages of its own
  const std::string kinds = kinds_sql(quoted_name(shape_.table() + "_messages"));
  const auto conflicts = [](const std::string& from) {
    return fmt::format(
        "SELECT path, sort_array(collect_list(named_struct('kind', kind, 'messages', messages))) AS kinds FROM {} WHERE kind <> 'null' "
        "GROUP BY "
        "path HAVING COUNT(DISTINCT CASE WHEN kind = 'integer' THEN 'number' ELSE kind END) > 1",
        from);
  };
  shared_.push_back(fmt::format("__tripos_field_kinds AS ({})", kinds));
  queries_.push_back(fmt::format("SELECT COUNT(*) AS schema_conflicts FROM ({}) AS conflicts", conflicts("__tripos_field_kinds")));
  plan_.checks.push_back({.name = "schema_conflicts",
                          .meaning = "fields with values of several kinds",
                          .column = "schema_conflicts",
                          .rows_sql = conflicts(fmt::format("({}) AS field_kinds", kinds))});
  plan_.kinds_column = "field_kinds";
  queries_.push_back(
      fmt::format("SELECT slice(sort_array(collect_list(named_struct('path', path, 'kind', kind, 'messages', messages))), 1, {}) AS {} "
                  "FROM __tripos_field_kinds",
                  kinds_max, plan_.kinds_column));
}

// Fields outside of arrays are counted in the pass over all rows, those of an array's elements in a query for each array.
void QualityPlanner::add_fields() {
  FieldsQuery top{.from = table_, .total_column = "messages"};
  count_fields(shape_.fields(), "", "", top);
  row_columns_.insert(row_columns_.end(), top.columns.begin(), top.columns.end());
  add_arrays_of(top);
}

void QualityPlanner::add_arrays_of(const FieldsQuery& query) {
  for (const FieldsQuery::Array& array : query.arrays) {
    const std::string element = fmt::format("element_{}", queries_.size());
    FieldsQuery inner{.from = query.from, .total_column = fmt::format("total_{}", queries_.size())};
    std::string list = array.sql;
    for (int depth = 1; depth <= array.field->array_depth; ++depth) {
      const std::string name = depth == array.field->array_depth ? element : fmt::format("{}_{}", element, depth);
      inner.from += fmt::format(" LATERAL VIEW explode({}) view_{} AS {}", list, name, name);
      list = name;
    }
    inner.columns = {fmt::format("COUNT(*) AS {}", inner.total_column)};
    inner.element = element;
    count_fields(array.field->fields, array.path + ".", element + ".", inner);
    queries_.push_back(fmt::format("SELECT {} FROM {}", joined(inner.columns), inner.from));
    add_arrays_of(inner);
  }
}

void QualityPlanner::count_fields(std::span<const TableField> fields, const std::string& path, const std::string& sql, FieldsQuery& query) {
  for (const TableField& field : fields) {
    std::string field_path = path + field.name;
    const std::string field_sql = sql + quoted_name(field.name);
    if (field.type == "struct" && field.array_depth == 0) {
      count_fields(field.fields, field_path + ".", field_sql + ".", query);
      continue;
    }
    if (plan_.fields.size() == fields_max) {
      ++plan_.fields_left_out;
      continue;
    }
    for (int depth = 0; depth < field.array_depth; ++depth) field_path += "[]";
    const std::string column = fmt::format("values_{}", plan_.fields.size());
    query.columns.push_back(fmt::format("COUNT({}) AS {}", field_sql, column));
    plan_.fields.push_back({.path = field_path,
                            .type = field.type,
                            .values_column = column,
                            .total_column = query.total_column,
                            .rows_sql = fmt::format("SELECT {} FROM {} WHERE {} IS NULL",
                                                    query.element.empty() ? attempts_.place_columns() + "*" : shown_first() + query.element,
                                                    query.from, field_sql)});
    if (field.type == "struct") query.arrays.push_back({&field, field_path, field_sql});
  }
}

}  // namespace tripos::exam
