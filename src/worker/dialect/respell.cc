#include "worker/dialect/respell.h"

#include <algorithm>
#include <unordered_set>

#include "worker/dialect/sql_type.h"

namespace tripos::worker {
namespace {

using Words = std::unordered_set<std::string>;

// Reserved by DuckDB's parser; never syntax in the queries of Spark that are read here.
const Words never_syntax = {
    "ANALYSE",    "ANALYZE",    "ASYMMETRIC", "CHECK",       "COLLATE",      "COLUMN",      "CONSTRAINT",    "CREATE",
    "DEFAULT",    "DEFERRABLE", "DESCRIBE",   "DO",          "FETCH",        "FOREIGN",     "GRANT",         "INITIALLY",
    "INTO",       "LAMBDA",     "ONLY",       "PIVOT",       "PIVOT_LONGER", "PIVOT_WIDER", "PRIMARY",       "QUALIFY",
    "REFERENCES", "RETURNING",  "SHOW",       "SUMMARIZE",   "SYMMETRIC",    "TABLE",       "UNIQUE",        "UNPIVOT",
    "VARIADIC",   "POSITIONAL", "ASOF",       "GLOB",        "ISNULL",       "NOTNULL",     "CONCURRENTLY",  "FREEZE",
    "GENERATED",  "MAP",        "STRUCT",     "TRY_CAST_TO", "OVERLAPS",     "VERBOSE",     "AUTHORIZATION", "BINARY"};

// Words after which an expression, a name or a clause begins: what stands before them is no operand of an operator that follows.
const Words syntax = {"SELECT",    "FROM",    "WHERE",   "GROUP",     "BY",       "HAVING",  "ORDER",     "LIMIT",     "AND",
                      "OR",        "NOT",     "IN",      "LIKE",      "ILIKE",    "BETWEEN", "ON",        "USING",     "AS",
                      "CASE",      "WHEN",    "THEN",    "ELSE",      "DISTINCT", "ALL",     "UNION",     "EXCEPT",    "MINUS",
                      "INTERSECT", "JOIN",    "LEFT",    "RIGHT",     "FULL",     "INNER",   "OUTER",     "CROSS",     "SEMI",
                      "ANTI",      "NATURAL", "LATERAL", "VIEW",      "WITH",     "RLIKE",   "REGEXP",    "DIV",       "IS",
                      "EXISTS",    "VALUES",  "OVER",    "PARTITION", "INTERVAL", "ASC",     "DESC",      "NULLS",     "FILTER",
                      "WINDOW",    "SIMILAR", "TO",      "ESCAPE",    "RANGE",    "ROWS",    "PRECEDING", "FOLLOWING", "RECURSIVE"};

// Function names that mean something else to DuckDB's parser.
const Words marked_functions = {"IF",
                                "IFNULL",
                                "NULLIF",
                                "STRUCT",
                                "NAMED_STRUCT",
                                "ARRAY",
                                "MAP",
                                "LEFT",
                                "RIGHT",
                                "DATE",
                                "TIMESTAMP",
                                "STRING",
                                "INT",
                                "BIGINT",
                                "SMALLINT",
                                "TINYINT",
                                "DOUBLE",
                                "FLOAT",
                                "BOOLEAN",
                                "BINARY",
                                "DECIMAL",
                                "CHAR",
                                "ISNULL",
                                "ISNOTNULL",
                                "LIKE",
                                "ILIKE",
                                "RLIKE",
                                "REGEXP",
                                "FILTER",
                                "EXISTS",
                                "ANY",
                                "SOME",
                                "OVERLAY",
                                "REPLACE",
                                "EXPLODE",
                                "POSEXPLODE",
                                "EXPLODE_OUTER",
                                "POSEXPLODE_OUTER",
                                "INLINE",
                                "INLINE_OUTER",
                                "NVL",
                                "GLOB",
                                "LAMBDA",
                                "ROW",
                                "CURRENT_DATE",
                                "CURRENT_TIMESTAMP",
                                "CURRENT_USER",
                                "NOW",
                                "UNNEST",
                                "DEFAULT",
                                "MOD",
                                "SUMMARIZE",
                                "SHOW",
                                "DESCRIBE"};

struct TypeName {
  std::string_view spark;
  std::string_view duckdb;
};

constexpr TypeName type_names[] = {
    {"STRING", "VARCHAR"},
    {"VARCHAR", "VARCHAR"},
    {"CHAR", "VARCHAR"},
    {"BOOLEAN", "BOOLEAN"},
    {"BYTE", "TINYINT"},
    {"TINYINT", "TINYINT"},
    {"SHORT", "SMALLINT"},
    {"SMALLINT", "SMALLINT"},
    {"INT", "INTEGER"},
    {"INTEGER", "INTEGER"},
    {"LONG", "BIGINT"},
    {"BIGINT", "BIGINT"},
    {"FLOAT", "FLOAT"},
    {"REAL", "FLOAT"},
    {"DOUBLE", "DOUBLE"},
    {"DECIMAL", "DECIMAL"},
    {"DEC", "DECIMAL"},
    {"NUMERIC", "DECIMAL"},
    {"DATE", "DATE"},
    {"TIMESTAMP", "TIMESTAMP"},
    {"BINARY", "BLOB"},
    {"TIMESTAMP_NTZ", "TIMESTAMP"},
    {"TIMESTAMP_LTZ", "TIMESTAMP"},
};

class Respeller {
 public:
  Respeller(std::span<const Token> tokens, std::string_view source) : tokens_(tokens), source_(source) {}

  Result<Respelled> run() {
    while (at_ < tokens_.size()) {
      TRIPOS_TRY(step());
    }
    Respelled respelled;
    for (const Piece& piece : out_) {
      respelled.pieces.push_back({respelled.sql.size(), piece.from});
      respelled.sql += piece.text;
      respelled.sql += ' ';
    }
    return respelled;
  }

 private:
  struct Piece {
    std::string text;
    std::size_t from;
  };
  struct Group {               // an open parenthesis, or the whole
    int cases = 0;             // CASE without its END
    bool cast = false;         // CAST( … AS type )
    bool query = false;        // has a SELECT of its own
    std::size_t group_by = 0;  // where in out_ the list of GROUP BY begins; 0: none
  };

  static const Token& none() {
    static const Token token;
    return token;
  }
  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const noexcept {
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : none();
  }
  [[nodiscard]] const Token& previous(std::size_t back = 1) const noexcept { return at_ >= back ? tokens_[at_ - back] : none(); }

  void emit(std::string text) { out_.push_back({std::move(text), peek().position}); }
  void take(std::string text, std::size_t count = 1) {
    emit(std::move(text));
    at_ += count;
  }

  // The token before ends an operand, so that an infix operator or a clause may follow.
  [[nodiscard]] bool after_operand(std::size_t back = 1) const {
    const Token& token = previous(back);
    switch (token.kind) {
      case TokenKind::word: return previous(back + 1).is_symbol(".") || !syntax.contains(upper(token.text));
      case TokenKind::symbol: return token.text == ")" || token.text == "]" || token.text == "*";
      case TokenKind::end: return false;
      default: return true;
    }
  }

  Result<> step() {
    const Token& token = peek();
    switch (token.kind) {
      case TokenKind::word: return word();
      case TokenKind::back_quoted: take(quoted_name(token.text)); return {};
      case TokenKind::double_quoted:
        if (previous().is_symbol(".") || peek(1).is_symbol(".")) {  // topics."name"
          take(quoted_name(token.text));
          return {};
        }
        [[fallthrough]];
      case TokenKind::string: {
        std::string text = token.text;
        std::size_t count = 1;
        while (peek(count).kind == TokenKind::string || peek(count).kind == TokenKind::double_quoted) {  // 'a' 'b' is 'ab'
          text += peek(count++).text;
        }
        if (text.find('\0') != std::string::npos) {
          return fail(ErrorCode::unsupported, "a string with the character NUL (at {}) can't be processed", place(source_, token.position));
        }
        if (groups_.back().query && (previous().is_word("FROM") || previous().is_word("JOIN"))) {
          take("parquet." + quoted_name(text), count);  // a file, as Spark's parquet.`path`
        } else {
          take(literal(text), count);
        }
        return {};
      }
      case TokenKind::number: return number();
      case TokenKind::symbol: return symbol();
      case TokenKind::end: ++at_; return {};
    }
    return {};
  }

  Result<> symbol() {
    const std::string& text = peek().text;
    if (text == "(") {
      const Token& before = previous();
      groups_.push_back({.cast = before.is_word("CAST") || before.is_word("TRY_CAST")});
    } else if (text == ")") {
      if (groups_.size() == 1) {
        return fail(ErrorCode::query, "a parenthesis is closed at {} that was never opened", place(source_, peek().position));
      }
      groups_.pop_back();
    } else if (text == "==") {
      take("=");
      return {};
    } else if (text == "<=>") {
      take("IS NOT DISTINCT FROM");
      return {};
    } else if (text == "!") {
      take("NOT");
      return {};
    } else if (text == "^") {
      take("#");  // bitwise, where DuckDB's ^ is a power; refused by the rewriter under its own name
      return fail(ErrorCode::unsupported, "the operator ^ (at {}) is not supported", place(source_, previous().position));
    } else if (text == "?" || text == "$" || text == "#" || text == "@") {
      return fail(ErrorCode::query, "syntax error at or near \"{}\" ({})", text, place(source_, peek().position));
    } else if (text == "::") {
      take("::");
      return type();
    }
    take(text);
    return {};
  }

  Result<> number() {
    const std::string& text = peek().text;
    const std::size_t digits = text.find_first_not_of("0123456789.eE+-");
    if (digits == std::string::npos) {
      take(text);
      return {};
    }
    const std::string value = text.substr(0, digits);
    const std::string suffix = upper(text.substr(digits));
    const bool exponent = value.find_first_of("eE") != std::string::npos;
    const bool whole = value.find('.') == std::string::npos && !exponent;
    if (suffix == "D") {
      take(exponent ? value : value + "e0");
    } else if (suffix == "F") {
      take(fmt::format("{}real({}{})", marker_prefix, value, exponent ? "" : "e0"));
    } else if (suffix == "BD" && !exponent) {
      take(whole ? value + "." : value);
    } else if (whole && suffix == "L") {
      take(fmt::format("{}long({})", marker_prefix, value));
    } else if (whole && suffix == "S") {
      take(fmt::format("{}short({})", marker_prefix, value));
    } else if (whole && suffix == "Y") {
      take(fmt::format("{}byte({})", marker_prefix, value));
    } else {
      return fail(ErrorCode::query, "{} is no number ({})", text, place(source_, peek().position));
    }
    return {};
  }

  Result<> word() {
    const Token& token = peek();
    const std::string name = upper(token.text);
    if (previous().is_symbol(".") || peek(1).is_symbol(".")) {  // part of a longer name
      const bool plain = !syntax.contains(name) && !never_syntax.contains(name) && name != "END" && name != "OFFSET";
      take(plain && !previous().is_symbol(".") ? token.text : quoted_name(token.text));
      return {};
    }
    if (peek(1).is_symbol("(") && is_marked_function(name)) {
      take(std::string(marker_prefix) + lower(token.text));
      return {};
    }
    if ((name == "RLIKE" || name == "REGEXP") && (after_operand() || (previous().is_word("NOT") && after_operand(2)))) {
      take("SIMILAR TO");
      return {};
    }
    if (name == "DIV" && after_operand()) {
      take("//");
      return {};
    }
    if (name == "LEFT" && (peek(1).is_word("SEMI") || peek(1).is_word("ANTI"))) {
      ++at_;
      take(upper(peek().text));
      return {};
    }
    if (name == "MINUS" && after_operand()) {
      take("EXCEPT");
      return {};
    }
    if (name == "SORT" && peek(1).is_word("BY")) {
      take("ORDER");
      return {};
    }
    if (name == "LATERAL" && peek(1).is_word("VIEW")) {
      return lateral_view();
    }
    if (name == "GROUP" && peek(1).is_word("BY")) {
      take("GROUP BY", 2);
      groups_.back().group_by = out_.size();
      return {};
    }
    if (name == "WITH" && (peek(1).is_word("ROLLUP") || peek(1).is_word("CUBE")) && groups_.back().group_by != 0) {
      out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(groups_.back().group_by), {upper(peek(1).text) + " (", peek().position});
      take(")", 2);
      return {};
    }
    if ((name == "DATE" || name == "TIMESTAMP") && !after_operand() &&
        (peek(1).kind == TokenKind::string || peek(1).kind == TokenKind::double_quoted)) {
      take(fmt::format("{}{}_literal({})", marker_prefix, lower(name), literal(peek(1).text)), 2);
      return {};
    }
    if (name == "SELECT") {
      groups_.back().query = true;
    }
    if (name == "AS" && groups_.back().cast) {
      groups_.back().cast = false;
      take("AS");
      return type();
    }
    return name_or_syntax(name);
  }

  // Spark reserves no words: what can't be syntax where it stands is a name.
  Result<> name_or_syntax(const std::string& name) {
    const Token& token = peek();
    bool is_name = never_syntax.contains(name);
    if (name == "CASE") {
      ++groups_.back().cases;
    } else if (name == "END") {
      is_name = groups_.back().cases == 0;
      groups_.back().cases -= is_name ? 0 : 1;
    } else if (name == "OFFSET") {
      is_name = peek(1).kind != TokenKind::number || !after_operand();
    } else if (name == "DESC" || name == "ASC") {
      is_name = !after_operand();
    } else if (name == "LIMIT" || name == "WINDOW") {
      is_name = !after_operand() && !previous().is_word("ASC") && !previous().is_word("DESC");
    } else if (name == "USER" || name == "SESSION_USER" || name == "TO") {
      is_name = true;
    }
    take(is_name ? quoted_name(token.text) : token.text);
    return {};
  }

  [[nodiscard]] bool is_marked_function(const std::string& name) const {
    if (!marked_functions.contains(name)) {
      return name == "POSITION" && !has_keyword_inside("IN");
    }
    if (name == "FILTER") {
      return !after_operand();
    }
    if (name == "LIKE" || name == "ILIKE" || name == "RLIKE" || name == "REGEXP") {
      return !after_operand() && !(previous().is_word("NOT") && after_operand(2));
    }
    if (name == "EXISTS" || name == "ANY" || name == "SOME") {
      return !peek(2).is_word("SELECT") && !peek(2).is_word("WITH");
    }
    if (name == "OVERLAY") {
      return !has_keyword_inside("PLACING");
    }
    return true;
  }

  // Inside of the parentheses that follow the next token.
  [[nodiscard]] bool has_keyword_inside(std::string_view keyword) const {
    int depth = 0;
    for (std::size_t ahead = 1; at_ + ahead < tokens_.size(); ++ahead) {
      if (peek(ahead).is_symbol("(")) {
        ++depth;
      } else if (peek(ahead).is_symbol(")")) {
        if (--depth == 0) {
          return false;
        }
      } else if (depth == 1 && peek(ahead).is_word(keyword)) {
        return true;
      }
    }
    return false;
  }

  // LATERAL VIEW [OUTER] generator(…) table [[AS] column, …]   →   , LATERAL generator(…) AS table(column, …)
  Result<> lateral_view() {
    emit(", LATERAL");
    at_ += 2;
    const bool outer = peek().is_word("OUTER");
    at_ += outer ? 1 : 0;
    if (peek().kind != TokenKind::word || !peek(1).is_symbol("(")) {
      return fail(ErrorCode::query, "LATERAL VIEW wants a function such as explode(…) ({})", place(source_, peek().position));
    }
    std::string generator = lower(peek().text);
    if (outer && !generator.ends_with("_outer")) {
      generator += "_outer";
    }
    take(std::string(marker_prefix) + generator);
    const std::size_t depth = groups_.size();
    do {
      TRIPOS_TRY(step());
    } while (groups_.size() > depth && at_ < tokens_.size());
    std::string table = fmt::format("tripos_lateral_{}", ++lateral_views_);
    if (peek().is_name() && !peek().is_word("AS") && !is_clause(peek())) {
      table = peek().text;
      ++at_;
    }
    std::string columns;
    if (peek().is_word("AS") || (peek().is_name() && !is_clause(peek()))) {
      at_ += peek().is_word("AS") ? 1 : 0;
      while (peek().is_name()) {
        columns += (columns.empty() ? "" : ", ") + quoted_name(peek().text);
        ++at_;
        if (!peek().is_symbol(",")) {
          break;
        }
        ++at_;
      }
    }
    emit(fmt::format("AS {}", quoted_name(table)) + (columns.empty() ? "" : "(" + columns + ")"));
    return {};
  }

  static bool is_clause(const Token& token) { return token.kind == TokenKind::word && syntax.contains(upper(token.text)); }

  // A type: STRUCT<a: INT>, ARRAY<…>, MAP<…, …>, DECIMAL[(p[, s])], and names.
  Result<> type() {
    TRIPOS_ASSIGN(std::string text, type_text());
    emit(std::move(text));
    return {};
  }

  Result<std::string> type_text() {
    const Token& token = peek();
    const std::string name = upper(token.text);
    ++at_;
    if (name == "ARRAY" && open_angle()) {
      TRIPOS_ASSIGN(const std::string element, type_text());
      TRIPOS_TRY(close_angle());
      return element + "[]";
    }
    if (name == "MAP" && open_angle()) {
      TRIPOS_ASSIGN(const std::string key, type_text());
      TRIPOS_TRY(expect(","));
      TRIPOS_ASSIGN(const std::string value, type_text());
      TRIPOS_TRY(close_angle());
      return fmt::format("MAP({}, {})", key, value);
    }
    if (name == "STRUCT" && open_angle()) {
      std::string fields;
      do {
        at_ += fields.empty() ? 0 : 1;
        const std::string field = peek().text;
        ++at_;
        at_ += peek().is_symbol(":") ? 1 : 0;
        TRIPOS_ASSIGN(const std::string field_type, type_text());
        fields += (fields.empty() ? "" : ", ") + quoted_name(field) + ' ' + field_type;
      } while (peek().is_symbol(","));
      TRIPOS_TRY(close_angle());
      return fmt::format("STRUCT({})", fields);
    }
    const auto* known = std::ranges::find(type_names, std::string_view(name), &TypeName::spark);
    if (token.kind != TokenKind::word || known == std::end(type_names)) {
      return fail(ErrorCode::query, "there is no type {} ({})", token.text, place(source_, token.position));
    }
    std::string parameters;
    if (peek().is_symbol("(")) {
      while (!peek().is_symbol(")") && peek().kind != TokenKind::end) {
        parameters += peek().text;
        ++at_;
      }
      TRIPOS_TRY(expect(")"));
      parameters += ')';
    }
    if (known->duckdb == "DECIMAL") {
      return "DECIMAL" + (parameters.empty()                          ? "(10,0)"
                          : parameters.find(',') == std::string::npos ? parameters.substr(0, parameters.size() - 1) + ",0)"
                                                                      : parameters);
    }
    return std::string(known->duckdb);
  }

  bool open_angle() {
    const bool open = peek().is_symbol("<");
    at_ += open ? 1 : 0;
    return open;
  }

  // Of nested types the lexer reads ">>" as one token.
  Result<> close_angle() {
    if (half_angle_) {
      half_angle_ = false;
      ++at_;
      return {};
    }
    if (peek().is_symbol(">>")) {
      half_angle_ = true;
      return {};
    }
    return expect(">");
  }

  Result<> expect(std::string_view symbol) {
    if (!peek().is_symbol(symbol)) {
      return fail(ErrorCode::query, "a \"{}\" is missing in the type ({})", symbol,
                  place(source_, std::min(peek().position, source_.size())));
    }
    ++at_;
    return {};
  }

  std::span<const Token> tokens_;
  std::string_view source_;
  std::size_t at_ = 0;
  std::vector<Piece> out_;
  std::vector<Group> groups_{1};
  int lateral_views_ = 0;
  bool half_angle_ = false;
};

}  // namespace

std::size_t Respelled::source_position(std::size_t position) const noexcept {
  const auto after = std::ranges::upper_bound(pieces, position, {}, &Piece::to);
  return after == pieces.begin() ? 0 : (after - 1)->from;
}

Result<Respelled> respell(std::span<const Token> tokens, std::string_view source) { return Respeller(tokens, source).run(); }

}  // namespace tripos::worker
