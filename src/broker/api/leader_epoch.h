// There is one leader of every partition, in its first epoch for ever (KIP-320).
#pragma once

#include <cstdint>

#include "wire/error_code.h"

namespace tripos::broker {

inline constexpr std::int32_t only_leader_epoch = 0;

// What is wrong with the epoch that a client believes in; -1: it believes in none.
[[nodiscard]] constexpr wire::ErrorCode check_leader_epoch(std::int32_t believed) noexcept {
  return believed > only_leader_epoch ? wire::ErrorCode::unknown_leader_epoch : wire::ErrorCode::none;
}

}  // namespace tripos::broker
