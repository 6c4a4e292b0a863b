// Text: substrings as Spark counts them, JSON paths.
#include <simdjson.h>

#include <algorithm>
#include <cmath>

#include "base/real_text.h"
#include "worker/dialect/expression.h"
#include "worker/functions/scalar.h"
#include "worker/functions/spark_functions.h"
#include "worker/functions/vector_text.h"

namespace tripos::worker {
namespace {

bool is_continuation(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::int64_t character_count(Bytes text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); });
}

// Where the character of that number begins.
std::size_t byte_of(Bytes text, std::int64_t character) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (!is_continuation(text[at]) && character-- == 0) {
      return at;
    }
  }
  return text.size();
}

// Positions count from 1, from the end if negative; 0 is as 1.
bool substring(Rows& rows, idx_t row) {
  const Bytes text = rows.text(0, row);
  const std::int64_t position = rows.get<std::int32_t>(1, row);
  const std::int64_t length = rows.get<std::int32_t>(2, row);
  const std::int64_t count = character_count(text);
  const std::int64_t begin = position > 0 ? position - 1 : position < 0 ? count + position : 0;
  const std::int64_t end = std::min(count, begin + length);
  const std::int64_t first = std::max<std::int64_t>(begin, 0);
  if (length <= 0 || end <= first) {
    rows.set_text(row, "");
    return true;
  }
  const std::size_t from = byte_of(text, first);
  rows.set_text(row, text.substr(from, byte_of(text.substr(from), end - first)));
  return true;
}

// The same of bytes.
bool substring_of_bytes(Rows& rows, idx_t row) {
  const Bytes bytes = rows.text(0, row);
  const std::int64_t position = rows.get<std::int32_t>(1, row);
  const auto count = static_cast<std::int64_t>(bytes.size());
  const std::int64_t begin = position > 0 ? position - 1 : position < 0 ? count + position : 0;
  const std::int64_t end = std::min(count, begin + rows.get<std::int32_t>(2, row));
  const std::int64_t first = std::max<std::int64_t>(begin, 0);
  rows.set_text(row, end <= first ? Bytes() : bytes.substr(static_cast<std::size_t>(first), static_cast<std::size_t>(end - first)));
  return true;
}

// What stands before the n-th delimiter; with a negative n, behind the n-th from the end.
bool substring_index(Rows& rows, idx_t row) {
  const Bytes text = rows.text(0, row);
  const Bytes delimiter = rows.text(1, row);
  std::int32_t count = rows.get<std::int32_t>(2, row);
  if (delimiter.empty() || count == 0) {
    rows.set_text(row, "");
    return true;
  }
  std::size_t at = count > 0 ? 0 : text.size();
  for (; count > 0; --count) {
    const std::size_t found = text.find(delimiter, at);
    if (found == Bytes::npos) {
      rows.set_text(row, text);
      return true;
    }
    if (count == 1) {
      rows.set_text(row, text.substr(0, found));
      return true;
    }
    at = found + 1;
  }
  for (; count < 0; ++count) {
    const std::size_t found = at == 0 ? Bytes::npos : text.rfind(delimiter, at - 1);
    if (found == Bytes::npos) {
      rows.set_text(row, text);
      return true;
    }
    if (count == -1) {
      rows.set_text(row, text.substr(found + delimiter.size()));
      return true;
    }
    at = found;
  }
  return true;
}

// ASCII letters only: case beyond that needs tables that aren't worth it here.
bool initcap(Rows& rows, idx_t row) {
  std::string text = lower(rows.text(0, row));
  bool first = true;
  for (char& c : text) {
    if (first && c >= 'a' && c <= 'z') {
      c = static_cast<char>(c - 'a' + 'A');
    }
    first = c == ' ';
  }
  rows.set_text(row, text);
  return true;
}

// 1234567.891 with 2 digits: 1,234,567.89
bool format_number(Rows& rows, idx_t row) {
  const double value = rows.get<double>(0, row);
  const std::int32_t digits = rows.get<std::int32_t>(1, row);
  if (digits < 0 || digits > 300) {
    return false;
  }
  std::string text = fmt::format("{:.{}f}", std::fabs(value), digits);
  const std::size_t point = std::min(text.find('.'), text.size());
  for (std::size_t at = point; at > 3; at -= 3) {
    text.insert(at - 3, 1, ',');
  }
  rows.set_text(row, fmt::format("{}{}", std::signbit(value) && value != 0 ? "-" : "", text));
  return true;
}

// Spark's text of a JSON value out of a document: strings as they are, the rest minified as it was written.
bool get_json_object(Rows& rows, idx_t row) {
  thread_local simdjson::dom::parser parser;
  const Bytes text = rows.text(0, row);
  Bytes path = rows.text(1, row);
  simdjson::dom::element at;
  if (!path.starts_with('$') || parser.parse(text.data(), text.size()).get(at) != simdjson::SUCCESS) {
    return false;
  }
  path.remove_prefix(1);
  while (!path.empty()) {
    if (path.front() == '.') {
      path.remove_prefix(1);
      const std::size_t size = std::min(path.find_first_of(".["), path.size());
      if (size == 0 || at.at_key(path.substr(0, size)).get(at) != simdjson::SUCCESS) {
        return false;
      }
      path.remove_prefix(size);
    } else if (path.starts_with("['")) {
      const std::size_t close = path.find("']");
      if (close == Bytes::npos || at.at_key(path.substr(2, close - 2)).get(at) != simdjson::SUCCESS) {
        return false;
      }
      path.remove_prefix(close + 2);
    } else if (path.front() == '[') {
      const std::size_t close = path.find(']');
      if (close == Bytes::npos || close == 1 || path.substr(1, close - 1).find_first_not_of("0123456789") != Bytes::npos || close > 9 ||
          at.at(static_cast<std::size_t>(std::stoul(std::string(path.substr(1, close - 1))))).get(at) != simdjson::SUCCESS) {
        return false;
      }
      path.remove_prefix(close + 1);
    } else {
      return false;
    }
  }
  if (at.is_null()) {
    return false;
  }
  std::string_view string;
  double number = 0;
  if (at.get(string) == simdjson::SUCCESS) {
    rows.set_text(row, string);
  } else if (at.type() == simdjson::dom::element_type::DOUBLE && at.get(number) == simdjson::SUCCESS) {
    rows.set_text(row, real_text(number));
  } else {
    rows.set_text(row, simdjson::minify(at));
  }
  return true;
}

bool json_array_length(Rows& rows, idx_t row) {
  thread_local simdjson::dom::parser parser;
  const Bytes text = rows.text(0, row);
  simdjson::dom::array array;
  if (parser.parse(text.data(), text.size()).get(array) != simdjson::SUCCESS) {
    return false;
  }
  rows.set(row, static_cast<std::int32_t>(array.size()));
  return true;
}

}  // namespace

Result<> register_text_functions(const Connection& connection) {
  Owner<duckdb_scalar_function_set, duckdb_destroy_scalar_function_set> set(duckdb_create_scalar_function_set("tripos_substring"));
  const ScalarFunction of_text = scalar_function("tripos_substring", {DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_INTEGER, DUCKDB_TYPE_INTEGER},
                                                 DUCKDB_TYPE_VARCHAR, by_row<substring>);
  const ScalarFunction of_bytes = scalar_function("tripos_substring", {DUCKDB_TYPE_BLOB, DUCKDB_TYPE_INTEGER, DUCKDB_TYPE_INTEGER},
                                                  DUCKDB_TYPE_BLOB, by_row<substring_of_bytes>);
  duckdb_add_scalar_function_to_set(set.get(), of_text.get());
  duckdb_add_scalar_function_to_set(set.get(), of_bytes.get());
  if (duckdb_register_scalar_function_set(connection.get(), set.get()) != DuckDBSuccess) {
    return fail(ErrorCode::query, "DuckDB refuses the function tripos_substring");
  }
  TRIPOS_TRY(register_scalar(connection, "tripos_substring_index", {DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_INTEGER},
                             DUCKDB_TYPE_VARCHAR, by_row<substring_index>));
  TRIPOS_TRY(register_scalar(connection, "tripos_initcap", {DUCKDB_TYPE_VARCHAR}, DUCKDB_TYPE_VARCHAR, by_row<initcap>));
  TRIPOS_TRY(register_scalar(connection, "tripos_format_number", {DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_INTEGER}, DUCKDB_TYPE_VARCHAR,
                             by_row<format_number>));
  TRIPOS_TRY(register_scalar(connection, "tripos_get_json_object", {DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_VARCHAR}, DUCKDB_TYPE_VARCHAR,
                             by_row<get_json_object>));
  TRIPOS_TRY(
      register_scalar(connection, "tripos_json_array_length", {DUCKDB_TYPE_VARCHAR}, DUCKDB_TYPE_INTEGER, by_row<json_array_length>));
  return {};
}

}  // namespace tripos::worker
