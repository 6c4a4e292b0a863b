// Syncs of a segment beside the group commit's own, and the mark that a failed one leaves.
#pragma once

#include <string>

#include "io/file_system.h"

namespace tripos::log {

// Tells the partition's next recovery that the page cache may hold what the disk does not (recovery.h). The mark need not survive a power
// cut; where nothing can be written, there is none. Threads: any.
void mark_sync_failed(io::FileSystem& files, const std::string& partition_directory);

// Syncs the file under this name; a failure is marked. It is opened anew: the kernel tells of a failed write once to each open file, and a
// round of the group commit that syncs the same file must be told, too. Threads: any.
[[nodiscard]] Result<> sync_segment(io::FileSystem& files, const std::string& path);

}  // namespace tripos::log
