// The catalogue of Spark's functions: what each takes, what it makes, and how DuckDB is told.
//
// Most functions are rows of a table (functions_*.cc):
//   {"locate", 2, 3, "ssi", "int", "CAST(instr({1}, {0}) AS INTEGER)"}
// name, least and most arguments, their kinds, the type of the result, DuckDB's text.
//   kinds, one letter an argument, the last for all further ones:
//     s string  i int  l bigint  d double  n numeric (a string becomes double)  b boolean  t timestamp  D date  x binary  * as it is
//   result: Spark's name of a type, or  =N type of argument N   []N array of it   eN element of it   ^ what all arguments have in common
//     (they are coerced to it)
//   text: {N} argument N; {,} all of them with commas; {,N} those from N on
// A function with a rule of its own has a Builder.
#pragma once

#include <span>
#include <string_view>

#include "worker/dialect/rewriter.h"

namespace tripos::worker {

using Builder = Result<Expression> (*)(Rewriter&, FunctionCall&);

struct FunctionRule {
  std::string_view name;
  int arguments_min;
  int arguments_max;  // -1: any number
  std::string_view kinds;
  std::string_view result;
  std::string_view sql;
  std::string_view title = {};  // of arguments that a title shows though the statement left them out: "f({0}, true)"
  Builder build = nullptr;
};

// Aggregates: `sql` is DuckDB's function with its arguments; DISTINCT, FILTER and OVER are put in; `wrap` around it all.
struct AggregateRule {
  std::string_view name;
  int arguments_min;
  int arguments_max;
  std::string_view kinds;
  std::string_view result;
  std::string_view function;
  std::string_view arguments = "{,}";
  std::string_view wrap = "{}";
  Builder build = nullptr;
};

[[nodiscard]] std::span<const FunctionRule> text_functions();
[[nodiscard]] std::span<const FunctionRule> number_functions();
[[nodiscard]] std::span<const FunctionRule> time_functions();
[[nodiscard]] std::span<const FunctionRule> collection_functions();
[[nodiscard]] std::span<const FunctionRule> lambda_functions();
[[nodiscard]] std::span<const AggregateRule> aggregate_functions();

// "{0}", "{,}" … replaced.
[[nodiscard]] std::string fill(std::string_view text, std::span<const Expression> arguments);
// The type of an array's elements. query: it is no array.
[[nodiscard]] Result<SqlType> array_type(const FunctionCall& call, const Expression& argument);
// "name(a, b)".
[[nodiscard]] std::string call_title(std::string_view name, std::span<const Expression> arguments, bool distinct = false);
// An aggregate's call with all its clauses.
[[nodiscard]] std::string aggregate_sql(const FunctionCall& call, std::string_view function, std::string_view arguments,
                                        std::string_view more_filter = {});
// "title ASC NULLS FIRST", as an item of ORDER BY says.
[[nodiscard]] std::string order_title(std::string_view title, Node order);
[[nodiscard]] std::string aggregate_title(const FunctionCall& call);

}  // namespace tripos::worker
