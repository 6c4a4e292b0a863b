#include "client/stream.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

namespace tripos::client {
namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Result<AddressList> resolve(const Address& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (code != 0) return fail(ErrorCode::not_found, "no address for host {}: {}", address.host, gai_strerror(code));
  return AddressList(found, &freeaddrinfo);
}

}  // namespace

Result<Stream> Stream::connect(const Address& address, const StreamOptions& options) {
  TRIPOS_ASSIGN(const AddressList addresses, resolve(address));
  Error last{ErrorCode::unavailable, fmt::format("connecting to {}: no address", address.text())};
  for (const addrinfo* candidate = addresses.get(); candidate != nullptr; candidate = candidate->ai_next) {
    const int descriptor = socket(candidate->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, candidate->ai_protocol);
    if (descriptor < 0) {
      last = os_error(errno, "opening a socket to", address.text());
      continue;
    }
    Stream stream(descriptor, address.text(), options);
    const int on = 1;
    static_cast<void>(setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    int failure = ::connect(descriptor, candidate->ai_addr, candidate->ai_addrlen) == 0 ? 0 : errno;
    if (failure == EINPROGRESS) {
      if (auto waited = stream.wait(POLLOUT, options.connect_timeout); !waited) {
        last = std::move(waited).error();
        continue;
      }
      socklen_t size = sizeof failure;
      if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) failure = errno;
    }
    if (failure == 0) return stream;
    last = os_error(failure, "connecting to", address.text());
    if (failure == ECONNREFUSED) last = {ErrorCode::unavailable, fmt::format("nothing listens at {}", address.text())};
  }
  return tl::unexpected(std::move(last));
}

Stream::Stream(Stream&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), peer_(std::move(other.peer_)), options_(other.options_) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    close();
    descriptor_ = std::exchange(other.descriptor_, -1);
    peer_ = std::move(other.peer_);
    options_ = other.options_;
  }
  return *this;
}

Stream::~Stream() { close(); }

void Stream::close() noexcept {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

Result<> Stream::wait(short events, std::chrono::milliseconds timeout) const {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    if (options_.cancelled != nullptr && options_.cancelled->load(std::memory_order_relaxed))
      return fail(ErrorCode::cancelled, "cancelled");
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return fail(ErrorCode::timed_out, "no answer from {} within {} ms", peer_, timeout.count());
    pollfd waiting{.fd = descriptor_, .events = events, .revents = 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return tl::unexpected(os_error(errno, "waiting for", peer_));
  }
}

bool Stream::has_input(std::chrono::nanoseconds within) const {
  pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(within);
  const timespec time{.tv_sec = seconds.count(), .tv_nsec = (within - seconds).count()};
  return ppoll(&waiting, 1, &time, nullptr) > 0;
}

Result<> Stream::send(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      TRIPOS_TRY(wait(POLLOUT, options_.idle_timeout));
    } else if (errno != EINTR) {
      return tl::unexpected(os_error(errno, "sending to", peer_));
    }
  }
  return {};
}

Result<std::size_t> Stream::receive(std::span<char> to) {
  while (true) {
    const ssize_t received = ::recv(descriptor_, to.data(), to.size(), 0);
    if (received >= 0) return static_cast<std::size_t>(received);
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      TRIPOS_TRY(wait(POLLIN, options_.idle_timeout));
    } else if (errno != EINTR) {
      return tl::unexpected(os_error(errno, "receiving from", peer_));
    }
  }
}

}  // namespace tripos::client
