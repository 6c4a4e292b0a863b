// Uuid: 16 bytes; as text Kafka's base64url without padding (22 characters), so that tools show what they expect.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tripos {

struct Uuid {
  std::array<char, 16> bytes{};

  friend auto operator<=>(const Uuid&, const Uuid&) noexcept = default;

  [[nodiscard]] bool is_zero() const noexcept { return *this == Uuid{}; }
  [[nodiscard]] std::string text() const;

  // A random version-4 UUID from the operating system. Never one whose text starts with '-' (Kafka's rule: it would look like a flag).
  [[nodiscard]] static Uuid random();
  [[nodiscard]] static Result<Uuid> from_text(std::string_view text);
};

}  // namespace tripos

template <>
struct std::hash<tripos::Uuid> {
  std::size_t operator()(const tripos::Uuid& id) const noexcept {
    return std::hash<std::string_view>{}(std::string_view(id.bytes.data(), id.bytes.size()));
  }
};
