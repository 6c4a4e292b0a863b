#include "load/json_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "json/split.h"

namespace tripos::load {
namespace {

constexpr std::size_t block_size = 256U << 10;

}  // namespace

Result<JsonInput> JsonInput::open(const std::string& path) {
  if (path == "-") return JsonInput(dup(STDIN_FILENO), "standard input", 0);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return tl::unexpected(os_error(errno, "opening", path));
  JsonInput input(descriptor, path, 0);
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return tl::unexpected(os_error(errno, "reading", path));
  if (S_ISDIR(status.st_mode)) return fail(ErrorCode::invalid_argument, "{} is a directory", path);
  if (S_ISREG(status.st_mode)) input.size_bytes_ = static_cast<std::uint64_t>(status.st_size);
  static_cast<void>(posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL));
  return input;
}

JsonInput::JsonInput(JsonInput&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)), size_bytes_(other.size_bytes_) {}

JsonInput::~JsonInput() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<> JsonInput::read_elements(const Sink& sink, const Progress& progress) {
  json::Splitter splitter({});
  Buffer block(block_size, '\0');
  while (true) {
    const ssize_t count = ::read(descriptor_, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(os_error(errno, "reading", path_));
    Result<> taken = count == 0 ? splitter.finish(sink) : splitter.feed(Bytes(block).substr(0, static_cast<std::size_t>(count)), sink);
    if (!taken) return tl::unexpected(std::move(taken).error().within(path_));
    if (count == 0) return {};
    if (progress) progress(splitter.position());
  }
}

}  // namespace tripos::load
