#include "io/real/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace tripos::io {
namespace {

rlim_t limit() noexcept {
  rlimit limits{};
  return ::getrlimit(RLIMIT_NOFILE, &limits) == 0 ? limits.rlim_cur : RLIM_INFINITY;
}

}  // namespace

void raise_descriptor_limit() noexcept {
  rlimit limits{};
  if (::getrlimit(RLIMIT_NOFILE, &limits) != 0) return;
  limits.rlim_cur = limits.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limits);  // what there was has to do, then
}

bool is_for_files(int descriptor) noexcept {
  const rlim_t most = limit();
  return static_cast<rlim_t>(descriptor) >= most - std::min<rlim_t>(most / 4, 64);
}

bool is_for_syncs(int descriptor) noexcept {
  const rlim_t most = limit();
  return static_cast<rlim_t>(descriptor) >= most - std::min<rlim_t>(most / 8, 16);
}

}  // namespace tripos::io
