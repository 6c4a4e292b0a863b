// What the fields of an attempt mean, as expressions of Spark's SQL over a table of attempts (docs/guide/attempts.md). A field that the
// table lacks is NULL in them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exam/table_shape.h"

namespace tripos::exam {

// What one unit of a count is. Some attempts were recorded more than once; their identity tells them.
enum class CountBy { messages, attempts };

class AttemptSql {
 public:
  // `identity`: the field that identifies an attempt. Empty: keen_id, and the sitting (user_exam_id) where that is null; in a table without
  // either, the whole content.
  AttemptSql(const TableShape& shape, std::string identity) : shape_(shape), identity_(std::move(identity)) {}

  [[nodiscard]] const TableShape& shape() const noexcept { return shape_; }
  // The table, for FROM.
  [[nodiscard]] std::string table() const;

  // The expressions that together identify an attempt; all NULL: it is not known to be the same as any other.
  [[nodiscard]] std::vector<std::string> identity() const;
  // As people read it: "keen_id".
  [[nodiscard]] std::string identity_name() const;
  // A hash of all that the row holds; `row`: what row() gave, under another name.
  [[nodiscard]] std::string content() const { return content_of(row()); }
  [[nodiscard]] static std::string content_of(std::string_view row);
  // All columns as one value.
  [[nodiscard]] std::string row() const;

  // "__tripos_partition, __tripos_offset, ", or nothing where rows have no place.
  [[nodiscard]] std::string place_columns() const;

  // A time in seconds since 1970 (double): NULL where there is none, or where it can't be read as one.
  [[nodiscard]] std::string started() const { return seconds("started_at"); }
  [[nodiscard]] std::string recorded() const;
  // When the first and the last option were touched.
  [[nodiscard]] std::string touched(bool last) const;
  [[nodiscard]] std::string seconds(std::string_view path) const;

  // Whether the table has questions with options that say what is right and what was checked.
  [[nodiscard]] bool has_answers() const;
  // The mark of question `q` by the rule (exam/marking.h): 'correct', 'missed_some', 'incorrect' or 'unanswered'.
  [[nodiscard]] std::string rule_mark(std::string_view q) const;
  // An option's key: true or false, never NULL.
  [[nodiscard]] std::string is_right(std::string_view option) const;
  [[nodiscard]] std::string is_checked(std::string_view option) const;

  // No counts at all: such an attempt has no score.
  [[nodiscard]] std::string without_counts() const;

  // A query for `columns` ("exam_name, started_at AS t") of the units, one row each. Of an attempt that was recorded more than once its
  // first record counts. `where`: a condition, or nothing.
  [[nodiscard]] std::string units(CountBy by, const std::string& columns, const std::string& where = "") const;

 private:
  const TableShape& shape_;
  std::string identity_;
};

// "a, b"
[[nodiscard]] std::string joined(const std::vector<std::string>& parts, std::string_view separator = ", ");

}  // namespace tripos::exam
