// Cells of a result, which arrive as JSON text (docs/reference/http.md), turned into what people read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/render/column_type.h"
#include "base/error.h"

namespace tripos::app {

// As Spark's ToPrettyString writes the value: NULL, {a, b}, [a, b], [7B 22], 2018-01-28 12:10:51.123, 1.0E7.
[[nodiscard]] Result<std::string> pretty_cell(std::string_view json, const ColumnType& type);

// As a CSV field: NULL is empty, text as it is, nested values as JSON; quoted where RFC 4180 asks for it.
[[nodiscard]] Result<std::string> csv_cell(std::string_view json);
// A string as a CSV field.
[[nodiscard]] std::string csv_field(std::string_view text);

// The string that a JSON string (with its quotes) stands for.
[[nodiscard]] Result<std::string> json_string_value(std::string_view json);
// The JSON string for a text.
[[nodiscard]] std::string json_string(std::string_view text);

// The members of a JSON object, the elements of a JSON array, as JSON text. Views into `json`. An object's keys are unescaped.
struct JsonMember {
  std::string key;
  std::string_view value;
};
[[nodiscard]] Result<std::vector<JsonMember>> json_members(std::string_view json);
[[nodiscard]] Result<std::vector<std::string_view>> json_elements(std::string_view json);

}  // namespace tripos::app
