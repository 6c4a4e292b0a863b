// FileChecks: reads the files of a table once, before an answer is first made of them, and compares their checksums with those of the
// manifest: Parquet's readers take a changed byte for a value. What changes in a file after that, while the process runs, is not noticed.
// Threads: any. Nobody waits for the file of another table.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "lambda/manifest_store.h"

namespace tripos::lambda {

class FileChecks {
 public:
  explicit FileChecks(const ManifestStore& manifests) : manifests_(manifests) {}

  // corrupt: a file is not the one that was written; it is named, with the records that it holds.
  [[nodiscard]] Result<> check(const TopicId& topic, const ManifestFile& file);

  // What is wrong with the file, now; empty: nothing.
  [[nodiscard]] static std::string wrong_with(const ManifestStore& manifests, const TopicId& topic, const ManifestFile& file);

 private:
  const ManifestStore& manifests_;
  std::mutex mutex_;
  std::set<std::string> good_;  // names, which hold the topic's id and are never given again
};

}  // namespace tripos::lambda
