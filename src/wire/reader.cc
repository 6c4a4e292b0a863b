#include "wire/reader.h"

#include <bit>
#include <cstring>
#include <limits>

#include "base/varint.h"

namespace tripos::wire {
namespace {

// What a message may take in memory: elements are up to this many times as big as their bytes (a topic name of no bytes takes 2
// on the wire, its struct 56 here), and small messages may take more.
constexpr std::size_t memory_per_byte = 16;
constexpr std::size_t memory_free_bytes = std::size_t{1} << 20;

}  // namespace

Reader::Reader(Bytes bytes, bool flexible) noexcept
    : bytes_(bytes), end_(bytes.size()), memory_left_(bytes.size() * memory_per_byte + memory_free_bytes), flexible_(flexible) {}

bool Reader::fail(const char* field, std::string reason) {
  malformed_ = {.byte = position_, .field = field, .reason = std::move(reason)};
  return false;
}

bool Reader::cut_short(const char* field, std::size_t needed) {
  return fail(field, fmt::format("{} bytes needed, {} left", needed, remaining()));
}

bool Reader::within(const char* field) {
  if (!malformed_.field.empty() && malformed_.field.front() != '[') malformed_.field.insert(0, 1, '.');
  malformed_.field.insert(0, field);
  return false;
}

bool Reader::within_element(const char* field, std::size_t index) {
  if (!malformed_.field.empty()) malformed_.field.insert(0, 1, '.');
  malformed_.field.insert(0, fmt::format("{}[{}]", field, index));
  return false;
}

bool Reader::version_within(std::int16_t version, std::int16_t version_min, std::int16_t version_max) {
  if (version >= version_min && version <= version_max) return true;
  return fail("", fmt::format("version {} is outside of {} to {}", version, version_min, version_max));
}

bool Reader::boolean(const char* field, bool& to) {
  std::int8_t value = 0;
  if (!int8(field, value)) return false;
  to = value != 0;
  return true;
}

bool Reader::error(const char* field, ErrorCode& to) {
  std::int16_t code = 0;
  if (!int16(field, code)) return false;
  to = static_cast<ErrorCode>(code);
  return true;
}

bool Reader::float64(const char* field, double& to) {
  std::int64_t bits = 0;
  if (!int64(field, bits)) return false;
  to = std::bit_cast<double>(bits);
  return true;
}

bool Reader::uuid(const char* field, Uuid& to) {
  if (remaining() < to.bytes.size()) return cut_short(field, to.bytes.size());
  std::memcpy(to.bytes.data(), bytes_.data() + position_, to.bytes.size());
  position_ += to.bytes.size();
  return true;
}

bool Reader::unsigned_varint(const char* field, std::uint32_t& to) {
  std::size_t position = position_;
  if (!read_unsigned_varint(bytes_.substr(0, end_), position, to)) return fail(field, "not an unsigned varint of 32 bits");
  position_ = position;
  return true;
}

Reader::Length Reader::length(const char* field, bool classic_is_short, bool null_allowed, std::size_t& to) {
  const std::size_t start = position_;
  std::int64_t value = 0;
  if (flexible_) {
    std::uint32_t raw = 0;
    if (!unsigned_varint(field, raw)) return Length::failed;
    value = std::int64_t{raw} - 1;
  } else if (classic_is_short) {
    std::int16_t raw = 0;
    if (!int16(field, raw)) return Length::failed;
    value = raw;
  } else {
    std::int32_t raw = 0;
    if (!int32(field, raw)) return Length::failed;
    value = raw;
  }
  if (value >= 0 && value < std::numeric_limits<std::int32_t>::max()) {
    to = static_cast<std::size_t>(value);
    return Length::present;
  }
  if (value == -1 && null_allowed) return Length::null;
  position_ = start;
  fail(field, value == -1 ? "null, which this version does not allow" : fmt::format("impossible length {}", value));
  return Length::failed;
}

Reader::Length Reader::view(const char* field, bool classic_is_short, bool null_allowed, Bytes& to) {
  std::size_t size = 0;
  const Length found = length(field, classic_is_short, null_allowed, size);
  if (found != Length::present) return found;
  if (classic_is_short && size > string_bytes_max) {
    fail(field, fmt::format("a string of {} bytes; at most {} are allowed", size, string_bytes_max));
    return Length::failed;
  }
  if (size > remaining()) {
    cut_short(field, size);
    return Length::failed;
  }
  to = bytes_.substr(position_, size);
  position_ += size;
  return Length::present;
}

Reader::Length Reader::count(const char* field, bool null_allowed, std::size_t element_bytes_min, std::size_t element_memory,
                             std::size_t& to) {
  const Length found = length(field, false, null_allowed, to);
  if (found != Length::present) return found;
  if (to > remaining() / element_bytes_min) {
    fail(field,
         fmt::format("{} elements of at least {} bytes do not fit into the {} bytes that are left", to, element_bytes_min, remaining()));
    return Length::failed;
  }
  if (to * element_memory > memory_left_) {
    fail(field, fmt::format("{} elements would take more memory than a message of {} bytes is granted", to, bytes_.size()));
    return Length::failed;
  }
  memory_left_ -= to * element_memory;
  return Length::present;
}

bool Reader::string(const char* field, std::string& to) {
  Bytes characters;
  if (view(field, true, false, characters) != Length::present) return false;
  to.assign(characters);
  return true;
}

bool Reader::nullable_string(const char* field, std::optional<std::string>& to, bool null_allowed) {
  Bytes characters;
  switch (view(field, true, null_allowed, characters)) {
    case Length::failed: return false;
    case Length::null: to.reset(); break;
    case Length::present: to.emplace(characters); break;
  }
  return true;
}

bool Reader::bytes(const char* field, Bytes& to) { return view(field, false, false, to) == Length::present; }

bool Reader::nullable_bytes(const char* field, std::optional<Bytes>& to, bool null_allowed) {
  Bytes found;
  switch (view(field, false, null_allowed, found)) {
    case Length::failed: return false;
    case Length::null: to.reset(); break;
    case Length::present: to = found; break;
  }
  return true;
}

bool Reader::records(const char* field, RecordsPayload& to, bool null_allowed) {
  Bytes found;
  switch (view(field, false, null_allowed, found)) {
    case Length::failed: return false;
    case Length::null: to = RecordsPayload::null(); break;
    case Length::present:
      to = {};
      to.add(found);
      break;
  }
  return true;
}

bool Reader::nullable_short_bytes(const char* field, std::optional<Bytes>& to) {
  const bool flexible = std::exchange(flexible_, false);
  Bytes found;
  const Length length = view(field, true, true, found);
  flexible_ = flexible;
  if (length == Length::present) to = found;
  return length != Length::failed;
}

bool Reader::tagged_fields() {
  return tagged_fields([this](std::uint32_t) { return skip_tagged_field(); });
}

bool Reader::tag_and_size(std::int64_t previous_tag, std::uint32_t& tag, std::size_t& size) {
  std::uint32_t raw_size = 0;
  if (!unsigned_varint("(tag)", tag)) return false;
  if (tag <= previous_tag) return fail("(tag)", fmt::format("tag {} after tag {}: tags must ascend", tag, previous_tag));
  if (!unsigned_varint("(size of a tagged field)", raw_size)) return false;
  if (raw_size > remaining()) return fail("(size of a tagged field)", fmt::format("{} bytes needed, {} left", raw_size, remaining()));
  size = raw_size;
  return true;
}

bool Reader::tagged_field_ends(std::uint32_t tag, std::size_t end) {
  if (position_ == end) return true;
  return fail("(tagged field)", fmt::format("tag {} has {} bytes too many", tag, end - position_));
}

}  // namespace tripos::wire
