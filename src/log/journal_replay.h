// What a start does with the commit journal that an unclean end has left (docs/format/journal.md).
//
// A crash walk. replay_journal() writes what the journal holds to where it belongs: the same bytes at the same places as before the crash,
// so that a second time changes nothing. Then the caller makes everything durable, and only then remove_journal() takes the file away,
// by one name, before any log is opened: the next journal is of the logs as they are then.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace tripos::log {

struct JournalReplay {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  // Files that have lost bytes in front of those that the journal holds, so that these were left out: records are missing.
  std::vector<std::string> damaged;
};

// Blocks. corrupt: damage that no crash explains, of the journal (then nothing was changed) or of a checkpoint that it needs (then other
// logs may have been brought up to it, which a second time changes nothing). No journal: nothing to do.
[[nodiscard]] Result<JournalReplay> replay_journal(io::FileSystem& files, const std::string& data);
// Everything that was written is durable. Fine if there is none.
[[nodiscard]] Result<> remove_journal(io::FileSystem& files, const std::string& data);

}  // namespace tripos::log
