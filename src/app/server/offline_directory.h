// OfflineDirectory: what lies in a data directory, read from its files without taking its lock and without changing anything. For the
// commands that look at files; a server may be writing them meanwhile.
// Threads: one at a time; blocks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/file_system.h"
#include "log/verify.h"
#include "model/ids.h"

namespace tripos::app {

struct OfflinePartition {
  std::string text;  // its number; empty for the metadata log
  std::string directory;
};

struct OfflineTopic {
  std::string name;  // "(metadata)" for the metadata log
  TopicId id;
  std::vector<OfflinePartition> partitions;  // those that have files
};

class OfflineDirectory {
 public:
  OfflineDirectory(io::FileSystem& files, std::string data) : files_(files), data_(std::move(data)) {}

  // The metadata log, then all topics by name: those that the metadata log knows, and directories that it does not know.
  // not_found: this is no data directory.
  [[nodiscard]] Result<std::vector<OfflineTopic>> topics() const;

  // The log's files, and the snapshots of its producers.
  [[nodiscard]] Result<log::PartitionVerdict> verify(const OfflinePartition& partition) const;
  // The manifest that counts, and that the files which it names are there and whole.
  [[nodiscard]] std::vector<log::Finding> verify_table(const OfflineTopic& topic) const;

  // The commit journal, if there is one: what the logs' own files need not have yet.
  [[nodiscard]] Result<std::vector<log::Finding>> journal() const;

  // The segment files of "TOPIC:PARTITION".
  [[nodiscard]] Result<std::vector<std::string>> segments(std::string_view target) const;

 private:
  [[nodiscard]] Result<std::vector<std::pair<TopicId, std::string>>> names() const;
  [[nodiscard]] Result<OfflineTopic> topic(const TopicId& id, std::string name) const;

  io::FileSystem& files_;
  std::string data_;
};

}  // namespace tripos::app
