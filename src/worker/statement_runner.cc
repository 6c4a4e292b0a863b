#include "worker/statement_runner.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "worker/functions/spark_functions.h"
#include "worker/functions/vector_text.h"

namespace tripos::worker {
namespace {

constexpr std::size_t rows_bytes_sent = std::size_t{256} << 10;

bool is_file(const TableReference& reference) {
  return equal_ignoring_case(reference.qualifier, "parquet") || equal_ignoring_case(reference.qualifier, "csv") ||
         equal_ignoring_case(reference.qualifier, "json");
}

// A pattern of SHOW TABLES: * is any text, | separates patterns; cases are alike.
bool matches_pattern(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) {
    return name.empty();
  }
  if (pattern.front() == '*' || pattern.front() == '%') {
    return matches_pattern(pattern.substr(1), name) || (!name.empty() && matches_pattern(pattern, name.substr(1)));
  }
  return !name.empty() && equal_ignoring_case(pattern.substr(0, 1), name.substr(0, 1)) &&
         matches_pattern(pattern.substr(1), name.substr(1));
}

// The file or directory that the operator allows, and the path below it; no way around by "..".
bool is_allowed(const std::string& path, const std::vector<std::string>& allowed) {
  std::string real(PATH_MAX, '\0');
  if (::realpath(path.c_str(), real.data()) == nullptr) {
    return false;
  }
  real.resize(real.find('\0'));
  return std::ranges::any_of(allowed, [&](const std::string& entry) {
    std::string of(PATH_MAX, '\0');
    if (::realpath(entry.c_str(), of.data()) == nullptr) {
      return false;
    }
    of.resize(of.find('\0'));
    return real == of || (real.starts_with(of) && (of.back() == '/' || real[of.size()] == '/'));
  });
}

}  // namespace

// Tables for the rewriter: first to learn what is read, then with the SQL of what was pinned.
class StatementRunner::Tables : public TableSource {
 public:
  Tables(StatementRunner& runner, bool final) : runner_(runner), final_(final) {}

  Result<const Tree*> view(const TableReference& reference) override {
    if (!reference.qualifier.empty()) {
      return nullptr;
    }
    const auto found = runner_.views_.find(lower(reference.name));
    return found == runner_.views_.end() ? nullptr : &found->second;
  }

  Result<TableBinding> table(const TableReference& reference) override {
    if (is_file(reference)) {
      return file(reference);
    }
    const std::size_t index = runner_.pinned_index_.at(reference);
    PinnedTableView& pinned = runner_.pinned_[index];
    TableBinding binding{
        .sql = "", .columns = pinned.columns(), .hidden = pinned.hidden_columns(), .usage = final_ ? nullptr : &runner_.usage_[index]};
    if (final_) {
      auto made = made_.find(index);
      if (made == made_.end()) {
        TRIPOS_ASSIGN(std::string sql, pinned.sql(runner_.usage_[index], runner_.engine_.scans, runner_.engine_.lost_values));
        made = made_.emplace(index, std::move(sql)).first;
      }
      binding.sql = made->second;
    }
    return binding;
  }

 private:
  Result<TableBinding> file(const TableReference& reference) {
    if (!is_allowed(reference.name, runner_.engine_.configure.allowed_paths)) {
      return fail(ErrorCode::permission, "the file {} is not there, or not among the files that the operator allows", reference.name);
    }
    const int descriptor = ::open(reference.name.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
      return tl::unexpected(os_error(errno, "opening", reference.name));
    }
    opened_.emplace_back(descriptor);
    const std::string_view reader = equal_ignoring_case(reference.qualifier, "parquet") ? "read_parquet"
                                    : equal_ignoring_case(reference.qualifier, "csv")   ? "read_csv"
                                                                                        : "read_json";
    TableBinding binding{.sql = fmt::format("{}('/proc/self/fd/{}')", reader, descriptor)};
    Result<QueryResult> opened = runner_.engine_.connection.query(fmt::format("SELECT * FROM {} LIMIT 0", binding.sql));
    if (!opened) {
      return tl::unexpected(std::move(opened).error().within(fmt::format("reading {} as {}", reference.name, reader.substr(5))));
    }
    QueryResult& empty = *opened;
    // A foreign file may have types that Spark lacks (unsigned numbers, moments with a time zone of their own): its nearest, then.
    std::string casts;
    for (idx_t i = 0; i < empty.column_count(); ++i) {
      binding.columns.push_back({empty.column_name(i), sql_type_of(empty.column_type(i).get())});
      const SqlField& column = binding.columns.back();
      casts += fmt::format("{0}CAST({1} AS {2}) AS {1}", casts.empty() ? "" : ", ", quoted_name(column.name), column.type.duckdb());
    }
    binding.sql = fmt::format("(SELECT {} FROM {})", casts, binding.sql);
    return binding;
  }

  StatementRunner& runner_;
  bool final_;
  std::map<std::size_t, std::string> made_;
  std::vector<protocol::Descriptor> opened_;

  friend class StatementRunner;
};

Result<> StatementRunner::send(const protocol::ToServer& message) { return channel_.send(protocol::encode(message)); }

Result<Received> StatementRunner::reply() {
  TRIPOS_ASSIGN(std::optional<Received> received, inbox_.take());
  if (!received) {
    return fail(ErrorCode::unavailable, "the server has gone");
  }
  if (const auto* refused = std::get_if<protocol::Refused>(&received->message)) {
    return tl::unexpected(Error{refused->code, refused->message});
  }
  return std::move(*received);
}

// The trees of all views below a query, and the tables that it needs.
Result<> StatementRunner::load_views(Node query) {
  for (const TableReference& reference : referenced_tables(query)) {
    const std::string name = lower(reference.name);
    const auto view =
        std::ranges::find_if(statement_.views, [&](const protocol::View& of) { return equal_ignoring_case(of.name, reference.name); });
    if (!reference.qualifier.empty() || view == statement_.views.end()) {
      if (!is_file(reference)) {
        needed_.insert(reference);
      }
      continue;
    }
    if (views_.contains(name)) {
      continue;
    }
    Result<Tree> tree = parse_query(engine_.connection, view->text);
    if (!tree) {
      return tl::unexpected(std::move(tree).error().within(fmt::format("view {}", view->name)));
    }
    const Node root = tree->root();
    views_.emplace(name, std::move(*tree));
    TRIPOS_TRY(load_views(root));
  }
  return {};
}

Result<> StatementRunner::pin(bool list_names) {
  if (needed_.empty() && !list_names) {
    return {};
  }
  protocol::NeedTables need{.names = {}, .list_names = list_names};
  for (const TableReference& reference : needed_) {
    need.names.push_back({reference.qualifier, reference.name});
  }
  TRIPOS_TRY(send(need));
  TRIPOS_ASSIGN(Received received, reply());
  auto* pinned = std::get_if<protocol::Pinned>(&received.message);
  if (pinned == nullptr || pinned->tables.size() != needed_.size()) {
    return fail(ErrorCode::malformed, "the server pinned other tables than were asked for");
  }
  table_names_ = std::move(pinned->table_names);
  for (const TableReference& reference : needed_) {
    TRIPOS_ASSIGN(PinnedTableView view,
                  PinnedTableView::open(std::move(pinned->tables[pinned_.size()]), received.descriptors, engine_.configure.thread_count));
    pinned_index_.emplace(reference, pinned_.size());
    pinned_.push_back(std::move(view));
  }
  usage_.resize(pinned_.size());
  return {};
}

Result<std::uint64_t> StatementRunner::run() {
  TRIPOS_ASSIGN(const ParsedStatement parsed, parse_statement(statement_.text));
  if (parsed.kind == StatementKind::drop_view) {
    TRIPOS_TRY(change_view(parsed));
    return answer_rows({}, {});
  }
  if (parsed.kind == StatementKind::show_tables || parsed.kind == StatementKind::show_views) {
    return list_tables(parsed);
  }
  TRIPOS_ASSIGN(const Tree tree, parse_query(engine_.connection, parsed.text));
  TRIPOS_TRY(load_views(tree.root()));
  TRIPOS_TRY(pin(false));
  Tables learning(*this, false);
  Rewriter learner(learning);
  TRIPOS_ASSIGN(Query query, learner.rewrite(tree.root()));
  if (parsed.kind == StatementKind::create_view) {
    TRIPOS_TRY(change_view(parsed));
    return answer_rows({}, {});
  }
  if (parsed.kind == StatementKind::describe_query || parsed.kind == StatementKind::describe_table ||
      parsed.kind == StatementKind::show_columns) {
    std::vector<std::vector<std::optional<std::string>>> rows;
    const bool names_only = parsed.kind == StatementKind::show_columns;
    for (const Column& column : query.columns) {
      rows.push_back(names_only ? std::vector<std::optional<std::string>>{column.name}
                                : std::vector<std::optional<std::string>>{column.name, column.type.ddl(), std::nullopt});
    }
    return names_only ? answer_rows(rows, {{"col_name", SqlKind::string}})
                      : answer_rows(rows, {{"col_name", SqlKind::string}, {"data_type", SqlKind::string}, {"comment", SqlKind::string}});
  }
  Tables final(*this, true);
  Rewriter writer(final);
  TRIPOS_ASSIGN(query, writer.rewrite(tree.root()));
  for (const DecimalDivision& division : writer.decimal_divisions()) {
    if (engine_.registered_divisions.insert(division).second) {
      TRIPOS_TRY(register_decimal_division(engine_.connection, division));
    }
  }
  if (parsed.kind == StatementKind::explain || parsed.kind == StatementKind::explain_analyze) {
    return explain(query, parsed.kind == StatementKind::explain_analyze);
  }
  return answer(query);
}

Result<> StatementRunner::change_view(const ParsedStatement& parsed) {
  TRIPOS_TRY(send(protocol::ViewChange{.kind = parsed.change, .name = parsed.view_name, .text = parsed.text}));
  TRIPOS_ASSIGN(const Received received, reply());
  if (!std::holds_alternative<protocol::ViewChanged>(received.message)) {
    return fail(ErrorCode::malformed, "the server did not answer the change of a view");
  }
  return {};
}

Result<std::uint64_t> StatementRunner::answer(const Query& query) {
  return statement_.output == protocol::Output::json ? answer_json(query) : answer_parquet(query);
}

Result<> StatementRunner::limit_reached(std::uint64_t row_count) const {
  if (statement_.row_count_max != 0 && row_count > statement_.row_count_max) {
    return fail(ErrorCode::too_large, "the answer has more than {} rows; ask for fewer with LIMIT, or raise the limit",
                statement_.row_count_max);
  }
  return {};
}

Result<std::uint64_t> StatementRunner::answer_json(const Query& query) {
  TRIPOS_ASSIGN(QueryResult result, engine_.connection.stream(query.sql));
  protocol::Columns columns;
  std::vector<VectorText> cells;
  for (idx_t i = 0; i < result.column_count(); ++i) {
    const LogicalType type = result.column_type(i);
    cells.emplace_back(type.get(), TextStyle::json_cell);
    const SqlType& wanted = query.columns[i].type;
    columns.columns.push_back({query.columns[i].name, wanted.is_known() ? wanted.ddl() : cells.back().type().ddl()});
  }
  TRIPOS_TRY(send(columns));
  std::uint64_t row_count = 0;
  protocol::Rows rows;
  while (true) {
    TRIPOS_ASSIGN(const DataChunk chunk, result.next());
    const idx_t size = chunk ? duckdb_data_chunk_get_size(chunk.get()) : 0;
    if (size == 0) {
      break;
    }
    for (idx_t i = 0; i < cells.size(); ++i) {
      cells[i].bind(duckdb_data_chunk_get_vector(chunk.get(), i));
    }
    for (idx_t row = 0; row < size; ++row) {
      rows.text += row_count++ == 0 ? "[" : ",[";
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) {
          rows.text += ',';
        }
        cells[i].append(row, rows.text);
      }
      rows.text += ']';
      TRIPOS_TRY(limit_reached(row_count));
      if (rows.text.size() >= rows_bytes_sent) {
        // One row may be far larger than a frame; the pieces are cut anywhere.
        for (std::size_t at = 0; at < rows.text.size(); at += rows_bytes_sent * 4) {
          TRIPOS_TRY(send(protocol::Rows{rows.text.substr(at, rows_bytes_sent * 4)}));
        }
        rows.text.clear();
      }
    }
    if (inbox_.interrupted()) {
      return fail(ErrorCode::cancelled, "the statement was cancelled");
    }
  }
  if (!rows.text.empty()) {
    TRIPOS_TRY(send(rows));
  }
  return row_count;
}

Result<std::uint64_t> StatementRunner::answer_parquet(const Query& query) {
  const std::string path = engine_.configure.temporary_directory + "/answer.parquet";
  const std::string limit = statement_.row_count_max == 0 ? "" : fmt::format(" LIMIT {}", statement_.row_count_max + 1);
  std::string casts;
  std::set<std::string> names;
  for (const Column& column : query.columns) {
    if (column.type.is_known() && column.type.duckdb() != column.type.parquet() && names.insert(lower(column.name)).second) {
      casts +=
          fmt::format("{0}CAST({1} AS {2}) AS {1}", casts.empty() ? " REPLACE (" : ", ", quoted_name(column.name), column.type.parquet());
    }
  }
  casts += casts.empty() ? "" : ")";
  TRIPOS_ASSIGN(QueryResult result,
                engine_.connection.query(fmt::format("COPY (SELECT *{} FROM ({}){}) TO {} (FORMAT parquet, COMPRESSION zstd)", casts,
                                                     query.sql, limit, literal(path))));
  const int number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (number < 0) {
    return tl::unexpected(os_error(errno, "opening", path));
  }
  const protocol::Descriptor file(number);
  ::unlink(path.c_str());
  TRIPOS_ASSIGN(const DataChunk chunk, result.next());
  const auto row_count =
      chunk ? static_cast<std::uint64_t>(*static_cast<std::int64_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk.get(), 0))))
            : 0;
  TRIPOS_TRY(limit_reached(row_count));
  protocol::Columns columns;
  for (const Column& column : query.columns) {
    columns.columns.push_back({column.name, column.type.ddl()});
  }
  TRIPOS_TRY(send(columns));
  while (true) {
    protocol::ParquetChunk piece;
    piece.bytes.resize(rows_bytes_sent * 4);
    const ssize_t size = ::read(number, piece.bytes.data(), piece.bytes.size());
    if (size < 0 && errno != EINTR) {
      return tl::unexpected(os_error(errno, "reading", path));
    }
    if (size == 0) {
      return row_count;
    }
    piece.bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    TRIPOS_TRY(send(piece));
    if (inbox_.interrupted()) {
      return fail(ErrorCode::cancelled, "the statement was cancelled");
    }
  }
}

// An answer that is known already: as a query, so that it takes the same way as any other.
Result<std::uint64_t> StatementRunner::answer_rows(const std::vector<std::vector<std::optional<std::string>>>& rows,
                                                   const std::vector<std::pair<std::string, SqlKind>>& columns) {
  if (columns.empty()) {
    TRIPOS_TRY(send(protocol::Columns{}));
    return 0;
  }
  Query query;
  std::string names;
  for (const auto& [name, kind] : columns) {
    query.columns.push_back({name, kind, quoted_name(name)});
    names += (names.empty() ? "" : ", ") + quoted_name(name);
  }
  std::string values;
  const auto add_row = [&](const std::vector<std::optional<std::string>>& row) {
    values += values.empty() ? "(" : ", (";
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string value = i < row.size() && row[i] ? literal(*row[i]) : "NULL";
      values += fmt::format("{}CAST({} AS {})", i == 0 ? "" : ", ", value, SqlType(columns[i].second).duckdb());
    }
    values += ')';
  };
  std::ranges::for_each(rows, add_row);
  if (rows.empty()) {
    add_row({});
  }
  query.sql = fmt::format("SELECT * FROM (VALUES {}) AS answer({}){}", values, names, rows.empty() ? " LIMIT 0" : "");
  return answer(query);
}

Result<std::uint64_t> StatementRunner::explain(const Query& query, bool analyze) {
  TRIPOS_ASSIGN(QueryResult plan, engine_.connection.query((analyze ? "EXPLAIN ANALYZE " : "EXPLAIN ") + query.sql));
  std::vector<std::vector<std::optional<std::string>>> rows;
  TRIPOS_ASSIGN(const DataChunk chunk, plan.next());
  for (idx_t row = 0; chunk && row < duckdb_data_chunk_get_size(chunk.get()); ++row) {
    auto* cells = static_cast<duckdb_string_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk.get(), 1)));
    const std::string_view text(duckdb_string_t_data(cells + row), duckdb_string_t_length(cells[row]));
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      rows.push_back({std::string(text.substr(begin, end - begin))});
      begin = end + 1;
    }
  }
  return answer_rows(rows, {{"plan", SqlKind::string}});
}

Result<std::uint64_t> StatementRunner::list_tables(const ParsedStatement& parsed) {
  const bool views_only = parsed.kind == StatementKind::show_views;
  if (!views_only) {
    TRIPOS_TRY(pin(true));
  }
  std::vector<std::pair<std::string, bool>> names;
  for (const std::string& name : table_names_) {
    // A view hides the topic of its name.
    if (std::ranges::none_of(statement_.views, [&](const protocol::View& view) { return equal_ignoring_case(view.name, name); })) {
      names.emplace_back(name, false);
    }
  }
  for (const protocol::View& view : statement_.views) {
    names.emplace_back(view.name, true);
  }
  std::ranges::sort(names);
  std::vector<std::vector<std::optional<std::string>>> rows;
  for (const auto& [name, is_view] : names) {
    if (parsed.pattern.empty() || matches_pattern(parsed.pattern, name)) {
      rows.push_back({"", name, is_view ? "true" : "false"});
    }
  }
  return answer_rows(
      rows, {{"namespace", SqlKind::string}, {views_only ? "viewName" : "tableName", SqlKind::string}, {"isTemporary", SqlKind::boolean}});
}

}  // namespace tripos::worker
