// Statements sent to a server over HTTP (docs/reference/http.md), and the forms in which their results are written.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "app/render/result_reader.h"
#include "app/render/show.h"
#include "base/error.h"
#include "client/http_client.h"

namespace tripos::app {

// table: as people read it; show: as Spark's show(); json: the server's own answer; jsonl: an object per row; csv.
enum class OutputForm { table, show, json, jsonl, csv };

[[nodiscard]] Result<OutputForm> output_form(std::string_view name);
inline constexpr const char* output_form_names = "table, show, json, jsonl or csv";

struct Query {
  std::string sql;
  std::string wait_for = {};  // TOPIC:PARTITION:OFFSET,…
};

struct QueryOutcome {
  std::uint64_t row_count = 0;
  std::size_t column_count = 0;
  std::string as_of;  // JSON: the offsets that the answer reflects
};

// Runs the statement, its rows to a sink.
[[nodiscard]] Result<QueryOutcome> run_query(client::HttpClient& http, const Query& query, ResultReader::ColumnsSink on_columns,
                                             ResultReader::RowSink on_row);

// Runs the statement, and writes its result to `to`. A table fits `terminal`, if that is one (not given: `to`).
[[nodiscard]] Result<QueryOutcome> write_query(client::HttpClient& http, const Query& query, OutputForm form, std::FILE* to,
                                               std::FILE* terminal = nullptr);

// Runs the statement, and writes its result into a file: .parquet, .csv, .jsonl or .json. The file is there when it is whole.
// Returns its size.
[[nodiscard]] Result<std::uint64_t> save_query(client::HttpClient& http, const Query& query, const std::string& path);

struct Rows {
  std::vector<Column> columns;
  std::vector<TextRow> rows;  // as Spark prints the cells
  [[nodiscard]] TextRow titles() const;
};

// The first `row_count_max` rows of the result; the rest is read and dropped.
[[nodiscard]] Result<Rows> fetch_rows(client::HttpClient& http, const Query& query, std::size_t row_count_max);

// A GET or POST whose answer is small.
[[nodiscard]] Result<std::string> fetch_text(client::HttpClient& http, const client::HttpRequest& request);

// The statements of a text, without the semicolons that end them. Knows strings, quoted names and comments.
[[nodiscard]] std::vector<std::string> split_statements(std::string_view text);
// Whether the text ends within a statement: the shell then asks for more.
[[nodiscard]] bool is_unfinished(std::string_view text);

}  // namespace tripos::app
