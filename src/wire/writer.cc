#include "wire/writer.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/check.h"
#include "base/varint.h"
#include "wire/types.h"

namespace tripos::wire {

void Writer::float64(double value) { to_.append_integer(std::bit_cast<std::int64_t>(value)); }

void Writer::count(std::size_t size) {
  CHECK(size < static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()));
  if (flexible_) {
    append_unsigned_varint(to_.tail(), static_cast<std::uint32_t>(size + 1));
  } else {
    to_.append_integer(static_cast<std::int32_t>(size));
  }
}

void Writer::null_count() {
  if (flexible_) {
    to_.tail().push_back('\0');
  } else {
    to_.append_integer(std::int32_t{-1});
  }
}

void Writer::short_length(std::size_t size) {
  CHECK(size <= string_bytes_max);
  if (flexible_) {
    append_unsigned_varint(to_.tail(), static_cast<std::uint32_t>(size + 1));
  } else {
    to_.append_integer(static_cast<std::int16_t>(size));
  }
}

void Writer::string(std::string_view value) {
  short_length(value.size());
  to_.append(value);
}

void Writer::null_string() {
  if (flexible_) {
    to_.tail().push_back('\0');
  } else {
    to_.append_integer(std::int16_t{-1});
  }
}

void Writer::nullable_string(const std::optional<std::string>& value, bool null_allowed) {
  if (value || !null_allowed) return string(value ? std::string_view(*value) : std::string_view());
  null_string();
}

void Writer::text(std::string_view value) {
  std::size_t size = std::min(value.size(), string_bytes_max);
  if (size < value.size()) {
    // Not within a character: 10xxxxxx goes on with the one before it.
    while (size > 0 && (static_cast<unsigned char>(value[size]) & 0xc0U) == 0x80U) --size;
  }
  string(value.substr(0, size));
}

void Writer::nullable_text(const std::optional<std::string>& value, bool null_allowed) {
  if (value || !null_allowed) return text(value ? std::string_view(*value) : std::string_view());
  null_string();
}

void Writer::bytes(Bytes value) {
  count(value.size());
  to_.append(value);
}

void Writer::nullable_bytes(const std::optional<Bytes>& value, bool null_allowed) {
  if (value || !null_allowed) return bytes(value.value_or(Bytes()));
  null_count();
}

void Writer::records(const RecordsPayload& value, bool null_allowed) {
  if (value.is_null() && null_allowed) return null_count();
  count(value.size_bytes());
  for (const auto& part : value.parts()) {
    std::visit([this](const auto& piece) { to_.append(piece); }, part);
  }
}

void TaggedFields::add_encoded(std::uint32_t tag, Bytes value) {
  append_unsigned_varint(encoded_, tag);
  append_unsigned_varint(encoded_, static_cast<std::uint32_t>(value.size()));
  encoded_.append(value);
  ++count_;
}

void TaggedFields::finish() {
  if (!out_.flexible_) return;
  append_unsigned_varint(out_.to_.tail(), count_);
  out_.to_.append(encoded_);
}

}  // namespace tripos::wire
