// Which partition of __consumer_offsets keeps a group: Kafka's rule, so that Kafka's tools look where we write.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/ids.h"

namespace tripos::groups {

// Java's String.hashCode() of UTF-8 text (over its UTF-16 code units; broken UTF-8 counts as U+FFFD).
[[nodiscard]] std::int32_t java_hash(std::string_view utf8) noexcept;

// partition_count > 0.
[[nodiscard]] PartitionId offsets_partition(std::string_view group, std::int32_t partition_count) noexcept;

}  // namespace tripos::groups
