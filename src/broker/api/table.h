// The table of requests: the only list of what the broker answers. Dispatch and ApiVersions derive from it.
// A request that is not in it, or in another version, gets UNSUPPORTED_VERSION.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "broker/session_context.h"
#include "wire/api_key.h"

namespace tripos::broker {

struct RequestContext;

struct VersionRange {
  std::int16_t min;
  std::int16_t max;
  [[nodiscard]] bool contains(std::int16_t version) const noexcept { return version >= min && version <= max; }
};

struct ApiRow {
  wire::ApiKey key;
  VersionRange versions;
  void (*serve)(RequestContext& context, Bytes body, std::int32_t correlation_id, Responder responder);
};

[[nodiscard]] std::span<const ApiRow> api_table() noexcept;
// nullptr: not one of ours.
[[nodiscard]] const ApiRow* find_api(wire::ApiKey key) noexcept;

}  // namespace tripos::broker
