#include "log/sync_segment.h"

#include "log/paths.h"

namespace tripos::log {

void mark_sync_failed(io::FileSystem& files, const std::string& partition_directory) {
  if (auto file = files.open(sync_failed_path(partition_directory), io::OpenMode::create); !file) return;
}

Result<> sync_segment(io::FileSystem& files, const std::string& path) {
  TRIPOS_ASSIGN(const auto file, files.open(path, io::OpenMode::write));
  auto synced = file->sync_data();
  if (!synced) mark_sync_failed(files, io::parent_of(path));
  return synced;
}

}  // namespace tripos::log
