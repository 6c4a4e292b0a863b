#include "query/protocol/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace tripos::protocol {

namespace {

constexpr std::size_t header_size = 6;
constexpr std::size_t descriptors_per_send_max = 250;  // the kernel's SCM_MAX_FD is 253
constexpr std::size_t chunk_size = std::size_t{256} << 10;

using Clock = std::chrono::steady_clock;

// Room for the control message, aligned as the kernel wants it.
struct ControlBuffer {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(descriptors_per_send_max * sizeof(int))> bytes;
};

// Sends some of `header` and then `body`, with `descriptors`; the count of bytes that went, -1 with errno.
ssize_t send_once(int socket, Bytes header, Bytes body, std::span<const int> descriptors) {
  std::array<iovec, 2> parts = {{{const_cast<char*>(header.data()), header.size()}, {const_cast<char*>(body.data()), body.size()}}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  ControlBuffer control;
  if (!descriptors.empty()) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    std::fill_n(control.bytes.data(), message.msg_controllen, '\0');
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(head), descriptors.data(), descriptors.size_bytes());
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Channel::Channel(Descriptor socket) : socket_(std::move(socket)) {}
Channel::~Channel() = default;

Result<std::pair<Descriptor, Descriptor>> Channel::socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return tl::unexpected(os_error(errno, "making", "a socket pair"));
  }
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

Result<> Channel::send(Bytes body, std::span<const int> descriptors) {
  if (body.size() > frame_size_max) {
    return fail(ErrorCode::too_large, "worker protocol: a message of {} bytes is over the limit of {}", body.size(), frame_size_max);
  }
  if (descriptors.size() > descriptor_count_max) {
    return fail(ErrorCode::too_large, "the statement needs {} files of the log at once, more than {}: run the batch layer first",
                descriptors.size(), descriptor_count_max);
  }
  Buffer header;
  append_be(header, static_cast<std::uint32_t>(body.size()));
  append_be(header, static_cast<std::uint16_t>(descriptors.size()));

  const std::lock_guard lock(send_mutex_);
  Bytes rest_of_header = header;
  std::size_t bytes_left = header.size() + body.size();
  while (bytes_left > 0) {
    const auto group = descriptors.first(std::min(descriptors.size(), descriptors_per_send_max));
    // One byte a group, as long as more groups follow: a receive never merges two of them.
    const bool more_groups = descriptors.size() > group.size();
    const Bytes head = more_groups && !rest_of_header.empty() ? rest_of_header.substr(0, 1) : rest_of_header;
    const Bytes tail = more_groups ? (head.empty() ? body.substr(0, 1) : Bytes()) : body;
    const ssize_t sent = send_once(socket_.number(), head, tail, group);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EPIPE || errno == ECONNRESET) return fail(ErrorCode::unavailable, "the other end of the worker's socket has gone");
      return tl::unexpected(os_error(errno, "sending to", "the worker's socket"));
    }
    descriptors = descriptors.subspan(group.size());
    const auto from_header = std::min(static_cast<std::size_t>(sent), rest_of_header.size());
    rest_of_header.remove_prefix(from_header);
    body.remove_prefix(static_cast<std::size_t>(sent) - from_header);
    bytes_left -= static_cast<std::size_t>(sent);
  }
  if (!descriptors.empty())
    return fail(ErrorCode::malformed, "worker protocol: {} descriptors beside too small a message", descriptors.size());
  return {};
}

Result<std::optional<Frame>> Channel::receive(std::optional<std::chrono::milliseconds> timeout) {
  const auto deadline = Clock::now() + timeout.value_or(std::chrono::milliseconds(0));
  while (true) {
    TRIPOS_ASSIGN(auto frame, take_frame());
    if (frame) return frame;
    int wait_ms = -1;
    if (timeout) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      wait_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
    }
    pollfd waits{.fd = socket_.number(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waits, 1, wait_ms);
    if (ready < 0 && errno != EINTR) return tl::unexpected(os_error(errno, "waiting for", "the worker's socket"));
    if (ready <= 0) {
      if (timeout && Clock::now() >= deadline) return fail(ErrorCode::timed_out, "nothing came from the other end of the worker's socket");
      continue;
    }
    TRIPOS_ASSIGN(const std::size_t count, receive_some());
    if (count == 0) {
      if (received_.empty()) return std::nullopt;
      return fail(ErrorCode::unavailable, "the other end of the worker's socket has gone in the middle of a message");
    }
  }
}

Result<std::optional<Frame>> Channel::take_frame() {
  if (received_.size() < header_size) return std::nullopt;
  const auto body_size = load_be<std::uint32_t>(received_.data());
  const auto descriptor_count = load_be<std::uint16_t>(received_.data() + 4);
  if (body_size > frame_size_max || descriptor_count > descriptor_count_max) {
    return fail(ErrorCode::malformed, "worker protocol: a message of {} bytes and {} descriptors is over the limit", body_size,
                descriptor_count);
  }
  if (received_.size() - header_size < body_size) return std::nullopt;
  if (received_descriptors_.size() < descriptor_count) {
    return fail(ErrorCode::malformed, "worker protocol: {} descriptors were announced, {} came (is the limit of open files too low?)",
                descriptor_count, received_descriptors_.size());
  }
  Frame frame;
  if (received_.size() == header_size + body_size) {
    received_.erase(0, header_size);
    frame.body = std::exchange(received_, Buffer());
  } else {
    frame.body = received_.substr(header_size, body_size);
    received_.erase(0, header_size + body_size);
  }
  const auto end = received_descriptors_.begin() + descriptor_count;
  std::move(received_descriptors_.begin(), end, std::back_inserter(frame.descriptors));
  received_descriptors_.erase(received_descriptors_.begin(), end);
  return frame;
}

// Appends what is there to received_; the count of bytes, 0 at the end.
Result<std::size_t> Channel::receive_some() {
  if (!chunk_) chunk_ = std::make_unique<char[]>(chunk_size);
  // Not beyond the frame that is being received, if that is known: mostly a frame then is moved, not cut out.
  std::size_t wanted = header_size - std::min(header_size, received_.size());
  if (wanted == 0) wanted = header_size + load_be<std::uint32_t>(received_.data()) - received_.size();
  iovec part{chunk_.get(), std::min(wanted, chunk_size)};
  ControlBuffer control;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  ssize_t count = 0;
  do {
    count = ::recvmsg(socket_.number(), &message, MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    if (errno == ECONNRESET) return 0;
    return tl::unexpected(os_error(errno, "receiving from", "the worker's socket"));
  }
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t size = head->cmsg_len - CMSG_LEN(0);
    for (std::size_t at = 0; at < size; at += sizeof(int)) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(head) + at, sizeof number);
      received_descriptors_.emplace_back(number);
    }
  }
  if ((message.msg_flags & MSG_CTRUNC) != 0) {
    return fail(ErrorCode::unavailable, "descriptors were lost on the way: the limit of open files (ulimit -n) is too low");
  }
  received_.append(chunk_.get(), static_cast<std::size_t>(count));
  return static_cast<std::size_t>(count);
}

void Channel::shut_down() noexcept { ::shutdown(socket_.number(), SHUT_RDWR); }

}  // namespace tripos::protocol
