// Rewriter: a query of Spark's SQL, parsed → the SQL that makes DuckDB answer as Spark would.
//
// One walk over the tree writes the statement anew, from the inside out: every expression becomes DuckDB's text with its Spark type
// and Spark's title for it. Names are resolved here, so that DuckDB never guesses what a name means; types decide
// what an operator or function does (division, casts, comparison of unlike types, a field of a list of structures …).
// Only what is listed here and in functions_*.cc passes: everything else ends as an error that names it.
//
// Tables are asked for by name (TableSource); which leaves of their columns are read is noted in their Usage. Views are
// replaced by their queries.
// Usage: Rewriter rewriter(source); rewriter.rewrite(tree.root()). One query per Rewriter.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "worker/dialect/expression.h"
#include "worker/dialect/scope.h"
#include "worker/dialect/tree.h"

namespace tripos::worker {

// A table as the rewriter sees it: a relation in DuckDB of that name with those columns.
struct TableBinding {
  std::string sql = {};  // what stands in FROM
  std::vector<SqlField> columns = {};
  std::vector<SqlField> hidden = {};                           // not part of *
  std::map<std::string, Usage, std::less<>>* usage = nullptr;  // by column; may be null
};

class TableSource {
 public:
  virtual ~TableSource() = default;
  // The query of a view, parsed; nullptr: no view of that name. The tree outlives the rewriting.
  [[nodiscard]] virtual Result<const Tree*> view(const TableReference& reference) = 0;
  [[nodiscard]] virtual Result<TableBinding> table(const TableReference& reference) = 0;
};

struct Query {
  std::string sql;
  std::vector<Column> columns;  // `sql` is the column's name in DuckDB's answer, quoted
};

// Exact quotients of decimals are computed by functions of ours, one for each pair of scales.
struct DecimalDivision {
  int dividend_scale;
  int divisor_scale;
  int scale;
  friend auto operator<=>(const DecimalDivision&, const DecimalDivision&) = default;
  [[nodiscard]] std::string function() const;
};

// A parameter of a function such as (x, i) -> x + i.
struct LambdaParameter {
  SqlType type;
  std::string sql = {};  // made of DuckDB's parameter, {0}; empty: it itself
  bool shares = false;   // that parameter is the one of the parameter before
};

struct FunctionCall {
  std::string name = {};                   // lower case
  std::vector<Node> nodes = {};            // the arguments as written
  std::vector<Expression> arguments = {};  // rewritten; those of lambdas are left to the function
  bool distinct = false;
  std::string filter = {};  // FILTER's condition, rewritten
  std::string filter_title = {};
  std::string order = {};  // ORDER BY inside of the parentheses
  std::vector<Node> order_nodes = {};
  std::string over = {};  // OVER (…), rewritten; empty: no window
  bool ignore_nulls = false;
  bool marked = false;  // written as a call; without it a function may stand for syntax such as extract(unit FROM x)
  const Scope* scope = nullptr;
};

class Rewriter {
 public:
  explicit Rewriter(TableSource& source) : source_(source) {}

  // The statement's query. All its columns count as read.
  [[nodiscard]] Result<Query> rewrite(Node query);

  [[nodiscard]] const std::set<DecimalDivision>& decimal_divisions() const noexcept { return decimal_divisions_; }

  // For the functions (functions_*.cc).
  [[nodiscard]] Result<Expression> expression(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> lambda(Node node, const Scope& scope, const std::vector<LambdaParameter>& parameters);
  [[nodiscard]] Expression arithmetic(std::string_view operation, Expression left, Expression right);
  [[nodiscard]] Expression comparison(std::string_view operation, Expression left, Expression right);
  [[nodiscard]] Expression field(Expression from, std::string_view name, std::string_view full_title);

 private:
  struct Cte {
    std::string name;
    std::vector<Column> columns;
    std::string sql_name;
  };
  struct Names;  // the queries of WITH that are in sight
  struct Item {
    std::string sql;
    Column column;
  };
  struct From {
    std::string sql;
    Scope scope;
  };

  // queries (rewrite_query.cc)
  [[nodiscard]] Result<Query> query(Node node, const Scope* outer, const Names* names);
  [[nodiscard]] Result<Query> query_body(Node node, const Scope* outer, const Names* names);
  [[nodiscard]] Result<Query> select(Node node, const Scope* outer, const Names* names);
  [[nodiscard]] Result<Query> set_operation(Node node, const Scope* outer, const Names* names);
  [[nodiscard]] Result<Query> recursive(Node node, const Scope* outer, const Names* names);
  [[nodiscard]] Result<std::vector<Item>> items(Node select, const Scope& scope);
  [[nodiscard]] Result<std::vector<Item>> star(Node node, const Scope& scope);
  [[nodiscard]] Result<std::string> group_by(Node select, const Scope& scope, const std::vector<Item>& items);
  [[nodiscard]] Result<std::string> modifiers(Node node, const Scope& scope, const std::vector<Item>& items);
  [[nodiscard]] Result<std::string> order_by(const std::vector<Node>& orders, const Scope& scope, const std::vector<Item>* items);

  // FROM (rewrite_from.cc)
  [[nodiscard]] Result<From> from(Node node, const Scope* outer, const Names* names);
  [[nodiscard]] Result<From> base_table(Node node, const Names* names);
  [[nodiscard]] Result<From> join(Node node, const Scope* outer, const Names* names);
  [[nodiscard]] Result<From> table_function(Node node, const Scope* outer);
  [[nodiscard]] Result<From> values(Node node, const Scope* outer);
  [[nodiscard]] Result<From> pivot(Node node, const Scope* outer, const Names* names);
  [[nodiscard]] Result<From> unpivot(Node node, const From& source);
  [[nodiscard]] Result<From> subquery_table(Query query, Node node, std::string alias);

  // expressions (rewrite_expression.cc)
  [[nodiscard]] Result<Expression> reference(Node node, const Scope& scope);  // as expression(), its usage not marked yet
  [[nodiscard]] Result<Expression> column(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> constant(Node value);
  [[nodiscard]] Result<Expression> operation(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> element(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> in_list(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> coalesce(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> compare(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> between(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> conjunction(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> case_expression(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> cast(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> subquery(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> function(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> like_list(std::string_view name, Expression left, Node list, const Scope& scope);
  [[nodiscard]] Result<Expression> infix(std::string_view name, Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> window(Node node, const Scope& scope);
  [[nodiscard]] Result<Expression> condition(Node node, const Scope& scope);
  [[nodiscard]] Result<SqlType> type(Node node);

  TableSource& source_;
  std::set<DecimalDivision> decimal_divisions_;
  std::vector<std::string> views_;  // whose queries are being rewritten, to find circles
  const Names* names_ = nullptr;    // in sight of the expression at hand
  std::string pivot_filter_;        // of the aggregates of PIVOT
  int generated_names_ = 0;
  int depth_ = 0;
};

// The type of `{"id": …, "type_info": …}`.
[[nodiscard]] SqlType type_of_node(Node node);

// A function's expression, by the catalogue. query: no such function, wrong number of arguments.
[[nodiscard]] Result<Expression> call_function(Rewriter& rewriter, FunctionCall& call);
[[nodiscard]] bool is_aggregate(std::string_view name);
// Its arguments are not rewritten before it is called: functions with lambdas or units of time.
[[nodiscard]] bool keeps_nodes(std::string_view name);

}  // namespace tripos::worker
