// TableShape: the columns of a table of attempts, down to the leaves. Statements are written for the fields that are there: one that is
// missing is NULL, so that a table of another shape is asked what it can be asked, and what it lacks can be named.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tripos::exam {

// A column, or a field of a structure.
struct TableField {
  std::string name;
  std::string type;                     // Spark's: "bigint", "string", "struct" …; of an array, its innermost elements'
  int array_depth = 0;                  // 1: an array of `type`
  std::vector<TableField> fields = {};  // of the structure
};

class TableShape {
 public:
  TableShape() = default;
  // `has_place`: each row's record is known: __tripos_partition and __tripos_offset can be asked (a view has none).
  TableShape(std::string table, std::vector<TableField> fields, bool has_place)
      : table_(std::move(table)), fields_(std::move(fields)), has_place_(has_place) {}

  [[nodiscard]] const std::string& table() const noexcept { return table_; }
  [[nodiscard]] std::span<const TableField> fields() const noexcept { return fields_; }
  [[nodiscard]] bool has_place() const noexcept { return has_place_; }

  // By path, an array's elements after a []: "sequences.questions[].options[].at". nullptr: there is none, or an array is where the path
  // has none, or the other way round. Names ignore case, as in SQL.
  [[nodiscard]] const TableField* find(std::string_view path) const;
  [[nodiscard]] bool has(std::string_view path) const { return find(path) != nullptr; }
  [[nodiscard]] bool has_all(std::initializer_list<std::string_view> paths) const;

  // not_found: names the table and the first of `paths` that it lacks.
  [[nodiscard]] Result<> require(std::span<const std::string_view> paths) const;

  // The field as an expression of this type (Spark's name), NULL if it is not there; `path` has no array in it. `of` stands before it:
  // "q." for a field of a question q; the path is then that below `of_path`.
  [[nodiscard]] std::string value(std::string_view path, std::string_view type) const;
  [[nodiscard]] std::string value_in(std::string_view of_path, std::string_view of, std::string_view name, std::string_view type) const;

  friend bool operator==(const TableShape&, const TableShape&);

 private:
  std::string table_;
  std::vector<TableField> fields_;
  bool has_place_ = false;
};

// "a.`b c`.d", for a statement.
[[nodiscard]] std::string quoted_path(std::string_view path);

}  // namespace tripos::exam
