#include "exam/attempt_sql.h"

#include <fmt/format.h>

#include "exam/sql_text.h"

namespace tripos::exam {
namespace {

constexpr std::string_view options_path = "sequences.questions[].options[]";
// The years 1 to 9999. A number outside of them is no time, and no timestamp could hold it.
constexpr std::string_view first_second = "-62135596800";
constexpr std::string_view last_second = "253402300799";

// A flag of an option: NULL counts as false.
std::string flag(const TableShape& shape, std::string_view option, std::string_view name) {
  return fmt::format("coalesce({}, false)", shape.value_in(options_path, option, name, "boolean"));
}

}  // namespace

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string AttemptSql::table() const { return quoted_name(shape_.table()); }

std::vector<std::string> AttemptSql::identity() const {
  if (!identity_.empty()) return {quoted_path(identity_)};
  const bool sitting = shape_.has("user_exam_id");
  if (!shape_.has("keen_id")) return {sitting ? std::string("user_exam_id") : content()};
  std::vector<std::string> keys = {"keen_id"};
  if (sitting) keys.emplace_back("CASE WHEN keen_id IS NULL THEN user_exam_id END");
  return keys;
}

std::string AttemptSql::identity_name() const {
  if (!identity_.empty()) return identity_;
  return shape_.has("keen_id") ? "keen_id" : shape_.has("user_exam_id") ? "user_exam_id" : "content";
}

std::string AttemptSql::content_of(std::string_view row) { return fmt::format("md5(to_json({}))", row); }

std::string AttemptSql::row() const {
  std::vector<std::string> names;
  for (const TableField& field : shape_.fields()) names.push_back(quoted_name(field.name));
  return fmt::format("struct({})", joined(names));
}

std::string AttemptSql::place_columns() const { return shape_.has_place() ? "__tripos_partition, __tripos_offset, " : ""; }

std::string AttemptSql::seconds(std::string_view path) const {
  const TableField* field = shape_.find(path);
  std::string value = shape_.value(path, "double");
  if (field == nullptr) return value;
  if (field->type == "string") {
    value = fmt::format("coalesce(CAST({0} AS double), CAST(to_timestamp({0}) AS double))", quoted_path(path));
  }
  return fmt::format("CASE WHEN {0} BETWEEN {1} AND {2} THEN {0} END", value, first_second, last_second);
}

std::string AttemptSql::recorded() const { return seconds(shape_.has("keen_timestamp") ? "keen_timestamp" : "keen_created_at"); }

std::string AttemptSql::touched(bool last) const {
  const TableField* at = shape_.find("sequences.questions[].options[].at");
  if (at == nullptr || at->type != "string") return "CAST(NULL AS double)";
  return fmt::format("CAST(to_timestamp({}(flatten(transform(sequences.questions, q -> transform(q.options, o -> o.at))))) AS double)",
                     last ? "array_max" : "array_min");
}

bool AttemptSql::has_answers() const {
  return shape_.has_all({"sequences.questions[].options[].checked", "sequences.questions[].options[].correct"});
}

std::string AttemptSql::is_right(std::string_view option) const { return flag(shape_, option, "correct"); }
std::string AttemptSql::is_checked(std::string_view option) const { return flag(shape_, option, "checked"); }

std::string AttemptSql::rule_mark(std::string_view q) const {
  const std::string right = is_right("o");
  const std::string checked = is_checked("o");
  const auto any = [&](const std::string& condition) { return fmt::format("size(filter({}.options, o -> {})) > 0", q, condition); };
  return fmt::format("CASE WHEN {} THEN 'incorrect' WHEN NOT {} THEN 'unanswered' WHEN {} THEN 'missed_some' ELSE 'correct' END",
                     any(fmt::format("{} AND NOT {}", checked, right)), any(checked), any(fmt::format("{} AND NOT {}", right, checked)));
}

std::string AttemptSql::without_counts() const {
  const TableField* counts = shape_.find("sequences.counts");
  std::vector<std::string> conditions;
  if (counts != nullptr) {
    for (const TableField& field : counts->fields)
      conditions.push_back(fmt::format("sequences.counts.{} IS NULL", quoted_name(field.name)));
  }
  return conditions.empty() ? "true" : joined(conditions, " AND ");
}

std::string AttemptSql::units(CountBy by, const std::string& columns, const std::string& where) const {
  const std::string condition = where.empty() ? "" : " WHERE " + where;
  if (by == CountBy::messages) return fmt::format("SELECT {} FROM {}{}", columns, table(), condition);
  const std::vector<std::string> keys = identity();
  std::vector<std::string> known;
  for (const std::string& key : keys) known.push_back(key + " IS NOT NULL");
  if (!shape_.has_place()) {
    // Which of several is taken can't be told by its place; identical ones are the rule.
    const std::string number = fmt::format("CASE WHEN {} THEN ROW_NUMBER() OVER (PARTITION BY {} ORDER BY {}) ELSE 1 END",
                                           joined(known, " OR "), joined(keys), content());
    return fmt::format("SELECT {} FROM (SELECT *, {} AS copy FROM {}) AS copies WHERE copy = 1{}", columns, number, table(),
                       where.empty() ? "" : fmt::format(" AND ({})", where));
  }
  return fmt::format(
      "SELECT {0} FROM {1} LEFT ANTI JOIN (SELECT copy_partition, copy_offset FROM (SELECT __tripos_partition AS copy_partition, "
      "__tripos_offset AS copy_offset, ROW_NUMBER() OVER (PARTITION BY {2} ORDER BY __tripos_partition, __tripos_offset) AS copy FROM {1} "
      "WHERE {3}) AS copies WHERE copy > 1) AS again ON __tripos_partition = copy_partition AND __tripos_offset = copy_offset{4}",
      columns, table(), joined(keys), joined(known, " OR "), condition);
}

}  // namespace tripos::exam
