// Socket, Listener, Network: connected byte streams that never block. Real: io/asio. Tests bring their own.
// Readiness, not completion: a connection that waits costs no buffer, and a reader chooses where bytes land when they are there.
// Threads: the executor's loop. Handlers run on the loop, never inside of the call that registers them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "io/executor.h"

namespace tripos::io {

class Socket {
 public:
  virtual ~Socket() = default;  // closes; handlers that wait are dropped, not called

  // What has come: the count of bytes put into `to`; 0: the peer has ended its side; none: nothing is there now.
  [[nodiscard]] virtual Result<std::optional<std::size_t>> read(std::span<char> to) = 0;
  // Sends as much of `parts`, in order, as goes at once; 0: nothing now. At most `write_parts_max` parts are looked at.
  // `more`: further bytes follow at once, so a packet that is not full may wait for them.
  [[nodiscard]] virtual Result<std::size_t> write(std::span<const Bytes> parts, bool more) = 0;
  // Sends up to `count` bytes of an open file, from `position`, as write() does; the bytes don't pass through the process.
  [[nodiscard]] virtual Result<std::size_t> send_file(int descriptor, std::uint64_t position, std::size_t count) = 0;

  // Calls once when read() (write()) has something to do. At most one call of each kind waits.
  virtual void when_readable(Task task) = 0;
  virtual void when_writable(Task task) = 0;

  [[nodiscard]] virtual const std::string& peer() const noexcept = 0;  // "127.0.0.1:40112"

  static constexpr std::size_t write_parts_max = 64;
};

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;  // stops listening
  // Where it listens: port 0 has become a real one.
  [[nodiscard]] virtual Endpoint endpoint() const = 0;
};

class Network {
 public:
  virtual ~Network() = default;
  using Accepted = std::function<void(std::unique_ptr<Socket>)>;
  // Listens at a numeric address or a name; calls `accepted` with each connection, in TCP_NODELAY.
  [[nodiscard]] virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, Accepted accepted) = 0;
};

}  // namespace tripos::io
