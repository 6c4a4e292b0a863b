#include "broker/group/offsets_partition.h"

#include <limits>

#include "base/check.h"

namespace tripos::groups {
namespace {

// The code point at `position`, which moves behind it.
char32_t next_code_point(std::string_view text, std::size_t& position) noexcept {
  constexpr char32_t replacement = 0xFFFD;
  const auto lead = static_cast<unsigned char>(text[position++]);
  if (lead < 0x80) return lead;
  const int following = lead >= 0xF0 && lead < 0xF5 ? 3 : lead >= 0xE0 && lead < 0xF0 ? 2 : lead >= 0xC2 && lead < 0xE0 ? 1 : 0;
  if (following == 0) return replacement;
  char32_t value = lead & (0x3FU >> following);
  for (int i = 0; i < following; ++i) {
    if (position == text.size() || (static_cast<unsigned char>(text[position]) & 0xC0) != 0x80) return replacement;
    value = value << 6 | (static_cast<unsigned char>(text[position++]) & 0x3F);
  }
  return value;
}

}  // namespace

std::int32_t java_hash(std::string_view utf8) noexcept {
  std::uint32_t hash = 0;
  for (std::size_t position = 0; position < utf8.size();) {
    const char32_t point = next_code_point(utf8, position);
    if (point < 0x10000) {
      hash = hash * 31 + static_cast<std::uint32_t>(point);
    } else {
      hash = hash * 31 + (0xD800U + ((static_cast<std::uint32_t>(point) - 0x10000U) >> 10));
      hash = hash * 31 + (0xDC00U + ((static_cast<std::uint32_t>(point) - 0x10000U) & 0x3FFU));
    }
  }
  return static_cast<std::int32_t>(hash);
}

PartitionId offsets_partition(std::string_view group, std::int32_t partition_count) noexcept {
  CHECK(partition_count > 0);
  const std::int32_t hash = java_hash(group);
  const std::int32_t positive = hash == std::numeric_limits<std::int32_t>::min() ? 0 : hash < 0 ? -hash : hash;
  return PartitionId(positive % partition_count);
}

}  // namespace tripos::groups
