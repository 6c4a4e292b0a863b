// Strings of JSON text: their escapes read and written (RFC 8259, 7).
#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"

namespace tripos::json {

// `raw`: a string without its quotes. The position of its first bad escape, or its size.
[[nodiscard]] std::size_t find_bad_escape(std::string_view raw) noexcept;

// Unescapes `raw`, whose escapes are good, to `to`, which has room for raw.size() bytes; returns the size. A lone surrogate reads as
// U+FFFD.
std::size_t unescape(std::string_view raw, char* to) noexcept;
// The same for a key. A NUL reads as U+FFFD, too: names go through interfaces that end at one.
std::size_t unescape_key(std::string_view raw, char* to) noexcept;

// Appends `text` (UTF-8) as a JSON string with quotes. Escaped is only what must be; the short forms where there is one.
void append_quoted(std::string_view text, Buffer& to);

// The position of the first byte that is not UTF-8 (RFC 3629), or its size.
[[nodiscard]] std::size_t find_bad_utf8(std::string_view bytes) noexcept;

}  // namespace tripos::json
