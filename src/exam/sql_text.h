// Pieces of statements in Spark's SQL.
#pragma once

#include <string>
#include <string_view>

namespace tripos::exam {

// A name as it stands in a statement: in backticks unless it is a plain identifier that is no keyword.
[[nodiscard]] std::string quoted_name(std::string_view name);

// A string literal.
[[nodiscard]] std::string quoted_text(std::string_view text);

}  // namespace tripos::exam
