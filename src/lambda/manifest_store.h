// ManifestStore: the manifests and files of tables in a Store (rules, 3.1, 3.2).
//
//   TOPICS/<topic id>/table/manifest-<20 digits>.json
//   TOPICS/<topic id>/table/<topic id>.p<partition>.<begin>-<end>.s<schema>.parquet
//   TOPICS/<topic id>/table/tmp-…                         being written
//
// The highest manifest counts. Since it is linked only after its bytes were synced, a highest one that isn't whole is damage, not a
// crash's leftover: the table is refused, nothing is changed.
// Threads: any.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "lambda/manifest.h"
#include "store/store.h"

namespace tripos::lambda {

class ManifestStore {
 public:
  // `topics_directory`: holds a directory for each topic, named by its id.
  ManifestStore(store::Store& store, std::string topics_directory) : store_(store), topics_directory_(std::move(topics_directory)) {}

  [[nodiscard]] std::string table_directory(const TopicId& topic) const;
  [[nodiscard]] std::string path(const TopicId& topic, const std::string& file_name) const;
  [[nodiscard]] std::string staging_path(const TopicId& topic, std::string_view file_name) const;

  // The highest one; version 0 if there is none.
  [[nodiscard]] Result<Manifest> load(const TopicId& topic) const;

  // Makes the files durable under their names, then the manifest that names them. conflict: somebody has made this version;
  // what counts is theirs, load() again. After another error there is the new manifest or not: load() again too.
  [[nodiscard]] Result<> commit(const Manifest& next, std::span<const store::Publication> files) const;

  // Removes what no manifest names: left by a crash or a conflict. Nobody writes to this table meanwhile.
  // Old manifests go too, but the newest few: outside readers may hold one.
  [[nodiscard]] Result<> remove_orphans(const Manifest& current) const;

  [[nodiscard]] store::Store& store() const noexcept { return store_; }

 private:
  store::Store& store_;
  std::string topics_directory_;
};

// For the broker's recovery, which asks whenever it opens a partition's log: where the manifest ends. Offsets below are never given out
// again, even if the log has lost them (rules, 1.7). A table whose manifest can't be read has floor 0; `damaged` is told once.
// Lives as long as the broker. Threads: one (the broker's loop).
class OffsetFloors {
 public:
  OffsetFloors(const ManifestStore& manifests, std::function<void(const Error&)> damaged)
      : manifests_(manifests), damaged_(std::move(damaged)) {}

  [[nodiscard]] Offset floor(const TopicPartition& partition);

 private:
  const ManifestStore& manifests_;
  std::function<void(const Error&)> damaged_;
  std::map<TopicId, Manifest> loaded_;
};

}  // namespace tripos::lambda
