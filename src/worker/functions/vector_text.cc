#include "worker/functions/vector_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/real_text.h"
#include "worker/connection.h"

namespace tripos::worker {
namespace {

__extension__ using Wide = __int128;

std::string own(char* text) {
  std::string copy = text == nullptr ? "" : text;
  duckdb_free(text);
  return copy;
}

void append_wide(Wide value, int scale, Buffer& to) {
  const bool negative = value < 0;
  std::array<char, 48> digits{};
  std::size_t at = digits.size();
  int count = 0;
  do {
    const int digit = static_cast<int>(value % 10);
    digits[--at] = static_cast<char>('0' + (digit < 0 ? -digit : digit));
    value /= 10;
    if (++count == scale) {
      digits[--at] = '.';
    }
  } while (value != 0 || count <= scale);
  if (negative) {
    to += '-';
  }
  to.append(digits.data() + at, digits.size() - at);
}

void append_padded(std::int64_t value, int width, Buffer& to) {
  const std::string digits = fmt::format("{:0{}}", value, width);
  to += digits;
}

void append_date(duckdb_date date, Buffer& to) {
  const duckdb_date_struct parts = duckdb_from_date(date);
  append_padded(parts.year, 4, to);
  to += '-';
  append_padded(parts.month, 2, to);
  to += '-';
  append_padded(parts.day, 2, to);
}

// ISO 8601 with microseconds, or as Spark casts: a space, and no more digits than there are.
void append_timestamp(std::int64_t micros, bool iso, Buffer& to) {
  duckdb_timestamp timestamp;
  timestamp.micros = micros;
  const duckdb_timestamp_struct parts = duckdb_from_timestamp(timestamp);
  append_padded(parts.date.year, 4, to);
  to += '-';
  append_padded(parts.date.month, 2, to);
  to += '-';
  append_padded(parts.date.day, 2, to);
  to += iso ? 'T' : ' ';
  append_padded(parts.time.hour, 2, to);
  to += ':';
  append_padded(parts.time.min, 2, to);
  to += ':';
  append_padded(parts.time.sec, 2, to);
  if (iso) {
    to += '.';
    append_padded(parts.time.micros, 6, to);
    to += 'Z';
  } else if (parts.time.micros != 0) {
    std::string fraction = fmt::format(".{:06}", parts.time.micros);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    to += fraction;
  }
}

void append_base64(Bytes bytes, Buffer& to) {
  static constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << 16;
    group |= i + 1 < bytes.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + 1])) << 8 : 0;
    group |= i + 2 < bytes.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + 2])) : 0;
    to += alphabet[group >> 18];
    to += alphabet[group >> 12 & 63];
    to += i + 1 < bytes.size() ? alphabet[group >> 6 & 63] : '=';
    to += i + 2 < bytes.size() ? alphabet[group & 63] : '=';
  }
}

std::size_t utf8_size(Bytes bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(at);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return follows(at + 1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned second = byte(at + 1);
    const bool good = (first != 0xE0 || second >= 0xA0) && (first != 0xED || second < 0xA0);
    return good && follows(at + 1) && follows(at + 2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned second = byte(at + 1);
    const bool good = (first != 0xF0 || second >= 0x90) && (first != 0xF4 || second < 0x90);
    return good && follows(at + 1) && follows(at + 2) && follows(at + 3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

void append_utf8_lossy(Bytes bytes, Buffer& to) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = utf8_size(bytes, at);
    if (size == 0) {
      to += "\xEF\xBF\xBD";
      ++at;
    } else {
      to.append(bytes.substr(at, size));
      at += size;
    }
  }
}

void append_json_string(Bytes text, Buffer& to) {
  to += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') {
      continue;
    }
    to.append(text.substr(plain, i - plain));
    plain = i + 1;
    switch (c) {
      case '"': to += "\\\""; break;
      case '\\': to += "\\\\"; break;
      case '\n': to += "\\n"; break;
      case '\r': to += "\\r"; break;
      case '\t': to += "\\t"; break;
      case '\b': to += "\\b"; break;
      case '\f': to += "\\f"; break;
      default: to += fmt::format("\\u{:04x}", c);
    }
  }
  to.append(text.substr(plain));
  to += '"';
}

SqlType sql_type_of(duckdb_logical_type type) {
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_BOOLEAN: return SqlKind::boolean;
    case DUCKDB_TYPE_TINYINT: return SqlKind::tiny_integer;
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_UTINYINT: return SqlKind::small_integer;
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_USMALLINT: return SqlKind::integer;
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UINTEGER: return SqlKind::big_integer;
    case DUCKDB_TYPE_UBIGINT: return SqlType::decimal(20, 0);
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT: return SqlType::decimal(38, 0);
    case DUCKDB_TYPE_FLOAT: return SqlKind::real;
    case DUCKDB_TYPE_DOUBLE: return SqlKind::double_float;
    case DUCKDB_TYPE_DECIMAL: return SqlType::decimal(duckdb_decimal_width(type), duckdb_decimal_scale(type));
    case DUCKDB_TYPE_BLOB: return SqlKind::binary;
    case DUCKDB_TYPE_DATE: return SqlKind::date;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS: return SqlKind::timestamp;
    case DUCKDB_TYPE_INTERVAL: return SqlKind::interval;
    case DUCKDB_TYPE_SQLNULL: return SqlKind::void_type;
    case DUCKDB_TYPE_LIST: {
      const LogicalType child(duckdb_list_type_child_type(type));
      return SqlType::array(sql_type_of(child.get()));
    }
    case DUCKDB_TYPE_MAP: {
      const LogicalType key(duckdb_map_type_key_type(type));
      const LogicalType value(duckdb_map_type_value_type(type));
      return SqlType::map(sql_type_of(key.get()), sql_type_of(value.get()));
    }
    case DUCKDB_TYPE_STRUCT: {
      std::vector<SqlField> fields;
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        const LogicalType child(duckdb_struct_type_child_type(type, i));
        fields.push_back({own(duckdb_struct_type_child_name(type, i)), sql_type_of(child.get())});
      }
      return SqlType::structure(std::move(fields));
    }
    default: return SqlKind::string;
  }
}

VectorText::VectorText(duckdb_logical_type type, TextStyle style) : id_(duckdb_get_type_id(type)), style_(style), type_(sql_type_of(type)) {
  switch (id_) {
    case DUCKDB_TYPE_DECIMAL: decimal_storage_ = duckdb_decimal_internal_type(type); break;
    case DUCKDB_TYPE_LIST: {
      const LogicalType child(duckdb_list_type_child_type(type));
      children_.emplace_back(child.get(), style);
      break;
    }
    case DUCKDB_TYPE_MAP: {
      const LogicalType key(duckdb_map_type_key_type(type));
      const LogicalType value(duckdb_map_type_value_type(type));
      children_.emplace_back(key.get(), style);
      children_.emplace_back(value.get(), style);
      break;
    }
    case DUCKDB_TYPE_STRUCT:
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        const LogicalType child(duckdb_struct_type_child_type(type, i));
        names_.push_back(own(duckdb_struct_type_child_name(type, i)));
        children_.emplace_back(child.get(), style);
      }
      break;
    default: break;
  }
}

void VectorText::bind(duckdb_vector vector) {
  data_ = duckdb_vector_get_data(vector);
  validity_ = duckdb_vector_get_validity(vector);
  if (id_ == DUCKDB_TYPE_LIST) {
    children_[0].bind(duckdb_list_vector_get_child(vector));
  } else if (id_ == DUCKDB_TYPE_MAP) {
    const duckdb_vector entries = duckdb_list_vector_get_child(vector);
    children_[0].bind(duckdb_struct_vector_get_child(entries, 0));
    children_[1].bind(duckdb_struct_vector_get_child(entries, 1));
  } else if (id_ == DUCKDB_TYPE_STRUCT) {
    for (idx_t i = 0; i < children_.size(); ++i) {
      children_[i].bind(duckdb_struct_vector_get_child(vector, i));
    }
  }
}

Bytes VectorText::bytes(idx_t row) const {
  auto* cell = const_cast<duckdb_string_t*>(static_cast<const duckdb_string_t*>(data_)) + row;
  return {duckdb_string_t_data(cell), duckdb_string_t_length(*cell)};
}

void VectorText::append(idx_t row, Buffer& to) const {
  if (style_ == TextStyle::spark_cast) {
    append_cast(row, to);
  } else {
    append_json(row, to);
  }
}

// Whole numbers and decimals.
void VectorText::append_number(idx_t row, Buffer& to) const {
  switch (id_) {
    case DUCKDB_TYPE_TINYINT: append_wide(value<std::int8_t>(row), 0, to); return;
    case DUCKDB_TYPE_SMALLINT: append_wide(value<std::int16_t>(row), 0, to); return;
    case DUCKDB_TYPE_INTEGER: append_wide(value<std::int32_t>(row), 0, to); return;
    case DUCKDB_TYPE_BIGINT: {
      std::array<char, 24> digits{};
      const auto end = std::to_chars(digits.begin(), digits.end(), value<std::int64_t>(row)).ptr;
      to.append(digits.begin(), end);
      return;
    }
    case DUCKDB_TYPE_UTINYINT: append_wide(value<std::uint8_t>(row), 0, to); return;
    case DUCKDB_TYPE_USMALLINT: append_wide(value<std::uint16_t>(row), 0, to); return;
    case DUCKDB_TYPE_UINTEGER: append_wide(value<std::uint32_t>(row), 0, to); return;
    case DUCKDB_TYPE_UBIGINT: append_wide(static_cast<Wide>(value<std::uint64_t>(row)), 0, to); return;
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT: append_wide(value<Wide>(row), 0, to); return;
    case DUCKDB_TYPE_DECIMAL: {
      const Wide number = decimal_storage_ == DUCKDB_TYPE_SMALLINT  ? value<std::int16_t>(row)
                          : decimal_storage_ == DUCKDB_TYPE_INTEGER ? value<std::int32_t>(row)
                          : decimal_storage_ == DUCKDB_TYPE_BIGINT  ? value<std::int64_t>(row)
                                                                    : value<Wide>(row);
      append_wide(number, type_.scale(), to);
      return;
    }
    default: return;
  }
}

void VectorText::append_json(idx_t row, Buffer& to) const {
  if (is_null(row)) {
    to += "null";
    return;
  }
  const bool cell = style_ == TextStyle::json_cell;
  switch (id_) {
    case DUCKDB_TYPE_BOOLEAN: to += value<bool>(row) ? "true" : "false"; return;
    case DUCKDB_TYPE_DECIMAL:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_UBIGINT:
      to += cell ? "\"" : "";
      append_number(row, to);
      to += cell ? "\"" : "";
      return;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE: {
      // As Spark's toJSON: the text tells a double from a long, too.
      const bool finite = id_ == DUCKDB_TYPE_FLOAT ? std::isfinite(value<float>(row)) : std::isfinite(value<double>(row));
      to += finite ? "" : "\"";
      append_cast(row, to);
      to += finite ? "" : "\"";
      return;
    }
    case DUCKDB_TYPE_VARCHAR: append_json_string(bytes(row), to); return;
    case DUCKDB_TYPE_BLOB:
      to += '"';
      append_base64(bytes(row), to);
      to += '"';
      return;
    case DUCKDB_TYPE_DATE:
      to += '"';
      append_date(value<duckdb_date>(row), to);
      to += '"';
      return;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      to += '"';
      append_timestamp(value<std::int64_t>(row), true, to);
      to += '"';
      return;
    case DUCKDB_TYPE_LIST: append_entries(row, "[]", ",", to, [&](idx_t entry) { children_[0].append_json(entry, to); }); return;
    case DUCKDB_TYPE_MAP:
      append_entries(row, "{}", ",", to, [&](idx_t entry) {
        Buffer key;
        children_[0].append_cast(entry, key);
        append_json_string(key, to);
        to += ':';
        children_[1].append_json(entry, to);
      });
      return;
    case DUCKDB_TYPE_STRUCT: {
      to += '{';
      bool first = true;
      for (std::size_t i = 0; i < children_.size(); ++i) {
        if (!cell && children_[i].is_null(row)) {  // Spark's to_json leaves them out
          continue;
        }
        to += first ? "" : ",";
        first = false;
        append_json_string(names_[i], to);
        to += ':';
        children_[i].append_json(row, to);
      }
      to += '}';
      return;
    }
    case DUCKDB_TYPE_INTERVAL: {
      to += '"';
      append_cast(row, to);
      to += '"';
      return;
    }
    default: append_number(row, to);
  }
}

void VectorText::append_cast(idx_t row, Buffer& to) const {
  if (is_null(row)) {
    to += "null";
    return;
  }
  switch (id_) {
    case DUCKDB_TYPE_BOOLEAN: to += value<bool>(row) ? "true" : "false"; return;
    case DUCKDB_TYPE_FLOAT: to += real_text(value<float>(row)); return;
    case DUCKDB_TYPE_DOUBLE: to += real_text(value<double>(row)); return;
    case DUCKDB_TYPE_VARCHAR: to += bytes(row); return;
    case DUCKDB_TYPE_BLOB: append_utf8_lossy(bytes(row), to); return;
    case DUCKDB_TYPE_DATE: append_date(value<duckdb_date>(row), to); return;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ: append_timestamp(value<std::int64_t>(row), false, to); return;
    case DUCKDB_TYPE_INTERVAL: {
      const auto interval = value<duckdb_interval>(row);
      std::string text;
      const auto part = [&](std::int64_t count, std::string_view unit) {
        if (count != 0) {
          text += fmt::format("{}{} {}", text.empty() ? "" : " ", count, unit);
        }
      };
      part(interval.months / 12, "years");
      part(interval.months % 12, "months");
      part(interval.days, "days");
      part(interval.micros / 3'600'000'000, "hours");
      part(interval.micros / 60'000'000 % 60, "minutes");
      if (const std::int64_t micros = interval.micros % 60'000'000; micros != 0) {
        text += fmt::format("{}{} seconds", text.empty() ? "" : " ", static_cast<double>(micros) / 1e6);
      }
      to += text.empty() ? "0 seconds" : text;
      return;
    }
    case DUCKDB_TYPE_LIST: append_entries(row, "[]", ", ", to, [&](idx_t entry) { children_[0].append_cast(entry, to); }); return;
    case DUCKDB_TYPE_MAP:
      append_entries(row, "{}", ", ", to, [&](idx_t entry) {
        children_[0].append_cast(entry, to);
        to += " -> ";
        children_[1].append_cast(entry, to);
      });
      return;
    case DUCKDB_TYPE_STRUCT:
      to += '{';
      for (std::size_t i = 0; i < children_.size(); ++i) {
        to += i == 0 ? "" : ", ";
        children_[i].append_cast(row, to);
      }
      to += '}';
      return;
    default: append_number(row, to);
  }
}

}  // namespace tripos::worker
