#include "worker/dialect/lexer.h"

#include <algorithm>
#include <array>

#include "worker/dialect/sql_type.h"

namespace tripos::worker {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_word_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

// Longest first.
constexpr std::array<std::string_view, 13> long_symbols = {"<=>", "==", "<>", "!=", "<=", ">=", "||", "::", "->", "=>", "<<", ">>", "&&"};

void append_utf8(std::string& to, std::uint32_t code) {
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to += static_cast<char>(0xC0 | code >> 6);
    to += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    to += static_cast<char>(0xE0 | code >> 12);
    to += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    to += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    to += static_cast<char>(0xF0 | code >> 18);
    to += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    to += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    to += static_cast<char>(0x80 | (code & 0x3F));
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  Result<std::vector<Token>> run() {
    while (true) {
      TRIPOS_TRY(skip_blank());
      const std::size_t start = at_;
      if (at_ == sql_.size()) {
        tokens_.push_back({TokenKind::end, "", start, start});
        return std::move(tokens_);
      }
      TRIPOS_ASSIGN(Token token, next());
      token.position = start;
      token.end = at_;
      tokens_.push_back(std::move(token));
    }
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }

  Result<> skip_blank() {
    while (at_ < sql_.size()) {
      if (is_space(peek())) {
        ++at_;
      } else if (peek() == '-' && peek(1) == '-') {
        at_ = std::min(sql_.find('\n', at_), sql_.size());
      } else if (peek() == '/' && peek(1) == '*') {
        const std::size_t closed = sql_.find("*/", at_ + 2);
        if (closed == std::string_view::npos) {
          return fail(ErrorCode::query, "the comment that begins at {} has no end", place(sql_, at_));
        }
        at_ = closed + 2;
      } else {
        break;
      }
    }
    return {};
  }

  Result<Token> next() {
    const char c = peek();
    if (c == '\'') {
      return quoted_text(TokenKind::string, true);
    }
    if (c == '"') {
      return quoted_text(TokenKind::double_quoted, true);
    }
    if (c == '`') {
      return quoted_text(TokenKind::back_quoted, false);
    }
    if ((c == 'r' || c == 'R') && (peek(1) == '\'' || peek(1) == '"')) {
      ++at_;
      return quoted_text(TokenKind::string, false);
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(1)) && !after_name())) {
      return number();
    }
    if (is_word_char(c)) {
      const std::size_t start = at_;
      while (is_word_char(peek())) {
        ++at_;
      }
      return Token{TokenKind::word, std::string(sql_.substr(start, at_ - start))};
    }
    for (const std::string_view symbol : long_symbols) {
      if (sql_.substr(at_).starts_with(symbol)) {
        at_ += symbol.size();
        return Token{TokenKind::symbol, std::string(symbol)};
      }
    }
    if (static_cast<unsigned char>(c) < 0x20) {
      return fail(ErrorCode::query, "a control character stands at {}", place(sql_, at_));
    }
    ++at_;
    return Token{TokenKind::symbol, std::string(1, c)};
  }

  // `a.1` names a field, it holds no number.
  [[nodiscard]] bool after_name() const {
    return !tokens_.empty() && tokens_.back().end == at_ &&
           (tokens_.back().is_name() || tokens_.back().is_symbol("]") || tokens_.back().is_symbol(")"));
  }

  Result<Token> number() {
    const std::size_t start = at_;
    const auto digits = [this] {
      while (is_digit(peek())) {
        ++at_;
      }
    };
    digits();
    if (peek() == '.' && !is_word_start(peek(1))) {
      ++at_;
      digits();
    }
    if ((peek() == 'e' || peek() == 'E') && (is_digit(peek(1)) || ((peek(1) == '-' || peek(1) == '+') && is_digit(peek(2))))) {
      at_ += 2;
      digits();
    }
    while (is_word_char(peek())) {  // a suffix
      ++at_;
    }
    return Token{TokenKind::number, std::string(sql_.substr(start, at_ - start))};
  }

  static bool is_word_start(char c) noexcept { return is_word_char(c) && !is_digit(c) && c != 'e' && c != 'E'; }

  Result<Token> quoted_text(TokenKind kind, bool escapes) {
    const std::size_t start = at_;
    const char quote = peek();
    std::string text;
    for (++at_; at_ < sql_.size(); ++at_) {
      const char c = peek();
      if (c == quote) {
        if (peek(1) == quote) {
          text += quote;
          ++at_;
          continue;
        }
        ++at_;
        return Token{kind, std::move(text)};
      }
      if (c == '\\' && escapes && at_ + 1 < sql_.size()) {
        ++at_;
        unescape(text);
        continue;
      }
      text += c;
    }
    return fail(ErrorCode::query, "the quote that opens at {} is never closed", place(sql_, start));
  }

  // As Spark's unescapeSQLString: `at_` stands on what follows the backslash.
  void unescape(std::string& text) {
    const char c = peek();
    switch (c) {
      case 'n': text += '\n'; return;
      case 't': text += '\t'; return;
      case 'r': text += '\r'; return;
      case 'b': text += '\b'; return;
      case '0':
        if (!is_digit(peek(1))) {
          text += '\0';
          return;
        }
        break;
      case 'Z': text += '\x1A'; return;
      case '%':
      case '_':  // stays escaped, for LIKE
        text += '\\';
        text += c;
        return;
      case 'u':
        if (const std::uint32_t code = hexadecimal(4); code != 0) {
          append_utf8(text, code);
          at_ += 4;
          return;
        }
        break;
      case 'U':
        if (const std::uint32_t code = hexadecimal(8); code != 0 && code < 0x110000) {
          append_utf8(text, code);
          at_ += 8;
          return;
        }
        break;
      default: break;
    }
    if (c >= '0' && c <= '3' && peek(1) >= '0' && peek(1) <= '7' && peek(2) >= '0' && peek(2) <= '7') {
      append_utf8(text, static_cast<std::uint32_t>((c - '0') * 64 + (peek(1) - '0') * 8 + (peek(2) - '0')));
      at_ += 2;
      return;
    }
    text += c;
  }

  // The digits that follow the current character; 0 unless all are there.
  [[nodiscard]] std::uint32_t hexadecimal(std::size_t count) const noexcept {
    std::uint32_t code = 0;
    for (std::size_t i = 1; i <= count; ++i) {
      const char c = peek(i);
      const int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) {
        return 0;
      }
      code = code * 16 + static_cast<std::uint32_t>(digit);
    }
    return code;
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

bool Token::is_word(std::string_view upper_case) const noexcept { return kind == TokenKind::word && equal_ignoring_case(text, upper_case); }

Result<std::vector<Token>> tokenize(std::string_view sql) { return Lexer(sql).run(); }

std::string place(std::string_view sql, std::size_t position) {
  const std::string_view before = sql.substr(0, position);
  const auto lines = std::ranges::count(before, '\n');
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  // Columns are characters: UTF-8's continuation bytes don't count.
  const auto column =
      std::ranges::count_if(before.substr(line_start), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return fmt::format("line {}, column {}", lines + 1, column + 1);
}

}  // namespace tripos::worker
