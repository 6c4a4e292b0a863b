// LoadIndex: how often each content stands in a topic, counted from its durable log (docs/format/load_index.md).
//
// What it has counted is exactly the records below an end of each partition, but for those that were trimmed before it saw them. It is kept
// in files once scanning the rest costs more than reading them, or the log is to be trimmed; until then the log is scanned each time.
//
// A crash walk. A run is written and synced, its directory synced, then `index` is replaced by one that names it and tells the ends up to
// which it counts. Before that replacement the old index counts, and the run is an orphan that open() removes; after it the new one.
// Threads: one at a time; one object for a directory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "lambda/record_scan.h"
#include "load/counts.h"
#include "load/identity.h"
#include "model/ports.h"

namespace tripos::load {

struct LoadIndexOptions {
  std::uint64_t kept_from_bytes = 64U << 20;  // a tail of the log that is longer is scanned once only
  std::size_t table_size = Counts::table_size_max;
};

class LoadIndex {
 public:
  // `directory`: the topic's load directory. corrupt: a file is damaged; it is named, nothing was changed.
  [[nodiscard]] static Result<std::unique_ptr<LoadIndex>> open(io::FileSystem& files, const std::string& directory, Identity identity,
                                                               const LoadIndexOptions& options);

  // By what the index that is kept in the directory `own_directory` counts; nothing: there is none (a crash left it). corrupt: it is
  // damaged.
  [[nodiscard]] static Result<std::optional<Identity>> kept_identity(io::FileSystem& files, const std::string& own_directory);

  // What catch_up() needs: each partition from where it was counted to.
  [[nodiscard]] std::vector<RangeRequest> wanted(const TopicDescription& topic) const;

  // Asked now and then; a failure ends the scan, and what was counted until then stays counted.
  using Progress = std::function<Result<>(std::uint64_t scanned_bytes, std::uint64_t all_bytes)>;
  // Counts the ranges that wanted() asked for. False: the log ends below what was counted (it has lost its end), so that the index is worth
  // nothing: it has been emptied; ask for what is wanted now.
  [[nodiscard]] Result<bool> catch_up(std::span<const PartitionRange> ranges, const Progress& progress);

  // Makes files of it, unless there are some: so that whoever trims the log knows that loads go by it, and lets it catch up before.
  [[nodiscard]] Result<> keep() { return stored_ ? Result<>() : save(); }

  // Fastest in the order of hashes.
  [[nodiscard]] Result<std::uint32_t> count(const ContentHash& hash) { return counts_.count(hash); }
  [[nodiscard]] ContentHash hash(Bytes value) { return identity_.hash(value, seed_); }
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] const LoadIndexOptions& options() const noexcept { return options_; }
  [[nodiscard]] const std::string& directory() const noexcept { return directory_; }
  // Offsets that retention had trimmed before they could be counted.
  [[nodiscard]] std::uint64_t uncounted() const noexcept;

 private:
  struct Covered {
    std::uint64_t uncounted = 0;  // offsets below `end` that were trimmed from the log before they could be counted
    Offset end;
  };

  LoadIndex(io::FileSystem& files, std::string directory, Identity identity, std::uint64_t seed, const LoadIndexOptions& options)
      : files_(files),
        directory_(std::move(directory)),
        identity_(std::move(identity)),
        options_(options),
        seed_(seed),
        counts_(files, directory_, seed, options.table_size) {}

  struct Stored;
  [[nodiscard]] static Result<Stored> parse(Bytes text, const std::string& identity);
  [[nodiscard]] Result<> take(const Stored& stored);
  [[nodiscard]] Result<> remove_orphans();
  [[nodiscard]] Result<> scan(const PartitionRange& range, std::uint64_t& scanned, std::uint64_t all, const Progress& progress);
  // Makes the counts so far durable.
  [[nodiscard]] Result<> save();
  [[nodiscard]] Result<> clear();

  io::FileSystem& files_;
  std::string directory_;
  Identity identity_;
  LoadIndexOptions options_;
  std::uint64_t seed_;
  Counts counts_;
  std::map<PartitionId, Covered> covered_;
  bool stored_ = false;  // there is an index file
};

// Counts what has come to the topic's log since, up to now.
[[nodiscard]] Result<> catch_up_with_log(LoadIndex& index, const TopicDescription& topic, RecordSource& source,
                                         const LoadIndex::Progress& progress);

}  // namespace tripos::load
