// Traffic: what went through a partition, or a topic, since the start. Threads: the loop's.
#pragma once

#include <cstdint>

namespace tripos::broker {

struct Traffic {
  std::uint64_t messages_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;

  Traffic& operator+=(const Traffic& other) noexcept {
    messages_in += other.messages_in;
    bytes_in += other.bytes_in;
    bytes_out += other.bytes_out;
    return *this;
  }
};

}  // namespace tripos::broker
