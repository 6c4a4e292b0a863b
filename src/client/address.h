// Address: where a server listens, "host:port", "[v6]:port".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tripos::client {

struct Address {
  std::string host;
  std::uint16_t port = 0;

  // `default_port` counts where the text has none; without one it must have.
  [[nodiscard]] static Result<Address> parse(std::string_view text, std::uint16_t default_port = 0);
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Address&, const Address&) = default;
};

}  // namespace tripos::client
