// Roles of words: which words of a query are Spark's syntax, and which are names.
//
// Spark reserves next to no words (outside of its ANSI mode): `SELECT order, 1 day FROM values` is a query. So a word is syntax only where
// it can be: what stands before it (an operand, another word of the same phrase) and behind it decide, by the table in words.cc.
// Everything else is a name, or a function if a parenthesis follows. DuckDB's parser is then told by quotes (respell.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "worker/dialect/lexer.h"

namespace tripos::worker {

enum class WordRole : std::uint8_t {
  none,      // no word
  syntax,    // SELECT, GROUP, IN …
  name,      // a column, a table, an alias, a field
  function,  // a name that a parenthesis follows
};

struct TokenRole {
  WordRole word = WordRole::none;
  bool ends_operand = false;  // behind it may stand an infix operator, an alias or a clause, but no operand
};

// One for each token.
[[nodiscard]] std::vector<TokenRole> word_roles(std::span<const Token> tokens);

}  // namespace tripos::worker
