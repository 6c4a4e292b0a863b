// Preloaded into the program under test: system calls that fail when the test wants it, and a wall clock that jumps. TRIPOS_FAULTS names a
// file; as long as it is there, each of its lines is a rule:
//
//   fail CALL ERRNO TEXT   calls of CALL on files whose path has TEXT in it fail with this number (0: half of what was asked is written)
//   clock SECONDS          the wall clock is so much ahead
//
// Not the program's own code: nothing here is linked into it.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Rules {
  char text[2048];
  Rules() {
    text[0] = '\0';
    const char* const path = getenv("TRIPOS_FAULTS");
    if (path == nullptr) return;
    const long file = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (file < 0) return;
    const long got = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    text[got > 0 ? got : 0] = '\0';
  }
};

// The error that a call on this path is to fail with; -1: none.
int error_for(const char* call, const char* path) {
  const int kept = errno;
  Rules rules;
  int found = -1;
  char* rest = nullptr;
  for (char* line = strtok_r(rules.text, "\n", &rest); line != nullptr; line = strtok_r(nullptr, "\n", &rest)) {
    char name[32];
    char text[256];
    int number = 0;
    if (sscanf(line, "fail %31s %d %255s", name, &number, text) == 3 && strcmp(name, call) == 0 && strstr(path, text) != nullptr) {
      found = number;
    }
  }
  errno = kept;
  return found;
}

int error_for(const char* call, int descriptor) {
  const int kept = errno;
  char link[64];
  char path[1024];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  path[size > 0 ? size : 0] = '\0';
  errno = kept;
  return error_for(call, path);
}

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

int fail_with(int error) {
  errno = error;
  return -1;
}

}  // namespace

extern "C" {

ssize_t pwritev(int descriptor, const iovec* vectors, int count, off_t position) {
  static const auto real = next<ssize_t (*)(int, const iovec*, int, off_t)>("pwritev");
  const int error = error_for("write", descriptor);
  if (error > 0) return fail_with(error);
  if (error == 0 && vectors[0].iov_len > 1) {  // torn: half of the first part; what follows finds no space
    const iovec half{vectors[0].iov_base, vectors[0].iov_len / 2};
    if (half.iov_len == 0) return fail_with(EIO);
    static thread_local bool again = false;
    again = !again;
    return again ? real(descriptor, &half, 1, position) : fail_with(EIO);
  }
  return real(descriptor, vectors, count, position);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t position) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  const int error = error_for("write", descriptor);
  return error > 0 ? fail_with(error) : real(descriptor, bytes, size, position);
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t position) { return pwrite(descriptor, bytes, size, position); }

ssize_t write(int descriptor, const void* bytes, size_t size) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
  const int error = error_for("write", descriptor);
  return error > 0 ? fail_with(error) : real(descriptor, bytes, size);
}

ssize_t pread(int descriptor, void* bytes, size_t size, off_t position) {
  static const auto real = next<ssize_t (*)(int, void*, size_t, off_t)>("pread");
  const int error = error_for("read", descriptor);
  return error > 0 ? fail_with(error) : real(descriptor, bytes, size, position);
}
ssize_t pread64(int descriptor, void* bytes, size_t size, off64_t position) { return pread(descriptor, bytes, size, position); }

ssize_t sendfile(int to, int from, off_t* position, size_t size) {
  static const auto real = next<ssize_t (*)(int, int, off_t*, size_t)>("sendfile");
  const int error = error_for("read", from);
  return error > 0 ? fail_with(error) : real(to, from, position, size);
}

int fdatasync(int descriptor) {
  static const auto real = next<int (*)(int)>("fdatasync");
  const int error = error_for("sync", descriptor);
  return error > 0 ? fail_with(error) : real(descriptor);
}

int fsync(int descriptor) {
  static const auto real = next<int (*)(int)>("fsync");
  const int error = error_for("sync", descriptor);
  return error > 0 ? fail_with(error) : real(descriptor);
}

int syncfs(int descriptor) noexcept {
  static const auto real = next<int (*)(int)>("syncfs");
  const int error = error_for("sync", descriptor);
  return error > 0 ? fail_with(error) : real(descriptor);
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = next<int (*)(const char*, const char*)>("rename");
  const int error = error_for("rename", to);
  return error > 0 ? fail_with(error) : real(from, to);
}

int link(const char* from, const char* to) noexcept {
  static const auto real = next<int (*)(const char*, const char*)>("link");
  const int error = error_for("link", to);
  return error > 0 ? fail_with(error) : real(from, to);
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static const auto real = next<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int result = real(clock, time);
  if (clock != CLOCK_REALTIME || result != 0) return result;
  const Rules rules;
  long seconds = 0;
  const char* const rule = strstr(rules.text, "clock ");
  if (rule != nullptr && sscanf(rule, "clock %ld", &seconds) == 1) time->tv_sec += seconds;
  return result;
}
}
