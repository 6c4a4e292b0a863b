// Stream: a blocking TCP connection with deadlines: what the Kafka and the HTTP client stand on.
// Waits end early, as `cancelled`, when the caller's flag is set (a signal handler may set it).
// Owns its descriptor. Threads: one at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "client/address.h"

namespace tripos::client {

struct StreamOptions {
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds idle_timeout{120'000};  // the longest wait for one byte to come or go
  const std::atomic<bool>* cancelled = nullptr;
};

class Stream {
 public:
  [[nodiscard]] static Result<Stream> connect(const Address& address, const StreamOptions& options);

  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  [[nodiscard]] Result<> send(Bytes bytes);
  // At least one byte; 0: the peer has closed.
  [[nodiscard]] Result<std::size_t> receive(std::span<char> to);
  // Whether receive() finds something now, or within this time (an interrupted wait ends early).
  [[nodiscard]] bool has_input(std::chrono::nanoseconds within = std::chrono::nanoseconds(0)) const;

  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }

 private:
  Stream(int descriptor, std::string peer, const StreamOptions& options)
      : descriptor_(descriptor), peer_(std::move(peer)), options_(options) {}
  [[nodiscard]] Result<> wait(short events, std::chrono::milliseconds timeout) const;
  void close() noexcept;

  int descriptor_ = -1;
  std::string peer_;
  StreamOptions options_;
};

}  // namespace tripos::client
