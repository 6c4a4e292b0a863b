// A JSON string (RFC 8259) of a text in UTF-8. What isn't UTF-8 in it is replaced by U+FFFD, so that an answer is always JSON.
#pragma once

#include <string>
#include <string_view>

namespace tripos::query {

[[nodiscard]] std::string json_text(std::string_view text);

}  // namespace tripos::query
