// Tokens of Spark's SQL. Comments and white space (hints too, which ask for plans that don't exist here) are left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tripos::worker {

enum class TokenKind : std::uint8_t {
  word,           // keyword or identifier
  back_quoted,    // `identifier`
  double_quoted,  // "…": in Spark a string
  string,         // '…'
  number,         // with its suffix: 1L, 1.5D
  symbol,
  end,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text = {};     // a word's own spelling; quoted tokens without quotes and escapes
  std::size_t position = 0;  // of its first byte in the source
  std::size_t end = 0;       // behind its last byte

  [[nodiscard]] bool is_word(std::string_view upper_case) const noexcept;
  [[nodiscard]] bool is_symbol(std::string_view symbol) const noexcept { return kind == TokenKind::symbol && text == symbol; }
  [[nodiscard]] bool is_name() const noexcept { return kind == TokenKind::word || kind == TokenKind::back_quoted; }
};

// Ends with a token of kind `end`.
[[nodiscard]] Result<std::vector<Token>> tokenize(std::string_view sql);

// "line 2, column 7" of a byte of the source.
[[nodiscard]] std::string place(std::string_view sql, std::size_t position);

}  // namespace tripos::worker
