// Channel: one end of the socket pair between server and worker; frames with descriptors beside them.
//
//   frame:  length of the body (32 bits, big-endian) | count of descriptors (16 bits) | body
//
// The descriptors go as SCM_RIGHTS with the first bytes of the frame, at most 250 with one byte, so that any count fits.
// A body is at most `frame_size_max`; what is larger is cut by the sender (Rows, ParquetChunk). Memory grows with what came, never
// with what a length claims.
//
// Threads: send() from any; receive() from one at a time. Owns its descriptor.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace tripos::protocol {

inline constexpr std::size_t frame_size_max = std::size_t{64} << 20;
inline constexpr std::size_t descriptor_count_max = 16384;

// An open file of this process, closed at the end.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& from) noexcept : number_(std::exchange(from.number_, -1)) {}
  Descriptor& operator=(Descriptor&& from) noexcept {
    std::swap(number_, from.number_);
    return *this;
  }
  ~Descriptor();

  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_ = -1;
};

struct Frame {
  Buffer body;
  std::vector<Descriptor> descriptors;
};

class Channel {
 public:
  explicit Channel(Descriptor socket);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  // Two connected sockets, both close-on-exec: one for a Channel, one for the worker.
  [[nodiscard]] static Result<std::pair<Descriptor, Descriptor>> socket_pair();

  // Blocks until the frame is handed over. unavailable: the peer has gone. too_large: nothing was sent.
  [[nodiscard]] Result<> send(Bytes body, std::span<const int> descriptors = {});

  // The next frame; none: the peer has ended. timed_out: not there yet; call again, what came is kept.
  // Without a timeout it waits as long as it takes.
  [[nodiscard]] Result<std::optional<Frame>> receive(std::optional<std::chrono::milliseconds> timeout = std::nullopt);

  // Wakes send() and receive() of both ends: as if both had ended. Threads: any.
  void shut_down() noexcept;

 private:
  [[nodiscard]] Result<std::optional<Frame>> take_frame();
  [[nodiscard]] Result<std::size_t> receive_some();

  Descriptor socket_;
  std::mutex send_mutex_;
  Buffer received_;  // starts at a frame's first byte
  std::deque<Descriptor> received_descriptors_;
  std::unique_ptr<char[]> chunk_;
};

}  // namespace tripos::protocol
