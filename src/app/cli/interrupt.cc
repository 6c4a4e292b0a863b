#include "app/cli/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace tripos::app {
namespace {

std::atomic<bool> interrupt_seen{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");

extern "C" void note_interrupt(int signal) {
  if (interrupt_seen.exchange(true)) _exit(128 + signal);
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = &note_interrupt;  // no SA_RESTART: what waits is woken
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

const std::atomic<bool>& interrupted() noexcept { return interrupt_seen; }

void clear_interrupt() noexcept { interrupt_seen.store(false); }

}  // namespace tripos::app
