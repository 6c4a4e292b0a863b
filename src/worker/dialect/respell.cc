#include "worker/dialect/respell.h"

#include <algorithm>
#include <unordered_set>

#include "worker/dialect/sql_type.h"
#include "worker/dialect/words.h"

namespace tripos::worker {
namespace {

// What a file's name says of it.
std::string_view file_format(std::string_view path) {
  const auto ends = [&](std::string_view ending) {
    return path.size() >= ending.size() && equal_ignoring_case(path.substr(path.size() - ending.size()), ending);
  };
  if (ends(".csv") || ends(".tsv")) {
    return "csv";
  }
  return ends(".json") || ends(".jsonl") || ends(".ndjson") ? "json" : "parquet";
}

using Words = std::unordered_set<std::string>;

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
                                "GROUPING_ID",
                                "LTRIM",
                                "RTRIM",
                                "DATE_PART",
                                "PERCENTILE_CONT",
                                "PERCENTILE_DISC",
                                "STRING_AGG",
                                "LISTAGG",
                                "WINDOW",
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
  Respeller(std::span<const Token> tokens, std::string_view source) : tokens_(tokens), roles_(word_roles(tokens)), source_(source) {}

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
    bool cast = false;         // CAST( … AS type )
    bool query = false;        // has a SELECT of its own
    std::size_t group_by = 0;  // where in out_ the list of GROUP BY begins; 0: none
    bool structure = false;    // struct( … AS name, … )
    std::size_t argument = 0;  // where in out_ its current argument begins
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

  [[nodiscard]] bool is_syntax(std::size_t ahead = 0) const {
    return at_ + ahead < tokens_.size() && roles_[at_ + ahead].word == WordRole::syntax;
  }
  [[nodiscard]] bool is_syntax(std::string_view word, std::size_t ahead = 0) const { return is_syntax(ahead) && peek(ahead).is_word(word); }
  [[nodiscard]] bool is_syntax_behind(std::string_view word) const {
    return at_ > 0 && roles_[at_ - 1].word == WordRole::syntax && previous().is_word(word);
  }
  [[nodiscard]] bool behind_operand() const { return at_ > 0 && roles_[at_ - 1].ends_operand; }

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
          take(fmt::format("{}.{}", file_format(text), quoted_name(text)), count);  // a file, as Spark's parquet.`path`
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
      groups_.push_back({.cast = before.is_word("CAST") || before.is_word("TRY_CAST"), .structure = before.is_word("STRUCT")});
      groups_.back().argument = out_.size() + 1;
    } else if (text == ")") {
      if (groups_.size() == 1) {
        return fail(ErrorCode::query, "a parenthesis is closed at {} that was never opened", place(source_, peek().position));
      }
      if (is_syntax("WITHIN", 1) && is_syntax("GROUP", 2) && peek(3).is_symbol("(")) {  // f(a) WITHIN GROUP (ORDER BY b): f(a ORDER BY b)
        at_ += 4;
        return {};
      }
      if ((is_syntax("IGNORE", 1) || is_syntax("RESPECT", 1)) && is_syntax("NULLS", 2)) {  // f(a) IGNORE NULLS: f(a IGNORE NULLS)
        groups_.pop_back();
        take(is_syntax("IGNORE", 1) ? "IGNORE NULLS )" : ")", 3);
        return {};
      }
      groups_.pop_back();
    } else if (text == ",") {
      groups_.back().argument = out_.size() + 1;
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
    } else if ((text == "|" || text == ">>") && peek(1).is_symbol(">") && peek(1).position == peek().end) {
      return fail(ErrorCode::unsupported, "{}> (at {}) is not supported", text, place(source_, peek().position));
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
    if (!is_syntax()) {
      const TokenKind next = peek(1).kind;
      if ((name == "DATE" || name == "TIMESTAMP") && (next == TokenKind::string || next == TokenKind::double_quoted) && !behind_operand()) {
        take(fmt::format("{}{}_literal({})", marker_prefix, lower(name), literal(peek(1).text)), 2);
      } else if (name == "X" && next == TokenKind::string && peek(1).position == token.end) {
        return binary_literal();
      } else if (roles_[at_].word == WordRole::function) {
        take(is_marked_function(name) ? std::string(marker_prefix) + lower(token.text) : token.text);
      } else {
        take(quoted_name(token.text));
      }
      return {};
    }
    if (name == "RLIKE" || name == "REGEXP") {
      take("SIMILAR TO");
    } else if (name == "DIV") {
      take("//");
    } else if (name == "LEFT" && (is_syntax("SEMI", 1) || is_syntax("ANTI", 1))) {
      ++at_;
      take(upper(peek().text));
    } else if (name == "MINUS") {
      take("EXCEPT");
    } else if (name == "SORT") {
      take("ORDER");
    } else if (name == "LATERAL" && is_syntax("VIEW", 1)) {
      return lateral_view();
    } else if (name == "TABLESAMPLE") {
      return fail(ErrorCode::unsupported, "TABLESAMPLE is not supported ({})", place(source_, token.position));
    } else if ((name == "ANY" || name == "SOME" || name == "ALL") && (is_syntax_behind("LIKE") || is_syntax_behind("ILIKE"))) {
      take(fmt::format("{}like_{}", marker_prefix, name == "ALL" ? "all" : "any"));
    } else if (name == "EXCEPT" && previous().is_symbol("*") && peek(1).is_symbol("(")) {
      take("EXCLUDE");
    } else if (name == "GROUPING" && groups_.back().group_by != 0 && out_.size() > groups_.back().group_by && !previous().is_symbol(",")) {
      out_.resize(groups_.back().group_by);  // GROUP BY a, b GROUPING SETS (…): the sets alone decide
      take("GROUPING");
    } else if (name == "INTERVAL") {
      return interval();
    } else if (name == "AS" && groups_.back().structure) {
      const Token& alias = peek(1);
      out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(groups_.back().argument), {quoted_name(alias.text) + " :=", alias.position});
      at_ += 2;
    } else if (name == "GROUP" && is_syntax("BY", 1)) {
      take("GROUP BY", 2);
      groups_.back().group_by = out_.size();
    } else if (name == "WITH" && (is_syntax("ROLLUP", 1) || is_syntax("CUBE", 1)) && groups_.back().group_by != 0) {
      out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(groups_.back().group_by), {upper(peek(1).text) + " (", peek().position});
      take(")", 2);
    } else if (name == "AS" && groups_.back().cast) {
      groups_.back().cast = false;
      take("AS");
      return type();
    } else {
      groups_.back().query |= name == "SELECT";
      take(token.text);
    }
    return {};
  }

  // INTERVAL 1 DAY 2 HOURS is a sum; INTERVAL '1 02:03:04' DAY TO SECOND is read here.
  Result<> interval() {
    const std::size_t begin = at_;
    if (peek(1).is_symbol("(")) {
      take("INTERVAL");
      return {};
    }
    std::size_t at = at_ + 1;
    std::string sum;
    std::string text;
    while (at + 1 < tokens_.size()) {
      const bool negative = tokens_[at].is_symbol("-");
      at += negative ? 1 : 0;
      const Token& number = tokens_[at];
      if ((number.kind != TokenKind::number && number.kind != TokenKind::string) || at + 1 >= tokens_.size() ||
          roles_[at + 1].word != WordRole::syntax) {
        break;
      }
      const Token& unit = tokens_[at + 1];
      if (at + 3 < tokens_.size() && tokens_[at + 2].is_word("TO") && roles_[at + 2].word == WordRole::syntax) {
        return fail(ErrorCode::unsupported, "INTERVAL … {} TO {} ({}) is not supported; write the parts: INTERVAL 1 DAY 2 HOURS",
                    upper(unit.text), upper(tokens_[at + 3].text), place(source_, peek().position));
      }
      text = fmt::format("INTERVAL '{}{}' {}", negative ? "-" : "", number.text, unit.text);
      sum += (sum.empty() ? "" : " + ") + text;
      at += 2;
    }
    if (sum.empty()) {  // INTERVAL '1 day 2 hours'
      take("INTERVAL");
      return {};
    }
    take(sum == text ? text : fmt::format("({})", sum), at - begin);
    return {};
  }

  // X'1F2A'
  Result<> binary_literal() {
    const std::string& digits = peek(1).text;
    if (digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
      return fail(ErrorCode::query, "X'{}' ({}) wants hexadecimal digits", digits, place(source_, peek().position));
    }
    take(fmt::format("{}binary_literal('{}{}')", marker_prefix, digits.size() % 2 == 0 ? "" : "0", upper(digits)), 2);
    return {};
  }

  [[nodiscard]] bool is_marked_function(const std::string& name) const {
    if (name == "POSITION") {
      return !has_keyword_inside("IN");
    }
    if (name == "OVERLAY") {
      return !has_keyword_inside("PLACING");
    }
    if (name == "FIRST" || name == "LAST" || name == "FIRST_VALUE" || name == "LAST_VALUE" || name == "ANY_VALUE") {
      return has_keyword_inside(",");  // first(a, true), which DuckDB's parser takes for a wrong window function
    }
    return marked_functions.contains(name);
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
      } else if (depth == 1 && (peek(ahead).is_word(keyword) || peek(ahead).is_symbol(keyword))) {
        return true;
      }
    }
    return false;
  }

  // LATERAL VIEW [OUTER] generator(…) table [[AS] column, …]   →   , LATERAL generator(…) AS table(column, …)
  Result<> lateral_view() {
    emit(", LATERAL");
    at_ += 2;
    const bool outer = is_syntax("OUTER");
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
    if (peek().is_name() && !is_syntax()) {
      table = peek().text;
      ++at_;
    }
    std::string columns;
    if (is_syntax("AS") || (peek().is_name() && !is_syntax())) {
      at_ += is_syntax("AS") ? 1 : 0;
      while (peek().is_name() && !is_syntax()) {
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
  std::vector<TokenRole> roles_;
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
