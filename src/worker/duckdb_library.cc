#include "worker/duckdb_library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <mutex>

// Where the trampolines jump to, in the order of duckdb_functions.inc.
extern "C" __attribute__((visibility("hidden"))) void* tripos_duckdb_functions[];

namespace tripos::worker {
namespace {

constexpr const char* function_names[] = {
#define TRIPOS_DUCKDB_FUNCTION(name) #name,
#include "duckdb_functions.inc"
#undef TRIPOS_DUCKDB_FUNCTION
};

Result<std::string> beside_program() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) {
    return tl::unexpected(os_error(errno, "readlink", "/proc/self/exe"));
  }
  const std::string program(path.data(), static_cast<std::size_t>(size));
  return program.substr(0, program.rfind('/')) + "/lib/libduckdb.so";
}

Result<> load(const std::string& path) {
  // Lazily: of its 24,500 functions that are looked up by name a worker calls a few thousand, and to find all takes 20 ms.
  void* library = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) {
    return fail(ErrorCode::unavailable,
                "opening DuckDB: {}; the library stands beside the program, in lib/ (tools/fetch_duckdb fetches it)", dlerror());
  }
  std::size_t position = 0;
  for (const char* name : function_names) {
    void* function = dlsym(library, name);
    if (function == nullptr) {
      return fail(ErrorCode::unsupported, "{} has no function {}: it is not the version that this program was built for", path, name);
    }
    tripos_duckdb_functions[position++] = function;
  }
  return {};
}

}  // namespace

Result<> load_duckdb(const std::string& path) {
  static std::mutex mutex;
  static bool loaded = false;
  const std::lock_guard lock(mutex);
  if (loaded) {
    return {};
  }
  std::string library = path;
  if (library.empty()) {
    TRIPOS_ASSIGN(library, beside_program());
  }
  TRIPOS_TRY(load(library));
  loaded = true;
  return {};
}

}  // namespace tripos::worker
