// Ctrl-C (and SIGTERM) in commands that wait: the first sets a flag, which ends what the command waits for; the second ends the process.
#pragma once

#include <atomic>

namespace tripos::app {

void catch_interrupts();
[[nodiscard]] const std::atomic<bool>& interrupted() noexcept;
// For the shell, where an interrupt ends a statement only.
void clear_interrupt() noexcept;

}  // namespace tripos::app
