#include "query/json_text.h"

#include <fmt/format.h>

#include <cstdint>

namespace tripos::query {

namespace {

// The size of the well-formed UTF-8 sequence at the start of `text` (Unicode, table 3-7); 0: there is none.
std::size_t sequence_size(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0}; };
  const auto continues = [&byte](std::size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xBF; };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool second = continues(1) && (lead != 0xE0 || byte(1) >= 0xA0) && (lead != 0xED || byte(1) <= 0x9F);
    return second && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool second = continues(1) && (lead != 0xF0 || byte(1) >= 0x90) && (lead != 0xF4 || byte(1) <= 0x8F);
    return second && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string to = "\"";
  while (!text.empty()) {
    const std::size_t size = sequence_size(text);
    const char c = text.front();
    if (size == 0) {
      to.append("\xEF\xBF\xBD");
    } else if (c == '"' || c == '\\') {
      to.push_back('\\');
      to.push_back(c);
    } else if (c == '\n') {
      to.append("\\n");
    } else if (c == '\t') {
      to.append("\\t");
    } else if (static_cast<std::uint8_t>(c) < 0x20) {
      to.append(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
    } else {
      to.append(text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  to.push_back('"');
  return to;
}

}  // namespace tripos::query
