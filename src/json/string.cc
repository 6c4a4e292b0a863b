#include "json/string.h"

#include <cstdint>
#include <cstring>

namespace tripos::json {

namespace {

// The value of 4 hexadecimal digits; above 0xFFFF: they are not.
std::uint32_t hex4(const char* at) noexcept {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = at[i];
    std::uint32_t digit = 0x10000;
    if (c >= '0' && c <= '9') digit = static_cast<std::uint32_t>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<std::uint32_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') digit = static_cast<std::uint32_t>(c - 'A' + 10);
    if (digit > 15) return 0x10000;
    value = value * 16 + digit;
  }
  return value;
}

char short_escape(char c) noexcept {
  switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;  // " \ /
  }
}

char* append_utf8(std::uint32_t code, char* to) noexcept {
  const auto put = [&](std::uint32_t byte) { *to++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 63));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 63));
    put(0x80 | (code & 63));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 63));
    put(0x80 | (code >> 6 & 63));
    put(0x80 | (code & 63));
  }
  return to;
}

bool is_high_surrogate(std::uint32_t code) { return code >= 0xD800 && code < 0xDC00; }
bool is_low_surrogate(std::uint32_t code) { return code >= 0xDC00 && code < 0xE000; }

}  // namespace

std::size_t find_bad_escape(std::string_view raw) noexcept {
  for (std::size_t i = raw.find('\\'); i != std::string_view::npos; i = raw.find('\\', i)) {
    if (i + 1 >= raw.size()) return i;
    switch (raw[i + 1]) {
      case '"':
      case '\\':
      case '/':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't': i += 2; break;
      case 'u':
        if (raw.size() - i < 6 || hex4(raw.data() + i + 2) > 0xFFFF) return i;
        i += 6;
        break;
      default: return i;
    }
  }
  return raw.size();
}

namespace {

std::size_t unescape(std::string_view raw, char* const to, bool nul_allowed) noexcept {
  const char* from = raw.data();
  const char* const end = from + raw.size();
  char* out = to;
  while (from < end) {
    const auto* backslash = static_cast<const char*>(std::memchr(from, '\\', static_cast<std::size_t>(end - from)));
    const auto plain = static_cast<std::size_t>((backslash == nullptr ? end : backslash) - from);
    std::memcpy(out, from, plain);
    out += plain;
    from += plain;
    if (backslash == nullptr) break;
    if (from[1] != 'u') {
      *out++ = short_escape(from[1]);
      from += 2;
      continue;
    }
    std::uint32_t code = hex4(from + 2);
    from += 6;
    if (is_high_surrogate(code)) {
      const bool pair = end - from >= 6 && from[0] == '\\' && from[1] == 'u' && is_low_surrogate(hex4(from + 2));
      if (pair) {
        code = 0x10000 + ((code - 0xD800) << 10) + (hex4(from + 2) - 0xDC00);
        from += 6;
      } else {
        code = 0xFFFD;
      }
    } else if (is_low_surrogate(code)) {
      code = 0xFFFD;
    }
    if (code == 0 && !nul_allowed) code = 0xFFFD;
    out = append_utf8(code, out);
  }
  return static_cast<std::size_t>(out - to);
}

}  // namespace

std::size_t unescape(std::string_view raw, char* to) noexcept { return unescape(raw, to, true); }
std::size_t unescape_key(std::string_view raw, char* to) noexcept { return unescape(raw, to, false); }

void append_quoted(std::string_view text, Buffer& to) {
  static constexpr char digits[] = "0123456789abcdef";
  to += '"';
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20) continue;
    to.append(text, done, i - done);
    done = i + 1;
    to += '\\';
    switch (c) {
      case '"':
      case '\\': to += c; break;
      case '\b': to += 'b'; break;
      case '\f': to += 'f'; break;
      case '\n': to += 'n'; break;
      case '\r': to += 'r'; break;
      case '\t': to += 't'; break;
      default:
        to.append("u00");
        to += digits[c >> 4 & 15];
        to += digits[c & 15];
    }
  }
  to.append(text, done);
  to += '"';
}

std::size_t find_bad_utf8(std::string_view bytes) noexcept {
  std::size_t i = 0;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  while (i < bytes.size()) {
    const unsigned char lead = byte(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    std::size_t count = 0;  // of continuation bytes
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
      count = 1;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      count = 2;
      if (lead == 0xE0) low = 0xA0;   // shorter forms exist
      if (lead == 0xED) high = 0x9F;  // surrogates
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      count = 3;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;  // above U+10FFFF
    } else {
      return i;
    }
    if (bytes.size() - i <= count || byte(i + 1) < low || byte(i + 1) > high) return i;
    for (std::size_t k = 2; k <= count; ++k) {
      if (byte(i + k) < 0x80 || byte(i + k) > 0xBF) return i;
    }
    i += count + 1;
  }
  return bytes.size();
}

}  // namespace tripos::json
