#include "base/uuid.h"

#include <sys/random.h>

#include "base/check.h"

namespace tripos {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t text_size = 22;

}  // namespace

std::string Uuid::text() const {
  std::string out;
  out.reserve(text_size);
  std::uint32_t pending = 0;
  int pending_bits = 0;
  for (const char byte : bytes) {
    pending = pending << 8 | static_cast<unsigned char>(byte);
    for (pending_bits += 8; pending_bits >= 6; pending_bits -= 6) out.push_back(alphabet[pending >> (pending_bits - 6) & 63U]);
  }
  out.push_back(alphabet[pending << (6 - pending_bits) & 63U]);
  return out;
}

Uuid Uuid::random() {
  for (;;) {
    Uuid id;
    CHECK(getrandom(id.bytes.data(), id.bytes.size(), 0) == static_cast<ssize_t>(id.bytes.size()));
    id.bytes[6] = static_cast<char>((static_cast<unsigned char>(id.bytes[6]) & 0x0fU) | 0x40U);
    id.bytes[8] = static_cast<char>((static_cast<unsigned char>(id.bytes[8]) & 0x3fU) | 0x80U);
    if (id.text().front() != '-') return id;
  }
}

Result<Uuid> Uuid::from_text(std::string_view text) {
  if (text.size() != text_size)
    return fail(ErrorCode::invalid_argument, "'{}' is not an id: it has {} characters, not {}", text, text.size(), text_size);
  Uuid id;
  std::size_t filled = 0;
  std::uint32_t pending = 0;
  int pending_bits = 0;
  for (const char c : text) {
    const auto digit = alphabet.find(c);
    if (digit == std::string_view::npos)
      return fail(ErrorCode::invalid_argument, "'{}' is not an id: '{}' is not of the base64url alphabet", text, c);
    pending = pending << 6 | static_cast<std::uint32_t>(digit);
    pending_bits += 6;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      id.bytes[filled++] = static_cast<char>(pending >> pending_bits);
    }
  }
  if ((pending & ((1U << pending_bits) - 1)) != 0)
    return fail(ErrorCode::invalid_argument, "'{}' is not an id: its last character is off", text);
  return id;
}

}  // namespace tripos
