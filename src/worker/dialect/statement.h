// Statement: what a user's text asks for, by its first words; the query in it, if there is one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "query/protocol/messages.h"
#include "worker/dialect/lexer.h"
#include "worker/dialect/tree.h"

namespace tripos::worker {

enum class StatementKind : std::uint8_t {
  query,
  explain,
  explain_analyze,
  describe_query,
  describe_table,
  show_tables,
  show_views,
  show_columns,
  create_view,
  drop_view
};

struct ParsedStatement {
  StatementKind kind = StatementKind::query;
  std::string text = {};     // of the query, as written; of a table that is described: SELECT * FROM it
  std::string pattern = {};  // SHOW TABLES LIKE
  std::string view_name = {};
  protocol::ViewChangeKind change = protocol::ViewChangeKind::create;
};

// Exactly one statement that reads, or CREATE VIEW, DROP VIEW. query: anything else, by its name.
[[nodiscard]] Result<ParsedStatement> parse_statement(std::string_view text);

// The query's tree.
[[nodiscard]] Result<Tree> parse_query(const Connection& connection, std::string_view text);

}  // namespace tripos::worker
