// SqlType: a type of Spark's SQL, as far as rewriting a statement for DuckDB needs to know it.
// `unknown` is an expression whose type isn't worked out; rewriting then does what is right for every type.
// A value type.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/type.h"

namespace tripos::worker {

enum class SqlKind : std::uint8_t {
  unknown,
  void_type,  // of NULL itself
  boolean,
  tiny_integer,
  small_integer,
  integer,
  big_integer,
  real,
  double_float,
  decimal,
  string,
  binary,
  date,
  timestamp,
  interval,
  array,
  map,
  structure,
};

struct SqlField;

class SqlType {
 public:
  // All that touches the children is defined below, where SqlField is complete.
  SqlType() noexcept;
  SqlType(SqlKind kind) noexcept;  // NOLINT(google-explicit-constructor): a kind without parameters is a type
  SqlType(const SqlType&);
  SqlType(SqlType&&) noexcept;
  SqlType& operator=(const SqlType&);
  SqlType& operator=(SqlType&&) noexcept;
  ~SqlType();
  static SqlType decimal(int precision, int scale);
  static SqlType array(SqlType element);
  static SqlType map(SqlType key, SqlType value);
  static SqlType structure(std::vector<SqlField> fields);
  // With the SQL names of json::sql_names; structures without fields are left out by Type::settled() before.
  static SqlType of(const json::Type& type);

  [[nodiscard]] SqlKind kind() const noexcept { return kind_; }
  [[nodiscard]] bool is(SqlKind kind) const noexcept { return kind_ == kind; }
  [[nodiscard]] int precision() const noexcept { return precision_; }
  [[nodiscard]] int scale() const noexcept { return scale_; }
  [[nodiscard]] const SqlType& element() const noexcept;  // of an array; of a map: its value
  [[nodiscard]] const SqlType& key() const noexcept;
  [[nodiscard]] std::span<const SqlField> fields() const noexcept;
  [[nodiscard]] const SqlField* field(std::string_view name) const noexcept;  // ignoring case

  [[nodiscard]] bool is_integral() const noexcept { return kind_ >= SqlKind::tiny_integer && kind_ <= SqlKind::big_integer; }
  [[nodiscard]] bool is_numeric() const noexcept { return kind_ >= SqlKind::tiny_integer && kind_ <= SqlKind::decimal; }
  [[nodiscard]] bool is_fraction() const noexcept { return kind_ == SqlKind::real || kind_ == SqlKind::double_float; }
  [[nodiscard]] bool is_known() const noexcept { return kind_ != SqlKind::unknown; }

  friend bool operator==(const SqlType& a, const SqlType& b) noexcept;

  [[nodiscard]] std::string ddl() const;     // Spark's: "struct<a:bigint>"
  [[nodiscard]] std::string title() const;   // as in a title: "CAST(x AS ARRAY<BIGINT>)"
  [[nodiscard]] std::string duckdb() const;  // DuckDB's: STRUCT("a" BIGINT)
  // The same for a Parquet file: there a timestamp must say that it is a moment, or Spark reads it as one without a time zone.
  [[nodiscard]] std::string parquet() const;

 private:
  SqlKind kind_ = SqlKind::unknown;
  std::int16_t precision_ = 0;
  std::int16_t scale_ = 0;
  std::vector<SqlField> children_;
};

struct SqlField {
  std::string name;
  SqlType type;
  friend bool operator==(const SqlField&, const SqlField&) noexcept = default;
};

inline SqlType::SqlType() noexcept = default;
inline SqlType::SqlType(SqlKind kind) noexcept : kind_(kind) {}
inline SqlType::SqlType(const SqlType&) = default;
inline SqlType::SqlType(SqlType&&) noexcept = default;
inline SqlType& SqlType::operator=(const SqlType&) = default;
inline SqlType& SqlType::operator=(SqlType&&) noexcept = default;
inline SqlType::~SqlType() = default;

// The decimal that holds every value of an integral or decimal type.
[[nodiscard]] SqlType as_decimal(const SqlType& numeric);
// Precision and scale within 38 digits, giving up digits of the fraction beyond the sixth first.
[[nodiscard]] SqlType bounded_decimal(int precision, int scale);
// What two branches of one expression (CASE, coalesce, UNION …) become; unknown if either is or they have nothing in common.
[[nodiscard]] SqlType common_type(const SqlType& a, const SqlType& b);

// "name" with its quotes doubled, for DuckDB.
[[nodiscard]] std::string quoted_name(std::string_view name);
// 'text' with its quotes doubled.
[[nodiscard]] std::string literal(std::string_view text);
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;
[[nodiscard]] std::string lower(std::string_view text);
[[nodiscard]] std::string upper(std::string_view text);

}  // namespace tripos::worker
