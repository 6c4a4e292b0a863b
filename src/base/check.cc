#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace tripos {

void check_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "tripos: internal error: %s does not hold (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace tripos
