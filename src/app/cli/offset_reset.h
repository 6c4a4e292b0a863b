// OffsetReset: where `tripos group reset` puts a group's offsets, as kafka-consumer-groups --reset-offsets says it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "client/groups.h"

namespace tripos::app {

// Milliseconds since 1970 of "2024-05-01T12:00:00.000": a date, with or without a time, a fraction and a zone (Z, +02:00); UTC without one.
[[nodiscard]] Result<std::int64_t> parse_date_time(std::string_view text);

// A topic, all of its partitions or some: "exams", "exams:0,3".
struct ResetTopic {
  std::string topic;
  std::vector<std::int32_t> partitions;  // none: all
};
[[nodiscard]] Result<ResetTopic> parse_reset_topic(std::string_view text);

struct OffsetReset {
  enum class To { earliest, latest, time, offset, shift, current };
  To to = To::earliest;
  std::int64_t value = 0;  // of time (ms since 1970), offset, shift
};

// Nothing that needs a server: `current` is what is committed (-1: nothing), within [start, end] is where the new offset lies.
// invalid_argument: there is nothing to shift.
[[nodiscard]] Result<std::int64_t> reset_offset(const OffsetReset& reset, std::int64_t current, std::int64_t start, std::int64_t end,
                                                std::int64_t at_time);

}  // namespace tripos::app
