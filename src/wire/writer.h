// Writer: puts Kafka's field types (table in reader.h) behind what an Output has.
// Null where a version does not allow it is written as the empty value: a caller need not know which version the peer speaks.
// What does not fit its length field is a bug of the caller (CHECK): strings of more than string_bytes_max, arrays of more than 2^31-2.
// Only an error's text is cut: it may quote what a peer sent, and that must not end the process.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "wire/error_code.h"
#include "wire/output.h"
#include "wire/records_payload.h"

namespace tripos::wire {

class Writer {
 public:
  Writer(Output& to, bool flexible) noexcept : to_(to), flexible_(flexible) {}

  [[nodiscard]] bool flexible() const noexcept { return flexible_; }

  void boolean(bool value) { to_.append_integer(static_cast<std::int8_t>(value ? 1 : 0)); }
  void int8(std::int8_t value) { to_.append_integer(value); }
  void int16(std::int16_t value) { to_.append_integer(value); }
  void int32(std::int32_t value) { to_.append_integer(value); }
  void int64(std::int64_t value) { to_.append_integer(value); }
  void uint16(std::uint16_t value) { to_.append_integer(value); }
  void error(ErrorCode value) { to_.append_integer(static_cast<std::int16_t>(value)); }
  void float64(double value);
  void uuid(const Uuid& value) { to_.append(Bytes(value.bytes.data(), value.bytes.size())); }

  void string(std::string_view value);
  void nullable_string(const std::optional<std::string>& value, bool null_allowed = true);
  void text(std::string_view value);
  void nullable_text(const std::optional<std::string>& value, bool null_allowed = true);
  void bytes(Bytes value);
  void nullable_bytes(const std::optional<Bytes>& value, bool null_allowed = true);
  void records(const RecordsPayload& value, bool null_allowed = true);

  template <typename T, typename WriteElement>
  void array(const std::vector<T>& elements, WriteElement write_element) {
    count(elements.size());
    for (const auto& element : elements) write_element(element);
  }
  template <typename T, typename WriteElement>
  void nullable_array(const std::optional<std::vector<T>>& elements, bool null_allowed, WriteElement write_element) {
    if (elements) return array(*elements, write_element);
    null_allowed ? null_count() : count(0);
  }
  template <typename T, typename WriteFields>
  void nullable_structure(const std::optional<T>& value, WriteFields write_fields) {
    int8(static_cast<std::int8_t>(value ? 1 : -1));
    if (value) write_fields(*value);
  }

  // The end of a struct that has no tagged fields to tell.
  void no_tagged_fields() {
    if (flexible_) to_.tail().push_back('\0');
  }

 private:
  friend class TaggedFields;
  void null_string();
  void count(std::size_t size);
  void null_count();
  void short_length(std::size_t size);

  Output& to_;
  bool flexible_;
};

// The tagged fields at the end of a struct, in ascending order of their tags: add() each that is not at its default, then finish().
class TaggedFields {
 public:
  explicit TaggedFields(Writer& out) noexcept : out_(out) {}

  template <typename WriteField>
  void add(std::uint32_t tag, WriteField write_field) {
    Output value;
    Writer writer(value, true);
    write_field(writer);
    add_encoded(tag, value.tail());
  }
  void finish();

 private:
  void add_encoded(std::uint32_t tag, Bytes value);

  Writer& out_;
  Buffer encoded_;
  std::uint32_t count_ = 0;
};

}  // namespace tripos::wire
