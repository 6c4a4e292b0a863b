#include "worker/dialect/statement.h"

#include <algorithm>

#include "worker/dialect/sql_type.h"

namespace tripos::worker {
namespace {

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens) : text_(text), tokens_(std::move(tokens)) {}

  Result<ParsedStatement> run() {
    while (tokens_.size() > 1 && tokens_[tokens_.size() - 2].is_symbol(";")) {
      tokens_.erase(tokens_.end() - 2);
    }
    if (tokens_.size() == 1) {
      return fail(ErrorCode::query, "the statement is empty");
    }
    for (const Token& token : tokens_) {
      if (token.is_symbol(";")) {
        return fail(ErrorCode::query, "one statement at a time, please: another one begins at {}", place(text_, token.end));
      }
    }
    if (word("EXPLAIN")) {
      if (word("ANALYZE")) {
        return query(StatementKind::explain_analyze);
      }
      static_cast<void>(word("EXTENDED") || word("FORMATTED") || word("COST") || word("CODEGEN"));
      return query(StatementKind::explain);
    }
    if (word("DESCRIBE") || word("DESC")) {
      return describe();
    }
    if (word("SHOW")) {
      return show();
    }
    if (word("CREATE")) {
      return create_view();
    }
    if (word("DROP")) {
      return drop_view();
    }
    return query(StatementKind::query);
  }

 private:
  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  bool word(std::string_view keyword) {
    const bool found = peek().is_word(keyword);
    at_ += found ? 1 : 0;
    return found;
  }
  [[nodiscard]] bool starts_query() const {
    const Token& token = peek();
    return token.is_word("SELECT") || token.is_word("WITH") || token.is_word("VALUES") || token.is_word("FROM") || token.is_word("TABLE") ||
           token.is_symbol("(");
  }
  [[nodiscard]] std::string rest() const { return std::string(text_.substr(peek().position, tokens_.back().position - peek().position)); }

  Result<ParsedStatement> query(StatementKind kind) {
    if (!starts_query()) {
      return fail(
          ErrorCode::query,
          "{} is not understood ({}): a statement is SELECT, WITH, VALUES, DESCRIBE, SHOW TABLES, EXPLAIN, CREATE VIEW or DROP VIEW",
          peek().text.empty() ? "the statement" : upper(peek().text), place(text_, peek().position));
    }
    if (word("TABLE")) {
      TRIPOS_ASSIGN(const std::string name, table_name());
      return ParsedStatement{.kind = kind, .text = "SELECT * FROM " + name};
    }
    // What was cut off at the end is only semicolons and blanks.
    return ParsedStatement{.kind = kind, .text = without_semicolons(rest())};
  }

  static std::string without_semicolons(std::string text) {
    while (!text.empty() && (text.back() == ';' || static_cast<unsigned char>(text.back()) <= ' ')) {
      text.pop_back();
    }
    return text;
  }

  // A name, perhaps with its database, as it can stand in FROM; the statement ends behind it.
  Result<std::string> table_name() {
    std::string name;
    while (true) {
      if (!peek().is_name() && peek().kind != TokenKind::double_quoted) {
        return fail(ErrorCode::query, "the name of a table is missing at {}", place(text_, peek().position));
      }
      name += '`';
      for (const char c : peek().text) {
        name += c;
        if (c == '`') {
          name += c;
        }
      }
      name += '`';
      ++at_;
      if (!peek().is_symbol(".")) {
        break;
      }
      name += '.';
      ++at_;
    }
    if (peek().kind != TokenKind::end) {
      return fail(ErrorCode::query, "{} is not understood ({})", peek().text, place(text_, peek().position));
    }
    return name;
  }

  Result<ParsedStatement> describe() {
    if (word("QUERY") || starts_query()) {
      if (!(peek().is_word("TABLE") && !peek(1).is_word("TABLE"))) {
        return query(StatementKind::describe_query);
      }
    }
    static_cast<void>(word("TABLE"));
    static_cast<void>(word("EXTENDED") || word("FORMATTED"));
    TRIPOS_ASSIGN(const std::string name, table_name());
    return ParsedStatement{.kind = StatementKind::describe_table, .text = "SELECT * FROM " + name};
  }

  Result<ParsedStatement> show() {
    ParsedStatement statement;
    if (word("TABLES") || word("VIEWS")) {
      statement.kind = tokens_[at_ - 1].is_word("VIEWS") ? StatementKind::show_views : StatementKind::show_tables;
      if (word("IN") || word("FROM")) {
        ++at_;
      }
      static_cast<void>(word("LIKE"));
      if (peek().kind == TokenKind::string || peek().kind == TokenKind::double_quoted) {
        statement.pattern = peek().text;
        ++at_;
      }
      if (peek().kind != TokenKind::end) {
        return fail(ErrorCode::query, "{} is not understood ({})", peek().text, place(text_, peek().position));
      }
      return statement;
    }
    if (word("COLUMNS")) {
      if (!word("IN") && !word("FROM")) {
        return fail(ErrorCode::query, "SHOW COLUMNS wants IN and a table");
      }
      TRIPOS_ASSIGN(const std::string name, table_name());
      return ParsedStatement{.kind = StatementKind::show_columns, .text = "SELECT * FROM " + name};
    }
    return fail(ErrorCode::unsupported, "SHOW {} is not supported: SHOW TABLES, SHOW VIEWS, SHOW COLUMNS are", upper(peek().text));
  }

  Result<std::string> view_name() {
    if (!peek().is_name() && peek().kind != TokenKind::double_quoted) {
      return fail(ErrorCode::query, "the name of a view is missing at {}", place(text_, peek().position));
    }
    const std::string name = peek().text;
    ++at_;
    if (peek().is_symbol(".")) {
      return fail(ErrorCode::unsupported, "views have no database: CREATE VIEW {} is meant?", peek(1).text);
    }
    return name;
  }

  Result<ParsedStatement> create_view() {
    using protocol::ViewChangeKind;
    ParsedStatement statement{.kind = StatementKind::create_view};
    if (word("OR")) {
      if (!word("REPLACE")) {
        return fail(ErrorCode::query, "CREATE OR wants REPLACE");
      }
      statement.change = ViewChangeKind::create_or_replace;
    }
    static_cast<void>(word("GLOBAL"));
    static_cast<void>(word("TEMP") || word("TEMPORARY"));
    if (!word("VIEW")) {
      return fail(ErrorCode::unsupported, "CREATE {} is not supported: tables come from topics; CREATE VIEW is", upper(peek().text));
    }
    if (peek().is_word("IF") && peek(1).is_word("NOT") && peek(2).is_word("EXISTS")) {
      at_ += 3;
      statement.change = ViewChangeKind::create_if_missing;
    }
    TRIPOS_ASSIGN(statement.view_name, view_name());
    std::string columns;
    if (peek().is_symbol("(")) {
      const std::size_t open = peek().position;
      while (!peek().is_symbol(")") && peek().kind != TokenKind::end) {
        ++at_;
      }
      columns = text_.substr(open, peek().end - open);
      ++at_;
    }
    if (!word("AS") || !starts_query()) {
      return fail(ErrorCode::query, "CREATE VIEW {} wants AS and a query ({})", statement.view_name, place(text_, peek().position));
    }
    statement.text = without_semicolons(rest());
    if (!columns.empty()) {
      statement.text = fmt::format("WITH named{} AS ({}) SELECT * FROM named", columns, statement.text);
    }
    return statement;
  }

  Result<ParsedStatement> drop_view() {
    ParsedStatement statement{.kind = StatementKind::drop_view};
    statement.change = protocol::ViewChangeKind::drop;
    if (!word("VIEW")) {
      return fail(ErrorCode::unsupported, "DROP {} is not supported: topics are deleted by \"tripos topic delete\"; DROP VIEW is",
                  upper(peek().text));
    }
    if (peek().is_word("IF") && peek(1).is_word("EXISTS")) {
      at_ += 2;
      statement.change = protocol::ViewChangeKind::drop_if_exists;
    }
    TRIPOS_ASSIGN(statement.view_name, view_name());
    if (peek().kind != TokenKind::end) {
      return fail(ErrorCode::query, "{} is not understood ({})", peek().text, place(text_, peek().position));
    }
    return statement;
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

}  // namespace

Result<ParsedStatement> parse_statement(std::string_view text) {
  TRIPOS_ASSIGN(std::vector<Token> tokens, tokenize(text));
  return Parser(text, std::move(tokens)).run();
}

Result<Tree> parse_query(const Connection& connection, std::string_view text) {
  TRIPOS_ASSIGN(std::vector<Token> tokens, tokenize(text));
  tokens.pop_back();
  TRIPOS_ASSIGN(const Respelled respelled, respell(tokens, text));
  return Tree::parse(connection, respelled, text);
}

}  // namespace tripos::worker
