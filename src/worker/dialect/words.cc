#include "worker/dialect/words.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <unordered_map>

#include "worker/dialect/sql_type.h"

namespace tripos::worker {
namespace {

constexpr std::string_view interval_units[] = {"YEAR",   "YEARS",   "MONTH",       "MONTHS",       "WEEK",        "WEEKS",
                                               "DAY",    "DAYS",    "HOUR",        "HOURS",        "MINUTE",      "MINUTES",
                                               "SECOND", "SECONDS", "MILLISECOND", "MILLISECONDS", "MICROSECOND", "MICROSECONDS"};

class Roles {
 public:
  explicit Roles(std::span<const Token> tokens) : tokens_(tokens), roles_(tokens.size()) {}

  std::vector<TokenRole> run() {
    for (at_ = 0; at_ < tokens_.size(); ++at_) {
      const Token& token = tokens_[at_];
      switch (token.kind) {
        case TokenKind::word: word(); break;
        case TokenKind::symbol: symbol(); break;
        default: roles_[at_].ends_operand = token.kind != TokenKind::end; break;
      }
      if (token.kind == TokenKind::word && !is_unit_) {
        in_interval_ = is_syntax(0, "INTERVAL");
      }
      is_unit_ = false;
    }
    return std::move(roles_);
  }

 private:
  struct Group {               // an open parenthesis, or the whole
    int cases = 0;             // CASE without its END
    bool cast = false;         // CAST( … AS type )
    bool window = false;       // OVER ( … ), WINDOW w AS ( … )
    bool trim = false;         // trim( BOTH … )
    bool of_interval = false;  // INTERVAL ( … ) DAY
    bool query = false;        // has a SELECT
  };
  using Rule = bool (Roles::*)();

  // What stands where. `ahead` and `back` count from the token at hand.
  [[nodiscard]] const Token& next(std::size_t ahead = 1) const noexcept {
    static const Token none;
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : none;
  }
  [[nodiscard]] const Token& previous(std::size_t back = 1) const noexcept {
    static const Token none;
    return at_ >= back ? tokens_[at_ - back] : none;
  }
  [[nodiscard]] bool next_is(std::initializer_list<std::string_view> words) const {
    return std::ranges::any_of(words, [&](std::string_view word) { return next().is_word(word); });
  }
  [[nodiscard]] bool is_syntax(std::size_t back, std::string_view word) const {
    return at_ >= back && roles_[at_ - back].word == WordRole::syntax && tokens_[at_ - back].is_word(word);
  }
  [[nodiscard]] bool behind(std::initializer_list<std::string_view> words) const {
    return std::ranges::any_of(words, [&](std::string_view word) { return is_syntax(1, word); });
  }
  [[nodiscard]] bool behind_operand(std::size_t back = 1) const { return at_ >= back && roles_[at_ - back].ends_operand; }
  // The next token can begin an operand: a word there is no end of an item.
  [[nodiscard]] bool before_operand() const {
    const Token& token = next();
    switch (token.kind) {
      case TokenKind::end: return false;
      case TokenKind::symbol: return token.text == "(" || token.text == "-" || token.text == "+" || token.text == "~" || token.text == "!";
      case TokenKind::word: return !token.is_word("FROM") && !token.is_word("AS");
      default: return true;
    }
  }

  void symbol() {
    const std::string& text = tokens_[at_].text;
    TokenRole& role = roles_[at_];
    if (text == "(") {
      Group group;
      group.cast = previous().is_word("CAST") || previous().is_word("TRY_CAST");
      group.trim = previous().is_word("TRIM");
      group.window = behind({"OVER", "AS"});
      group.of_interval = behind({"INTERVAL"});
      groups_.push_back(group);
    } else if (text == ")") {
      role.ends_operand = true;
      in_interval_ = groups_.back().of_interval;
      if (groups_.size() > 1) {
        groups_.pop_back();
      }
      return;
    } else if (text == "]") {
      role.ends_operand = true;
    } else if (text == "*") {
      role.ends_operand = !behind_operand();
    }
    in_interval_ = in_interval_ && (text == "-" || text == "(");
  }

  void set(WordRole role, bool ends_operand) { roles_[at_] = {role, ends_operand}; }

  void word() {
    const Token& token = tokens_[at_];
    if (previous().is_symbol(".") || next().is_symbol(".")) {  // part of a longer name
      set(next().is_symbol("(") ? WordRole::function : WordRole::name, true);
      return;
    }
    if (is_syntax(1, "AS") && !groups_.back().cast && !token.is_word("SELECT")) {
      set(WordRole::name, true);
      return;
    }
    if (is_syntax(1, "AS") && groups_.back().cast) {  // the type of a CAST
      groups_.back().cast = false;
      set(WordRole::syntax, true);
      return;
    }
    const std::string name = upper(token.text);
    if (const auto found = rules().find(name); found != rules().end()) {
      set(WordRole::syntax, false);
      if ((this->*found->second)()) {
        return;
      }
    } else if (in_interval_ && before_unit() && std::ranges::find(interval_units, name) != std::end(interval_units)) {
      is_unit_ = true;
      set(WordRole::syntax, true);
      return;
    }
    set(next().is_symbol("(") && !behind_operand() ? WordRole::function : WordRole::name, !next().is_symbol("(") || behind_operand());
  }

  bool ends_operand() {
    roles_[at_].ends_operand = true;
    return true;
  }

  // The rules: true where the word is syntax.
  bool always() { return true; }
  bool select() {
    groups_.back().query = true;
    return true;
  }
  bool literal() { return !behind_operand() && ends_operand(); }  // NULL, TRUE, FALSE
  bool infix() {                                                  // a IN (…), a NOT LIKE b
    return before_operand() && (behind_operand() || (behind({"NOT"}) && behind_operand(2)) || behind({"ROWS", "RANGE"}));
  }
  bool is() { return behind_operand() && next_is({"NULL", "NOT", "TRUE", "FALSE", "UNKNOWN", "DISTINCT"}); }
  bool unknown() { return (behind({"IS"}) || (behind({"NOT"}) && is_syntax(2, "IS"))) && ends_operand(); }
  bool negation() { return !behind_operand() || next_is({"IN", "LIKE", "ILIKE", "RLIKE", "REGEXP", "BETWEEN"}); }
  bool quantifier() {  // DISTINCT
    return !behind_operand();
  }
  bool all() {
    if (behind({"BY"})) {
      return ends_operand();
    }
    return behind({"UNION", "EXCEPT", "MINUS", "INTERSECT", "LIKE", "ILIKE"}) || (behind({"SELECT"}) && before_operand());
  }
  bool any() { return behind({"LIKE", "ILIKE"}) && next().is_symbol("("); }
  bool before_by() { return next_is({"BY"}) || behind({"WITHIN"}); }
  bool by() { return behind({"GROUP", "ORDER", "SORT", "PARTITION", "DISTRIBUTE", "CLUSTER"}); }
  bool limit() { return behind_operand() && before_operand(); }
  bool window() { return behind_operand() && next().is_name() && next(2).is_word("AS"); }
  bool over() { return behind_operand() && (next().is_symbol("(") || next().is_name()) && before_operand() && behind_call(); }
  bool filter() { return previous().is_symbol(")") && next().is_symbol("("); }
  bool within() { return previous().is_symbol(")") && next_is({"GROUP"}); }
  [[nodiscard]] bool behind_call() const { return previous().is_symbol(")") || behind({"NULLS"}); }
  bool join_side() {
    return (behind_operand() || behind({"NATURAL", "LEFT"})) &&
           next_is({"JOIN", "OUTER", "SEMI", "ANTI", "LEFT", "RIGHT", "FULL", "INNER"});
  }
  bool outer() { return behind({"LEFT", "RIGHT", "FULL", "VIEW"}); }
  bool lateral() {
    return next_is({"VIEW"}) ||
           ((previous().is_symbol(",") || behind({"JOIN", "FROM"})) && (next().is_symbol("(") || next(2).is_symbol("(")));
  }
  bool view() { return behind({"LATERAL"}); }
  bool set_operation() {  // "* EXCEPT (a, b)" too
    return behind_operand() && (next().is_symbol("(") || next_is({"SELECT", "ALL", "DISTINCT", "VALUES", "FROM", "TABLE", "WITH"}));
  }
  bool values() {
    const TokenKind kind = next().kind;
    return !behind_operand() && (next().is_symbol("(") || kind == TokenKind::string || kind == TokenKind::number);
  }
  bool with() { return (behind_operand() ? next_is({"ROLLUP", "CUBE"}) : true); }
  bool recursive() { return behind({"WITH"}) && next().is_name() && !next_is({"AS"}); }
  bool rollup() { return behind({"WITH"}) ? ends_operand() : (behind({"BY"}) || previous().is_symbol(",")) && next().is_symbol("("); }
  bool grouping() { return next_is({"SETS"}); }
  bool sets() { return behind({"GROUPING"}); }
  bool direction() { return behind_operand() && !next().is_word("FROM") && ends_operand(); }
  bool nulls() {
    if (behind({"IGNORE", "RESPECT"})) {
      return ends_operand();
    }
    return next_is({"FIRST", "LAST"}) && behind_operand();
  }
  bool nulls_place() { return behind({"NULLS"}) && ends_operand(); }
  bool before_nulls() { return behind_operand() && next_is({"NULLS"}); }
  bool interval() {
    const Token& token = next().is_symbol("-") || next().is_symbol("+") ? next(2) : next();
    return !behind_operand() && (token.kind == TokenKind::string || token.kind == TokenKind::number || next().is_symbol("("));
  }
  bool to() { return is_unit_ = in_interval_ && behind_unit(); }
  // 1 DAY, (a) DAY, DAY TO SECOND
  [[nodiscard]] bool before_unit() const {
    const Token& token = previous();
    return token.kind == TokenKind::number || token.kind == TokenKind::string || token.is_symbol(")") || is_syntax(1, "TO");
  }
  [[nodiscard]] bool behind_unit() const {
    return previous().kind == TokenKind::word && roles_[at_ - 1].word == WordRole::syntax && !is_syntax(1, "INTERVAL");
  }
  bool frame() {
    return groups_.back().window && (behind_operand() || previous().is_symbol("(")) &&
           (next_is({"BETWEEN", "UNBOUNDED", "CURRENT", "INTERVAL"}) || next().kind == TokenKind::number);
  }
  bool unbounded() { return next_is({"PRECEDING", "FOLLOWING"}) && ends_operand(); }
  bool bound() { return groups_.back().window && behind_operand() && ends_operand(); }
  bool current() { return groups_.back().window && next_is({"ROW"}); }
  bool row() { return behind({"CURRENT"}) && ends_operand(); }
  bool exists() { return next().is_symbol("(") && (next(2).is_word("SELECT") || next(2).is_word("WITH") || next(2).is_word("FROM")); }
  bool before_parenthesis() { return behind_operand() && next().is_symbol("("); }  // TABLESAMPLE, PIVOT
  bool trim_side() { return groups_.back().trim && previous().is_symbol("("); }
  bool case_() {
    if (behind_operand()) {
      return false;
    }
    ++groups_.back().cases;
    return true;
  }
  bool in_case() { return groups_.back().cases > 0 && (behind_operand() || behind({"CASE"})); }
  bool end() {
    if (!in_case()) {
      return false;
    }
    --groups_.back().cases;
    return ends_operand();
  }

  static const std::unordered_map<std::string_view, Rule>& rules() {
    static const std::unordered_map<std::string_view, Rule> all = {
        {"SELECT", &Roles::select},
        {"FROM", &Roles::always},
        {"WHERE", &Roles::always},
        {"HAVING", &Roles::always},
        {"AS", &Roles::always},
        {"ON", &Roles::always},
        {"USING", &Roles::always},
        {"JOIN", &Roles::always},
        {"NULL", &Roles::literal},
        {"TRUE", &Roles::literal},
        {"FALSE", &Roles::literal},
        {"AND", &Roles::infix},
        {"OR", &Roles::infix},
        {"IN", &Roles::infix},
        {"LIKE", &Roles::infix},
        {"ILIKE", &Roles::infix},
        {"RLIKE", &Roles::infix},
        {"REGEXP", &Roles::infix},
        {"BETWEEN", &Roles::infix},
        {"DIV", &Roles::infix},
        {"ESCAPE", &Roles::infix},
        {"FOR", &Roles::infix},
        {"PLACING", &Roles::infix},
        {"IS", &Roles::is},
        {"UNKNOWN", &Roles::unknown},
        {"NOT", &Roles::negation},
        {"DISTINCT", &Roles::quantifier},
        {"ALL", &Roles::all},
        {"ANY", &Roles::any},
        {"SOME", &Roles::any},
        {"GROUP", &Roles::before_by},
        {"ORDER", &Roles::before_by},
        {"SORT", &Roles::before_by},
        {"PARTITION", &Roles::before_by},
        {"DISTRIBUTE", &Roles::before_by},
        {"CLUSTER", &Roles::before_by},
        {"BY", &Roles::by},
        {"LIMIT", &Roles::limit},
        {"OFFSET", &Roles::limit},
        {"WINDOW", &Roles::window},
        {"OVER", &Roles::over},
        {"FILTER", &Roles::filter},
        {"WITHIN", &Roles::within},
        {"LEFT", &Roles::join_side},
        {"RIGHT", &Roles::join_side},
        {"FULL", &Roles::join_side},
        {"INNER", &Roles::join_side},
        {"CROSS", &Roles::join_side},
        {"NATURAL", &Roles::join_side},
        {"SEMI", &Roles::join_side},
        {"ANTI", &Roles::join_side},
        {"OUTER", &Roles::outer},
        {"LATERAL", &Roles::lateral},
        {"VIEW", &Roles::view},
        {"UNION", &Roles::set_operation},
        {"EXCEPT", &Roles::set_operation},
        {"MINUS", &Roles::set_operation},
        {"INTERSECT", &Roles::set_operation},
        {"VALUES", &Roles::values},
        {"WITH", &Roles::with},
        {"RECURSIVE", &Roles::recursive},
        {"ROLLUP", &Roles::rollup},
        {"CUBE", &Roles::rollup},
        {"GROUPING", &Roles::grouping},
        {"SETS", &Roles::sets},
        {"ASC", &Roles::direction},
        {"DESC", &Roles::direction},
        {"NULLS", &Roles::nulls},
        {"FIRST", &Roles::nulls_place},
        {"LAST", &Roles::nulls_place},
        {"IGNORE", &Roles::before_nulls},
        {"RESPECT", &Roles::before_nulls},
        {"INTERVAL", &Roles::interval},
        {"TO", &Roles::to},
        {"ROWS", &Roles::frame},
        {"RANGE", &Roles::frame},
        {"UNBOUNDED", &Roles::unbounded},
        {"PRECEDING", &Roles::bound},
        {"FOLLOWING", &Roles::bound},
        {"CURRENT", &Roles::current},
        {"ROW", &Roles::row},
        {"EXISTS", &Roles::exists},
        {"TABLESAMPLE", &Roles::before_parenthesis},
        {"PIVOT", &Roles::before_parenthesis},
        {"UNPIVOT", &Roles::before_parenthesis},
        {"BOTH", &Roles::trim_side},
        {"LEADING", &Roles::trim_side},
        {"TRAILING", &Roles::trim_side},
        {"CASE", &Roles::case_},
        {"WHEN", &Roles::in_case},
        {"THEN", &Roles::in_case},
        {"ELSE", &Roles::in_case},
        {"END", &Roles::end},
    };
    return all;
  }

  std::span<const Token> tokens_;
  std::vector<TokenRole> roles_;
  std::vector<Group> groups_{1};
  std::size_t at_ = 0;
  bool in_interval_ = false;  // behind INTERVAL, its number or one of its units
  bool is_unit_ = false;
};

}  // namespace

std::vector<TokenRole> word_roles(std::span<const Token> tokens) { return Roles(tokens).run(); }

}  // namespace tripos::worker
