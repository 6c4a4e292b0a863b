// Database, Connection, QueryResult: DuckDB's C API with owners and Results. Messages lose DuckDB's positions, which point into text that
// the user never wrote.
// Threads: a connection runs one statement at a time; interrupt() may come from any thread.
#pragma once

#include <duckdb.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tripos::worker {

// An owner of something that DuckDB hands out as a pointer and destroys through a pointer to that pointer.
template <typename Handle, void (*destroy)(Handle*)>
class Owner {
 public:
  Owner() = default;
  explicit Owner(Handle handle) : handle_(handle) {}
  Owner(Owner&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owner& operator=(Owner&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owner() {
    if (handle_ != nullptr) {
      destroy(&handle_);
    }
  }
  [[nodiscard]] Handle get() const noexcept { return handle_; }
  [[nodiscard]] Handle* out() noexcept { return &handle_; }
  explicit operator bool() const noexcept { return handle_ != nullptr; }

 private:
  Handle handle_ = nullptr;
};

using LogicalType = Owner<duckdb_logical_type, duckdb_destroy_logical_type>;
using DataChunk = Owner<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using PreparedStatement = Owner<duckdb_prepared_statement, duckdb_destroy_prepare>;
using PendingResult = Owner<duckdb_pending_result, duckdb_destroy_pending>;

class QueryResult {
 public:
  QueryResult() = default;
  QueryResult(QueryResult&& other) noexcept : result_(std::exchange(other.result_, std::nullopt)) {}
  QueryResult& operator=(QueryResult&& other) noexcept {
    std::swap(result_, other.result_);
    return *this;
  }
  ~QueryResult();

  [[nodiscard]] idx_t column_count();
  [[nodiscard]] std::string column_name(idx_t column);
  [[nodiscard]] LogicalType column_type(idx_t column);
  // The next rows; an empty owner after the last. A failure while streaming is the statement's.
  [[nodiscard]] Result<DataChunk> next();

 private:
  friend class Connection;
  std::optional<duckdb_result> result_;
};

struct Setting {
  std::string name;
  std::string value;
};

class Connection;

class Database {
 public:
  Database() = default;
  Database(Database&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Database& operator=(Database&& other) noexcept {
    std::swap(database_, other.database_);
    return *this;
  }
  ~Database();
  // In memory. DuckDB must be loaded.
  [[nodiscard]] static Result<Database> open(std::span<const Setting> settings);
  [[nodiscard]] Result<Connection> connect() const;

 private:
  duckdb_database database_ = nullptr;
};

class Connection {
 public:
  Connection() = default;
  Connection(Connection&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Connection& operator=(Connection&& other) noexcept {
    std::swap(connection_, other.connection_);
    return *this;
  }
  ~Connection();

  [[nodiscard]] duckdb_connection get() const noexcept { return connection_; }
  void interrupt() const { duckdb_interrupt(connection_); }

  // Runs to the end and keeps the answer, which is small.
  [[nodiscard]] Result<QueryResult> query(const std::string& sql) const;
  [[nodiscard]] Result<> execute(const std::string& sql) const;
  // The first cell of the answer, a string; parameters are strings too.
  [[nodiscard]] Result<std::string> text(const std::string& sql, std::span<const std::string_view> parameters) const;
  // Rows come as they are computed.
  [[nodiscard]] Result<QueryResult> stream(const std::string& sql) const;

 private:
  friend class Database;
  duckdb_connection connection_ = nullptr;
};

// A message of DuckDB's without its own positions and hints.
[[nodiscard]] Error engine_error(std::string_view message);

}  // namespace tripos::worker
