#include "app/cli/query.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "app/cli/stream.h"
#include "app/cli/terminal.h"
#include "app/render/cell.h"
#include "app/render/show.h"

namespace tripos::app {
namespace {

constexpr std::size_t table_rows_max = 100'000;  // a table needs all rows to know its widths
constexpr std::size_t error_size_max = 1U << 20;

// Sends a statement; the body of a success goes to `body`, that of a failure becomes the error.
Result<> post_statement(client::HttpClient& http, const Query& query, std::string_view format, const client::HttpClient::BodySink& body) {
  client::HttpRequest request{.method = "POST", .target = fmt::format("/v1/sql?format={}", format), .body = query.sql};
  if (!query.wait_for.empty()) request.target += "&wait_for=" + client::url_encoded(query.wait_for);
  std::string failure;
  TRIPOS_ASSIGN(const client::HttpHead head, http.request(request, [&](const client::HttpHead& answer, Bytes slice) -> Result<> {
    if (answer.ok()) return body(answer, slice);
    if (failure.size() < error_size_max) failure.append(slice);
    return {};
  }));
  if (!head.ok()) return tl::unexpected(server_error(failure));
  return {};
}

Result<> write_all(std::FILE* to, Bytes bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), to) == bytes.size()) return {};
  return tl::unexpected(os_error(errno, "writing", "the result"));
}

std::size_t terminal_width(std::FILE* to) {
  winsize size{};
  if (!is_terminal(fileno(to)) || ioctl(fileno(to), TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

// Cells are cut so that the table fits a terminal of this width: the widest columns first.
std::vector<std::size_t> fitted_widths(std::vector<std::size_t> widths, std::size_t width_max) {
  static constexpr std::size_t column_width_min = 8;
  if (width_max == 0) return widths;
  const auto total = [&] {
    std::size_t sum = 1;
    for (const std::size_t width : widths) sum += width + 3;
    return sum;
  };
  while (total() > width_max) {
    const auto widest = std::ranges::max_element(widths);
    if (widest == widths.end() || *widest <= column_width_min) break;
    --*widest;
  }
  return widths;
}

// Names, types, then rows: numbers to the right, everything else to the left.
std::string text_table(const Rows& rows, std::uint64_t row_count, std::size_t width_max) {
  std::vector<TextRow> lines(2);
  for (const Column& column : rows.columns) {
    lines[0].push_back(escape_meta_characters(column.name));
    const ColumnType& type = column.type;
    lines[1].push_back(type.kind == ColumnType::Kind::structure ? "struct"
                       : type.kind == ColumnType::Kind::array   ? "array"
                       : type.kind == ColumnType::Kind::map     ? "map"
                                                                : type.name);
  }
  for (const TextRow& row : rows.rows) {
    TextRow& line = lines.emplace_back();
    for (const std::string& cell : row) line.push_back(escape_meta_characters(cell));
  }
  std::vector<std::size_t> widths(rows.columns.size(), 1);
  for (const TextRow& line : lines) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], text_width(line[i]));
  }
  widths = fitted_widths(std::move(widths), width_max);
  std::string rule = "+";
  for (const std::size_t width : widths) rule.append(width + 2, '-').push_back('+');
  rule.push_back('\n');
  std::string table = rule;
  for (std::size_t l = 0; l < lines.size(); ++l) {
    table.push_back('|');
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const std::string cell = text_width(lines[l][i]) > widths[i] ? shorten(lines[l][i], widths[i]) : lines[l][i];
      const std::size_t padding = widths[i] - std::min(widths[i], text_width(cell));
      const bool right = rows.columns[i].type.is_number();
      table.append(right ? padding + 1 : 1, ' ').append(cell).append(right ? 1 : padding + 1, ' ').push_back('|');
    }
    table.push_back('\n');
    if (l == 1) table.append(rule);
  }
  table.append(rule);
  table.append(row_count == 1 ? "(1 row" : fmt::format("({} rows", row_count));
  if (row_count > rows.rows.size()) table.append(fmt::format(", the first {} shown; -o csv writes all", rows.rows.size()));
  return table + ")\n";
}

Result<TextRow> pretty_row(const std::vector<Column>& columns, const std::vector<std::string_view>& cells) {
  TextRow row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    TRIPOS_ASSIGN(std::string cell, pretty_cell(cells[i], columns[i].type));
    row.push_back(std::move(cell));
  }
  return row;
}

ResultReader::RowSink jsonl_sink(const std::vector<std::string>& keys, std::FILE* to) {
  return [&keys, to](const std::vector<std::string_view>& cells) -> Result<> {
    std::string line = "{";
    for (std::size_t i = 0; i < cells.size(); ++i) line.append(i == 0 ? "" : ",").append(keys[i]).append(":").append(cells[i]);
    return write_all(to, line.append("}\n"));
  };
}

ResultReader::RowSink csv_sink(std::FILE* to) {
  return [to](const std::vector<std::string_view>& cells) -> Result<> {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      TRIPOS_ASSIGN(const std::string cell, csv_cell(cells[i]));
      line.append(i == 0 ? "" : ",").append(cell);
    }
    return write_all(to, line.append("\r\n"));
  };
}

Result<QueryOutcome> write_rows(client::HttpClient& http, const Query& query, OutputForm form, std::FILE* to) {
  std::vector<std::string> keys;
  const ResultReader::ColumnsSink on_columns = [&](const std::vector<Column>& columns) -> Result<> {
    std::string header;
    for (const Column& column : columns) {
      keys.push_back(json_string(column.name));
      header.append(header.empty() ? "" : ",").append(csv_field(column.name));
    }
    if (form == OutputForm::csv && !columns.empty()) return write_all(to, header.append("\r\n"));
    return {};
  };
  return run_query(http, query, on_columns, form == OutputForm::csv ? csv_sink(to) : jsonl_sink(keys, to));
}

// Keeps the first rows, as text; counts all.
Result<QueryOutcome> collect_rows(client::HttpClient& http, const Query& query, std::size_t row_count_max, Rows& rows) {
  const auto on_columns = [&](const std::vector<Column>& columns) -> Result<> {
    rows.columns = columns;
    return {};
  };
  const auto on_row = [&](const std::vector<std::string_view>& cells) -> Result<> {
    if (rows.rows.size() == row_count_max) return {};
    TRIPOS_ASSIGN(TextRow row, pretty_row(rows.columns, cells));
    rows.rows.push_back(std::move(row));
    return {};
  };
  return run_query(http, query, on_columns, on_row);
}

Result<QueryOutcome> write_table(client::HttpClient& http, const Query& query, OutputForm form, std::FILE* to, std::FILE* terminal) {
  Rows rows;
  const std::size_t row_count_max = form == OutputForm::show ? ShowOptions{}.row_count_max + 1 : table_rows_max;
  TRIPOS_ASSIGN(const QueryOutcome outcome, collect_rows(http, query, row_count_max, rows));
  if (outcome.column_count == 0) return outcome;  // a statement without a result
  TRIPOS_TRY(write_all(to, form == OutputForm::show ? show_table(rows.titles(), rows.rows, {})
                                                    : text_table(rows, outcome.row_count, terminal_width(terminal))));
  return outcome;
}

Result<QueryOutcome> relay_json(client::HttpClient& http, const Query& query, std::FILE* to) {
  // What is relayed is read, too: a failure within the answer must become this command's failure.
  ResultReader reader([](const std::vector<Column>&) -> Result<> { return {}; },
                      [](const std::vector<std::string_view>&) -> Result<> { return {}; });
  const auto relay = [&](const client::HttpHead&, Bytes slice) -> Result<> {
    TRIPOS_TRY(write_all(to, slice));
    return reader.feed(slice);
  };
  TRIPOS_TRY(post_statement(http, query, "json", relay));
  TRIPOS_TRY(write_all(to, "\n"));
  TRIPOS_TRY(reader.finish());
  return QueryOutcome{.row_count = reader.row_count(), .column_count = reader.columns().size(), .as_of = reader.as_of()};
}

}  // namespace

TextRow Rows::titles() const {
  TextRow titles;
  for (const Column& column : columns) titles.push_back(column.name);
  return titles;
}

Result<OutputForm> output_form(std::string_view name) {
  if (name == "table") return OutputForm::table;
  if (name == "show") return OutputForm::show;
  if (name == "json") return OutputForm::json;
  if (name == "jsonl") return OutputForm::jsonl;
  if (name == "csv") return OutputForm::csv;
  return fail(ErrorCode::invalid_argument, "output is {}, not '{}'", output_form_names, name);
}

Result<QueryOutcome> run_query(client::HttpClient& http, const Query& query, ResultReader::ColumnsSink on_columns,
                               ResultReader::RowSink on_row) {
  ResultReader reader(std::move(on_columns), std::move(on_row));
  TRIPOS_TRY(post_statement(http, query, "json", [&](const client::HttpHead&, Bytes slice) { return reader.feed(slice); }));
  TRIPOS_TRY(reader.finish());
  return QueryOutcome{.row_count = reader.row_count(), .column_count = reader.columns().size(), .as_of = reader.as_of()};
}

Result<QueryOutcome> write_query(client::HttpClient& http, const Query& query, OutputForm form, std::FILE* to, std::FILE* terminal) {
  switch (form) {
    case OutputForm::table:
    case OutputForm::show: return write_table(http, query, form, to, terminal != nullptr ? terminal : to);
    case OutputForm::json: return relay_json(http, query, to);
    case OutputForm::jsonl:
    case OutputForm::csv: break;
  }
  return write_rows(http, query, form, to);
}

Result<std::uint64_t> save_query(client::HttpClient& http, const Query& query, const std::string& path) {
  const auto ends_with = [&](std::string_view ending) { return path.ends_with(ending); };
  if (!ends_with(".parquet") && !ends_with(".csv") && !ends_with(".jsonl") && !ends_with(".json")) {
    return fail(ErrorCode::invalid_argument, "--to takes a file that ends in .parquet, .csv, .jsonl or .json, not '{}'", path);
  }
  const std::string unfinished = path + ".unfinished";
  const int descriptor = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return tl::unexpected(os_error(errno, "creating", unfinished));
  StreamPointer file(fdopen(descriptor, "wb"));
  const auto written = [&]() -> Result<> {
    if (ends_with(".parquet")) {
      TRIPOS_TRY(
          post_statement(http, query, "parquet", [&](const client::HttpHead&, Bytes slice) { return write_all(file.get(), slice); }));
    } else {
      const OutputForm form = ends_with(".csv") ? OutputForm::csv : ends_with(".jsonl") ? OutputForm::jsonl : OutputForm::json;
      TRIPOS_TRY(write_query(http, query, form, file.get()));
    }
    if (std::fflush(file.get()) != 0 || fdatasync(descriptor) != 0) return tl::unexpected(os_error(errno, "writing", unfinished));
    return {};
  }();
  const long size = std::ftell(file.get());
  if (written && rename(unfinished.c_str(), path.c_str()) == 0) return static_cast<std::uint64_t>(size);
  const int failure = errno;
  unlink(unfinished.c_str());
  if (!written) return tl::unexpected(written.error());
  return tl::unexpected(os_error(failure, "renaming to", path));
}

Result<Rows> fetch_rows(client::HttpClient& http, const Query& query, std::size_t row_count_max) {
  Rows rows;
  TRIPOS_TRY(collect_rows(http, query, row_count_max, rows));
  return rows;
}

Result<std::string> fetch_text(client::HttpClient& http, const client::HttpRequest& request) {
  std::string text;
  TRIPOS_ASSIGN(const client::HttpHead head, http.request(request, [&](const client::HttpHead&, Bytes slice) -> Result<> {
    text.append(slice);
    if (text.size() > 64 * error_size_max) return fail(ErrorCode::too_large, "the server's answer is above {} bytes", 64 * error_size_max);
    return {};
  }));
  if (!head.ok()) return tl::unexpected(server_error(text));
  return text;
}

namespace {

// Walks over a text; tells where statements end.
struct StatementScan {
  std::vector<std::string> statements;
  bool unfinished = false;  // the text ends within a statement (or a string or a comment in one)

  explicit StatementScan(std::string_view text) {
    std::size_t begin = 0;
    bool something = false;  // other than white space and comments
    bool open = false;       // a string or a comment is not closed
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      const std::string_view two = text.substr(i, 2);
      if (two == "--" || two == "/*") {
        const std::string_view close = two == "--" ? "\n" : "*/";
        const std::size_t end = text.find(close, i + 2);
        open = end == std::string_view::npos && close == "*/";
        i = end == std::string_view::npos ? text.size() : end + close.size() - 1;
      } else if (c == '\'' || c == '"' || c == '`') {
        something = true;
        ++i;
        while (i < text.size() && text[i] != c) i += text[i] == '\\' && c != '`' ? 2 : 1;
        open = i >= text.size();
      } else if (c == ';') {
        if (something) statements.emplace_back(text.substr(begin, i - begin));
        begin = i + 1;
        something = false;
      } else if (std::string_view(" \t\r\n").find(c) == std::string_view::npos) {
        something = true;
      }
    }
    unfinished = something || open;
    if (something) statements.emplace_back(text.substr(std::min(begin, text.size())));
  }
};

}  // namespace

std::vector<std::string> split_statements(std::string_view text) { return StatementScan(text).statements; }

bool is_unfinished(std::string_view text) { return StatementScan(text).unfinished; }

}  // namespace tripos::app
