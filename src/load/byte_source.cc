#include "load/byte_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace tripos::load {
namespace {

constexpr std::size_t read_size = std::size_t{256} << 10;
constexpr std::size_t decoded_size = std::size_t{1} << 20;

}  // namespace

Result<ByteSource> ByteSource::open(const std::string& path, const std::atomic<bool>* cancelled) {
  if (path == "-") {
    const int descriptor = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) return tl::unexpected(os_error(errno, "reading", "standard input"));
    return ByteSource(descriptor, "standard input", cancelled);
  }
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return tl::unexpected(os_error(errno, "opening", path));
  ByteSource source(descriptor, path, cancelled);
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return tl::unexpected(os_error(errno, "reading", path));
  if (S_ISDIR(status.st_mode)) return fail(ErrorCode::invalid_argument, "{} is a directory", path);
  if (S_ISREG(status.st_mode)) source.size_bytes_ = static_cast<std::uint64_t>(status.st_size);
  static_cast<void>(posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL));
  return source;
}

ByteSource::ByteSource(ByteSource&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      name_(std::move(other.name_)),
      cancelled_(other.cancelled_),
      size_bytes_(other.size_bytes_) {}

ByteSource::~ByteSource() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<bool> ByteSource::fill() {
  raw_.erase(0, raw_.size() - rest_.size());
  const std::size_t kept = raw_.size();
  raw_.resize(kept + read_size);
  ssize_t count = 0;
  bool stopped = false;
  do {
    stopped = cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed);
    if (!stopped) count = ::read(descriptor_, raw_.data() + kept, read_size);
  } while (!stopped && count < 0 && errno == EINTR);
  const int failure = errno;
  raw_.resize(kept + static_cast<std::size_t>(count < 0 ? 0 : count));
  rest_ = raw_;
  if (stopped) return fail(ErrorCode::cancelled, "reading {} was interrupted", name_);
  if (count < 0) return tl::unexpected(os_error(failure, "reading", name_));
  position_bytes_ += static_cast<std::uint64_t>(count);
  return count > 0;
}

bool ByteSource::would_wait() const {
  if (at_end_ || !rest_.empty()) return false;
  pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 0) == 0;
}

Result<Bytes> ByteSource::read() {
  if (at_end_) return Bytes();
  if (!begun_) {
    begun_ = true;
    // A pipe may give a byte at a time: as many as tell the format.
    while (rest_.size() < magic_bytes_max) {
      TRIPOS_ASSIGN(const bool more, fill());
      if (!more) break;
    }
    auto found = find_decoder(rest_);
    decoder_ = std::move(found.decoder);
    compression_ = found.name;
  }
  if (decoder_) return read_decoded();
  if (rest_.empty()) {
    TRIPOS_ASSIGN(const bool more, fill());
    at_end_ = !more;
  }
  return std::exchange(rest_, Bytes(raw_).substr(raw_.size()));
}

Result<Bytes> ByteSource::read_decoded() {
  decoded_.resize(decoded_size);
  while (true) {
    auto written = decoder_->decode(rest_, decoded_);
    if (!written) return tl::unexpected(std::move(written).error().within(fmt::format("{} ({} data)", name_, compression_)));
    if (*written > 0) return Bytes(decoded_).substr(0, *written);
    TRIPOS_ASSIGN(const bool more, fill());
    if (more) continue;
    at_end_ = true;
    if (decoder_->at_end() && rest_.empty()) return Bytes();
    return fail(ErrorCode::malformed, "{}: the {} data ends before it is complete, at byte {} of the compressed file", name_, compression_,
                position_bytes_);
  }
}

}  // namespace tripos::load
