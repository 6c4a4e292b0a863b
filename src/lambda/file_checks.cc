#include "lambda/file_checks.h"

namespace tripos::lambda {

std::string FileChecks::wrong_with(const ManifestStore& manifests, const TopicId& topic, const ManifestFile& file) {
  store::Store& store = manifests.store();
  const std::string path = manifests.path(topic, file.name);
  const auto size = store.size(path);
  if (!size) return size.error().message;
  if (*size != file.size_bytes) return fmt::format("{}: has {} bytes, the manifest says {}", path, *size, file.size_bytes);
  if (!file.crc32c) return {};
  const auto checksum = store.checksum(path);
  if (!checksum) return checksum.error().message;
  if (*checksum != *file.crc32c) return fmt::format("{}: its checksum is {:08x}, the manifest says {:08x}", path, *checksum, *file.crc32c);
  return {};
}

Result<> FileChecks::check(const TopicId& topic, const ManifestFile& file) {
  {
    const std::lock_guard lock(mutex_);
    if (good_.contains(file.name)) return {};
  }
  if (const std::string wrong = wrong_with(manifests_, topic, file); !wrong.empty()) {
    return fail(ErrorCode::corrupt, "{} (records [{}, {}) of partition {}; put the file back from a copy, or see docs/guide/faults.md)",
                wrong, file.begin, file.end, file.partition);
  }
  const std::lock_guard lock(mutex_);
  good_.insert(file.name);
  return {};
}

}  // namespace tripos::lambda
