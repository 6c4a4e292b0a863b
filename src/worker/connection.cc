#include "worker/connection.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace tripos::worker {
namespace {

struct Prefix {
  std::string_view text;
  ErrorCode code;
};

// How DuckDB begins its messages, and what a caller of ours makes of them. All others are the statement's fault.
constexpr Prefix prefixes[] = {
    {"Out of Memory Error: ", ErrorCode::too_large},
    {"INTERRUPT Error: ", ErrorCode::cancelled},
    {"IO Error: ", ErrorCode::io},
    {"Permission Error: ", ErrorCode::permission},
    {"INTERNAL Error: ", ErrorCode::query},
    {"Parser Error: ", ErrorCode::query},
    {"Binder Error: ", ErrorCode::query},
    {"Catalog Error: ", ErrorCode::query},
    {"Conversion Error: ", ErrorCode::query},
    {"Invalid Input Error: ", ErrorCode::query},
    {"Out of Range Error: ", ErrorCode::query},
    {"Not implemented Error: ", ErrorCode::query},
    {"Invalid Error: ", ErrorCode::query},
};

// DuckDB knows files that the server has opened as /proc/self/fd/7: people know them by their names.
std::string with_file_names(std::string_view message) {
  constexpr std::string_view descriptors = "/proc/self/fd/";
  std::string text;
  while (true) {
    const std::size_t at = message.find(descriptors);
    text += message.substr(0, at);
    if (at == std::string_view::npos) return text;
    message.remove_prefix(at);
    const std::string_view link = message.substr(0, std::min(message.find_first_not_of("0123456789", descriptors.size()), message.size()));
    std::error_code unknown;
    const auto path = std::filesystem::read_symlink(link, unknown);
    text += unknown ? std::string(link) : path.string();
    message.remove_prefix(link.size());
  }
}

}  // namespace

Error engine_error(std::string_view message) {
  ErrorCode code = ErrorCode::query;
  for (const Prefix& prefix : prefixes) {
    if (message.starts_with(prefix.text)) {
      code = prefix.code;
      message.remove_prefix(prefix.text.size());
      break;
    }
  }
  for (const std::string_view tail : {"\n\nLINE ", "\nLINE ", "\nCandidate", "\n\nCandidate", "\nPossible solutions",
                                      "\nThis error signals", "\nThis limit was set", "\n\nStack Trace"}) {
    message = message.substr(0, message.find(tail));
  }
  if (message.find("failed to offload") != std::string_view::npos) {
    return Error{ErrorCode::no_space, fmt::format("the statement needs more memory than a worker may take, and more room than the disk "
                                                  "has for what it puts aside there ({})",
                                                  message)};
  }
  if (code == ErrorCode::too_large) {
    return Error{code, fmt::format("the statement needs more memory than a worker may take ({})", message)};
  }
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) {
    message.remove_suffix(1);
  }
  return Error{code, with_file_names(message)};
}

QueryResult::~QueryResult() {
  if (result_) {
    duckdb_destroy_result(&*result_);
  }
}

idx_t QueryResult::column_count() { return duckdb_column_count(&*result_); }

std::string QueryResult::column_name(idx_t column) { return duckdb_column_name(&*result_, column); }

LogicalType QueryResult::column_type(idx_t column) { return LogicalType(duckdb_column_logical_type(&*result_, column)); }

Result<DataChunk> QueryResult::next() {
  DataChunk chunk(duckdb_fetch_chunk(*result_));
  if (!chunk) {
    const char* message = duckdb_result_error(&*result_);
    if (message != nullptr && *message != '\0') {
      return tl::unexpected(engine_error(message));
    }
  }
  return chunk;
}

Database::~Database() {
  if (database_ != nullptr) {
    duckdb_close(&database_);
  }
}

Result<Database> Database::open(std::span<const Setting> settings) {
  Owner<duckdb_config, duckdb_destroy_config> config;
  if (duckdb_create_config(config.out()) != DuckDBSuccess) {
    return fail(ErrorCode::too_large, "no memory for DuckDB's configuration");
  }
  for (const Setting& setting : settings) {
    if (duckdb_set_config(config.get(), setting.name.c_str(), setting.value.c_str()) != DuckDBSuccess) {
      return fail(ErrorCode::invalid_argument, "DuckDB refuses {} = {}", setting.name, setting.value);
    }
  }
  Database database;
  char* message = nullptr;
  if (duckdb_open_ext(nullptr, &database.database_, config.get(), &message) != DuckDBSuccess) {
    Error error = engine_error(message == nullptr ? "unknown" : message);
    duckdb_free(message);
    return tl::unexpected(std::move(error).within("opening DuckDB"));
  }
  return database;
}

Result<Connection> Database::connect() const {
  Connection connection;
  if (duckdb_connect(database_, &connection.connection_) != DuckDBSuccess) {
    return fail(ErrorCode::unavailable, "DuckDB gives no connection");
  }
  return connection;
}

Connection::~Connection() {
  if (connection_ != nullptr) {
    duckdb_disconnect(&connection_);
  }
}

Result<QueryResult> Connection::query(const std::string& sql) const {
  QueryResult result;
  result.result_.emplace();
  if (duckdb_query(connection_, sql.c_str(), &*result.result_) != DuckDBSuccess) {
    const char* message = duckdb_result_error(&*result.result_);
    return tl::unexpected(engine_error(message == nullptr ? "unknown failure" : message));
  }
  return result;
}

Result<> Connection::execute(const std::string& sql) const {
  TRIPOS_TRY(query(sql));
  return {};
}

Result<std::string> Connection::text(const std::string& sql, std::span<const std::string_view> parameters) const {
  PreparedStatement statement;
  if (duckdb_prepare(connection_, sql.c_str(), statement.out()) != DuckDBSuccess) {
    return tl::unexpected(engine_error(duckdb_prepare_error(statement.get())));
  }
  idx_t index = 1;
  for (const std::string_view parameter : parameters) {
    duckdb_bind_varchar_length(statement.get(), index++, parameter.data(), parameter.size());
  }
  QueryResult result;
  result.result_.emplace();
  if (duckdb_execute_prepared(statement.get(), &*result.result_) != DuckDBSuccess) {
    return tl::unexpected(engine_error(duckdb_result_error(&*result.result_)));
  }
  TRIPOS_ASSIGN(const DataChunk chunk, result.next());
  if (!chunk || duckdb_data_chunk_get_size(chunk.get()) == 0) {
    return fail(ErrorCode::query, "no answer");
  }
  const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk.get(), 0);
  auto* cell = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  return std::string(duckdb_string_t_data(cell), duckdb_string_t_length(*cell));
}

Result<QueryResult> Connection::stream(const std::string& sql) const {
  PreparedStatement statement;
  if (duckdb_prepare(connection_, sql.c_str(), statement.out()) != DuckDBSuccess) {
    return tl::unexpected(engine_error(duckdb_prepare_error(statement.get())));
  }
  PendingResult pending;
  if (duckdb_pending_prepared_streaming(statement.get(), pending.out()) != DuckDBSuccess) {
    return tl::unexpected(engine_error(duckdb_pending_error(pending.get())));
  }
  QueryResult result;
  result.result_.emplace();
  if (duckdb_execute_pending(pending.get(), &*result.result_) != DuckDBSuccess) {
    return tl::unexpected(engine_error(duckdb_result_error(&*result.result_)));
  }
  return result;
}

}  // namespace tripos::worker
