// How many file descriptors the process may have, and for whom the last ones are kept. The operating system gives the lowest free number,
// so a number near the limit says that nearly all are in use: who gets one that is not for him gives it back and says that there are too
// many.
//
//   connections          all but the last quarter (at most 64)
//   files                all but the last eighth (at most 16)
//   syncing directories  all: what has been written is always made durable
#pragma once

namespace tripos::io {

// As many as the operator allows (the hard limit); for servers, before they open anything.
void raise_descriptor_limit() noexcept;

// Whether connections, or files, must do without the descriptor that they were given.
[[nodiscard]] bool is_for_files(int descriptor) noexcept;
[[nodiscard]] bool is_for_syncs(int descriptor) noexcept;

}  // namespace tripos::io
