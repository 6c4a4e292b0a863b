// Times as text: those of attempts (ISO 8601, UTC, milliseconds), and those that people give to commands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace tripos::exam {

// Milliseconds since 1970 as "2017-11-21T08:30:00.000Z". The years 0 to 9999.
void append_iso(Buffer& to, std::int64_t time_ms);

// "2017-11-21", "2017-11-21T08:30", "2017-11-21 08:30:15.5", a zone behind it ("Z", "+01:00"); without one, UTC. Milliseconds since 1970,
// what is below a millisecond cut off. invalid_argument: it is none of these, or no day of the calendar.
[[nodiscard]] Result<std::int64_t> parse_time(std::string_view text);

}  // namespace tripos::exam
