// CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected; RFC 3720 appendix B.4): the checksum of Kafka's record batches.
// Uses the processor's instruction where it has one.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tripos {

[[nodiscard]] std::uint32_t crc32c(Bytes bytes) noexcept;

// The CRC of a followed by b, from that of a.
[[nodiscard]] std::uint32_t crc32c_extend(std::uint32_t crc_of_a, Bytes b) noexcept;

}  // namespace tripos
