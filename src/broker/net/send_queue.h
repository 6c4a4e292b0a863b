// SendQueue: what a session has yet to send: bytes from memory, and slices of files that go to the socket by sendfile.
// Threads: the loop's. Owns what it is given until it is sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/error.h"
#include "io/socket.h"
#include "wire/output.h"

namespace tripos::broker {

class SendQueue {
 public:
  void add(wire::Output output);

  // Sends what goes at once. True: everything is sent.
  [[nodiscard]] Result<bool> send(io::Socket& socket);

  [[nodiscard]] bool empty() const noexcept { return parts_.empty(); }
  // In memory; file slices take none.
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return memory_bytes_; }
  [[nodiscard]] std::uint64_t sent_bytes() const noexcept { return sent_bytes_; }

 private:
  [[nodiscard]] Result<std::size_t> send_memory(io::Socket& socket, std::size_t& tried);
  [[nodiscard]] Result<std::size_t> send_slice(io::Socket& socket, const LogSlice& slice, std::size_t& tried);
  void advance(std::size_t bytes);

  std::deque<wire::Output::Part> parts_;
  std::uint64_t front_sent_ = 0;  // bytes of the first part that are sent
  std::size_t memory_bytes_ = 0;
  std::uint64_t sent_bytes_ = 0;
};

}  // namespace tripos::broker
