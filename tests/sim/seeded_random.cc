#include "seeded_random.h"

#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace tripos::sim {

namespace {
thread_local SeededRandom* current = nullptr;
}  // namespace

SeededRandom::SeededRandom(std::uint64_t seed) : random_(seed), outer_(current) { current = this; }
SeededRandom::~SeededRandom() { current = outer_; }

}  // namespace tripos::sim

extern "C" ssize_t getrandom(void* buffer, std::size_t size, unsigned int flags) {
  if (tripos::sim::current == nullptr) return ::syscall(SYS_getrandom, buffer, size, flags);
  auto* const bytes = static_cast<unsigned char*>(buffer);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(tripos::sim::current->next());
  return static_cast<ssize_t>(size);
}
