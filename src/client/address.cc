#include "client/address.h"

#include <charconv>

namespace tripos::client {

Result<Address> Address::parse(std::string_view text, std::uint16_t default_port) {
  const auto refuse = [&] {
    return fail(ErrorCode::invalid_argument, "'{}' is not an address: write HOST:PORT, as in 127.0.0.1:9092", text);
  };
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return refuse();
    host = text.substr(1, close - 1);
    if (close + 1 < text.size()) {
      if (text[close + 1] != ':') return refuse();
      port = text.substr(close + 2);
      if (port.empty()) return refuse();
    }
  } else if (const std::size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (host.find(':') != std::string_view::npos || port.empty()) return refuse();
  }
  Address address{std::string(host), default_port};
  if (host.empty()) return refuse();
  if (port.empty()) {
    if (default_port == 0) return refuse();
    return address;
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return refuse();
  return address;
}

std::string Address::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

}  // namespace tripos::client
