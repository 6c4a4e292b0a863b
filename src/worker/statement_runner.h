// StatementRunner: one statement of a user, from its text to its answer (query/protocol/messages.h has the conversation).
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "worker/dialect/rewriter.h"
#include "worker/dialect/statement.h"
#include "worker/inbox.h"
#include "worker/scan/log_scan.h"
#include "worker/table_view.h"

namespace tripos::worker {

struct Engine {
  const Connection& connection;
  Scans& scans;
  const protocol::Configure& configure;
  LostValues& lost_values;
  std::set<DecimalDivision> registered_divisions = {};
};

class StatementRunner {
 public:
  StatementRunner(Engine& engine, Inbox& inbox, protocol::Channel& channel, const protocol::Statement& statement)
      : engine_(engine), inbox_(inbox), channel_(channel), statement_(statement) {}

  // Sends all but Done and Failed; how many rows the answer has.
  [[nodiscard]] Result<std::uint64_t> run();

 private:
  class Tables;

  [[nodiscard]] Result<> load_views(Node query);
  [[nodiscard]] Result<> pin(bool list_names);
  [[nodiscard]] Result<> change_view(const ParsedStatement& parsed);
  [[nodiscard]] Result<std::uint64_t> answer(const Query& query);
  [[nodiscard]] Result<std::uint64_t> answer_rows(const std::vector<std::vector<std::optional<std::string>>>& rows,
                                                  const std::vector<std::pair<std::string, SqlKind>>& columns);
  [[nodiscard]] Result<std::uint64_t> answer_json(const Query& query);
  [[nodiscard]] Result<std::uint64_t> answer_parquet(const Query& query);
  // The plan; of `analyze`, with what running it took. A row a line, so that a table shows it as it was drawn.
  [[nodiscard]] Result<std::uint64_t> explain(const Query& query, bool analyze);
  [[nodiscard]] Result<std::uint64_t> list_tables(const ParsedStatement& parsed);
  [[nodiscard]] Result<Received> reply();
  [[nodiscard]] Result<> send(const protocol::ToServer& message);
  [[nodiscard]] Result<> limit_reached(std::uint64_t row_count) const;

  Engine& engine_;
  Inbox& inbox_;
  protocol::Channel& channel_;
  const protocol::Statement& statement_;
  std::map<std::string, Tree> views_;  // by name in lower case: those that the statement uses
  std::set<TableReference> needed_;    // tables, as written
  std::map<TableReference, std::size_t> pinned_index_;
  std::vector<PinnedTableView> pinned_;
  std::vector<ColumnUsage> usage_;  // by pinned table
  std::vector<std::string> table_names_;
};

}  // namespace tripos::worker
