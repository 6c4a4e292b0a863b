// Reader: takes Kafka's field types out of untrusted bytes. Every method answers whether it succeeded; the first failure is kept
// as a Malformed with the field's path, which the callers on the way out complete (array(), within()).
//
//   type              classic                       flexible (KIP-482)
//   string            int16 length                  unsigned varint, length + 1
//   bytes, records    int32 length                  unsigned varint, length + 1
//   array             int32 count                   unsigned varint, count + 1
//   null              length or count -1            0
//   nullable struct   int8 -1 or 1, in both
//   tagged fields     none                          unsigned varint count, of each: varint tag, varint size, value
//
// Invariants: position_ <= end_ <= the bytes' size. An array is allocated only after its count was checked against the bytes that
// are left and its memory against what the whole message may take (memory_left_).
// Ownership: Bytes that come out are views into the bytes that went in. Threads: none.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "wire/error_code.h"
#include "wire/records_payload.h"
#include "wire/types.h"

namespace tripos::wire {

class Reader {
 public:
  Reader(Bytes bytes, bool flexible) noexcept;

  [[nodiscard]] bool flexible() const noexcept { return flexible_; }
  void set_flexible(bool flexible) noexcept { flexible_ = flexible; }
  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return end_ - position_; }
  [[nodiscard]] Bytes rest() const noexcept { return bytes_.substr(position_, remaining()); }
  [[nodiscard]] tl::unexpected<Malformed> malformed() { return tl::unexpected(std::move(malformed_)); }

  // False, with the reason, if the version lies outside of what a message has.
  [[nodiscard]] bool version_within(std::int16_t version, std::int16_t version_min, std::int16_t version_max);

  bool boolean(const char* field, bool& to);
  bool int8(const char* field, std::int8_t& to) { return integer(field, to); }
  bool int16(const char* field, std::int16_t& to) { return integer(field, to); }
  bool int32(const char* field, std::int32_t& to) { return integer(field, to); }
  bool int64(const char* field, std::int64_t& to) { return integer(field, to); }
  bool uint16(const char* field, std::uint16_t& to) { return integer(field, to); }
  bool error(const char* field, ErrorCode& to);
  bool float64(const char* field, double& to);
  bool uuid(const char* field, Uuid& to);

  bool string(const char* field, std::string& to);
  bool nullable_string(const char* field, std::optional<std::string>& to, bool null_allowed = true);
  bool bytes(const char* field, Bytes& to);
  bool nullable_bytes(const char* field, std::optional<Bytes>& to, bool null_allowed = true);
  bool records(const char* field, RecordsPayload& to, bool null_allowed = true);
  // A nullable string as a view, with its classic length in any version: a request header's client id.
  bool nullable_short_bytes(const char* field, std::optional<Bytes>& to);

  // `read_element(element)` reads one; `element_bytes_min` is the least that one takes, at least 1.
  template <typename T, typename ReadElement>
  bool array(const char* field, std::vector<T>& to, std::size_t element_bytes_min, ReadElement read_element);
  template <typename T, typename ReadElement>
  bool nullable_array(const char* field, std::optional<std::vector<T>>& to, bool null_allowed, std::size_t element_bytes_min,
                      ReadElement read_element);

  template <typename ReadFields>
  bool structure(const char* field, ReadFields read_fields) {
    return read_fields() || within(field);
  }
  template <typename T, typename ReadFields>
  bool nullable_structure(const char* field, std::optional<T>& to, ReadFields read_fields);

  // The tagged fields at the end of a struct: `read_field(tag)` reads one, or calls skip_tagged_field().
  template <typename ReadField>
  bool tagged_fields(ReadField read_field);
  // Those of a struct that has none that we know.
  bool tagged_fields();
  bool skip_tagged_field() noexcept {
    position_ = end_;
    return true;
  }

  // Notes a failure here; always false.
  bool fail(const char* field, std::string reason);

 private:
  enum class Length : std::uint8_t { failed, null, present };

  template <std::integral T>
  bool integer(const char* field, T& to) {
    if (remaining() < sizeof(T)) [[unlikely]] {
      return cut_short(field, sizeof(T));
    }
    to = load_be<T>(bytes_.data() + position_);
    position_ += sizeof(T);
    return true;
  }

  bool cut_short(const char* field, std::size_t needed);
  bool within(const char* field);
  bool within_element(const char* field, std::size_t index);
  bool unsigned_varint(const char* field, std::uint32_t& to);

  // A length or count with null; what is present is at most 2^31 - 2.
  Length length(const char* field, bool classic_is_short, bool null_allowed, std::size_t& to);
  Length view(const char* field, bool classic_is_short, bool null_allowed, Bytes& to);
  Length count(const char* field, bool null_allowed, std::size_t element_bytes_min, std::size_t element_memory, std::size_t& to);
  bool tag_and_size(std::int64_t previous_tag, std::uint32_t& tag, std::size_t& size);
  bool tagged_field_ends(std::uint32_t tag, std::size_t end);

  template <typename T, typename ReadElement>
  bool elements(const char* field, std::vector<T>& to, std::size_t element_count, ReadElement& read_element);

  Bytes bytes_;
  std::size_t position_ = 0;
  std::size_t end_;
  std::size_t memory_left_;
  bool flexible_;
  Malformed malformed_;
};

template <typename T, typename ReadElement>
bool Reader::elements(const char* field, std::vector<T>& to, std::size_t element_count, ReadElement& read_element) {
  to.clear();
  to.reserve(element_count);
  for (std::size_t i = 0; i < element_count; ++i) {
    if (!read_element(to.emplace_back())) [[unlikely]] {
      return within_element(field, i);
    }
  }
  return true;
}

template <typename T, typename ReadElement>
bool Reader::array(const char* field, std::vector<T>& to, std::size_t element_bytes_min, ReadElement read_element) {
  std::size_t element_count = 0;
  return count(field, false, element_bytes_min, sizeof(T), element_count) == Length::present &&
         elements(field, to, element_count, read_element);
}

template <typename T, typename ReadElement>
bool Reader::nullable_array(const char* field, std::optional<std::vector<T>>& to, bool null_allowed, std::size_t element_bytes_min,
                            ReadElement read_element) {
  std::size_t element_count = 0;
  switch (count(field, null_allowed, element_bytes_min, sizeof(T), element_count)) {
    case Length::failed: return false;
    case Length::null: to.reset(); return true;
    case Length::present: break;
  }
  return elements(field, to.emplace(), element_count, read_element);
}

template <typename T, typename ReadFields>
bool Reader::nullable_structure(const char* field, std::optional<T>& to, ReadFields read_fields) {
  std::int8_t presence = 0;
  if (!int8(field, presence)) return false;
  if (presence < 0) {
    to.reset();
    return true;
  }
  // T{}: inside of a message, clang takes a nested structure with default values for one that can't be made of nothing.
  return read_fields(to.emplace(T{})) || within(field);
}

template <typename ReadField>
bool Reader::tagged_fields(ReadField read_field) {
  if (!flexible_) return true;
  std::uint32_t field_count = 0;
  if (!unsigned_varint("(count of tagged fields)", field_count)) return false;
  std::int64_t previous_tag = -1;
  for (std::uint32_t i = 0; i < field_count; ++i) {
    std::uint32_t tag = 0;
    std::size_t size = 0;
    if (!tag_and_size(previous_tag, tag, size)) return false;
    previous_tag = tag;
    const std::size_t outer_end = std::exchange(end_, position_ + size);
    if (!read_field(tag) || !tagged_field_ends(tag, end_)) return false;
    end_ = outer_end;
  }
  return true;
}

}  // namespace tripos::wire
