// Respells Spark's SQL for DuckDB's parser: only what that parser can't read, or would read as something else. What the parsed
// statement then means is the business of the rewriter (rewriter.h).
//
// Functions whose names are syntax to DuckDB's parser get `marker_prefix`, and so do things that Spark writes in its own syntax:
//   `a`  "a"  1L  RLIKE  ==  <=>  !  DIV  LEFT SEMI JOIN  LATERAL VIEW explode(x) t AS y  WITH ROLLUP  CAST(x AS ARRAY<INT>)
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "worker/dialect/lexer.h"

namespace tripos::worker {

inline constexpr std::string_view marker_prefix = "tripos_";

struct Respelled {
  std::string sql;
  // Where pieces of `sql` come from, in order: for the positions of errors.
  struct Piece {
    std::size_t to;
    std::size_t from;
  };
  std::vector<Piece> pieces;

  // The position in the source of a position in `sql`.
  [[nodiscard]] std::size_t source_position(std::size_t position) const noexcept;
};

// `tokens`: of one query, without an `end`. `source`: what they were read from, for messages.
[[nodiscard]] Result<Respelled> respell(std::span<const Token> tokens, std::string_view source);

}  // namespace tripos::worker
