// Tables: the topics as tables; gives pins (rules, 2). One for the process.
//
// A pin fixes, in one step for all tables of a statement, what an answer reflects: the manifest, the schema, and of each partition
// the range [X, last stable offset) of the log, X being the manifest's end. The order of the steps is what makes it exact:
//
//   1. lock the tables, so that their manifests stay;
//   2. fix the manifests, hence X;
//   3. one RecordSource::ranges() for everything: one moment of the log, after the question came;
//   4. learn the schema from where it was learned to exactly these ends.
//
// A snapshot that is committed meanwhile changes nothing for a pin that has its manifest: X and the files belong together. Taking the
// ends first and the files afterwards would count rows twice, or lose them: tables_test.cc has that variant, and catches it.
// If the log was trimmed above X in between, a newer manifest holds the rest, and the pin is made again.
//
// Threads: any but the event loop's. Each table has its own lock; several are taken in the order of their ids.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "json/type.h"
#include "lambda/file_checks.h"
#include "lambda/manifest_store.h"
#include "lambda/schema_tracker.h"
#include "lambda/table_names.h"
#include "model/ports.h"

namespace tripos::lambda {

// A manifest's file, as far as its rows count: those from `begin` on.
struct TableFile {
  const ManifestFile* file;
  Offset begin;  // above file->begin: the rows below were deleted on request
};

struct PinnedTable {
  std::string name;  // its SQL name
  TableKind kind = TableKind::rows;
  TopicDescription topic;
  std::shared_ptr<const Manifest> manifest;  // of kind rows: its files belong to the table; else only for as_of
  json::Type schema;                         // of kind rows: as inferred; a structure
  std::vector<PartitionRange> ranges;        // one for each partition, sorted; the files stay readable as long as this lives

  // The files that belong to the table, as long as this lives: none but for rows of topics that are not compacted, and none of which all
  // was deleted on request.
  [[nodiscard]] std::vector<TableFile> files() const;
};

struct Pin {
  std::vector<PinnedTable> tables;  // in the order of the references
};

// One partition of wait_for.
struct Awaited {
  std::string topic;
  PartitionId partition;
  Offset offset;  // a pin whose end is above it covers it
};

// All that a question may see; or, what a batch run works on, each partition up to what no later pin shows differently.
enum class PinnedRows { all, settled };

class Tables {
 public:
  Tables(RecordSource& source, const ManifestStore& manifests) : source_(source), manifests_(manifests), files_(manifests) {}

  // not_found: no such table, or no row in it yet. corrupt: the log or a file of a table is damaged.
  [[nodiscard]] Result<Pin> pin(std::span<const TableReference> references);

  // The SQL names of all tables, sorted. Those of topics without a row so far are left out.
  [[nodiscard]] Result<std::vector<std::string>> names();

  // Whether a pin made from now on covers all of these. not_found: no such topic or partition.
  [[nodiscard]] Result<bool> covers(std::span<const Awaited> awaited);

  // Learns what has come since, of all tables, so that the next pin has little to learn. True: there was something.
  [[nodiscard]] Result<bool> learn();

  // A table's rows, pinned; its schema is null-so-far if there is none.
  [[nodiscard]] Result<PinnedTable> pin_rows(const TopicDescription& topic, PinnedRows which = PinnedRows::all);

  // Commits the successor of pinned.manifest. conflict: the table has moved on meanwhile; pin again.
  [[nodiscard]] Result<> commit(const PinnedTable& pinned, Manifest next, std::span<const store::Publication> files);

  [[nodiscard]] RecordSource& source() const noexcept { return source_; }
  [[nodiscard]] const ManifestStore& manifests() const noexcept { return manifests_; }

 private:
  struct Table {
    std::mutex mutex;
    std::shared_ptr<const Manifest> manifest;  // null: not yet loaded
    std::optional<SchemaTracker> schema;       // with manifest
  };
  using Locked = std::map<TopicId, std::pair<std::shared_ptr<Table>, std::unique_lock<std::mutex>>>;

  struct Wanted {
    std::string name;
    TableKind kind = TableKind::rows;
    TopicDescription topic;
    bool settled = false;
  };

  [[nodiscard]] std::shared_ptr<Table> table(const TopicId& topic);
  [[nodiscard]] Locked lock(std::span<const Wanted> wanted);
  [[nodiscard]] Result<> load(const TopicDescription& topic, Table& table) const;
  [[nodiscard]] Result<Pin> pin_wanted(std::span<const Wanted> wanted);
  [[nodiscard]] Result<Pin> pin_once(std::span<const Wanted> wanted);
  [[nodiscard]] Result<bool> learn_ranges(std::span<const RangeRequest> requests);
  void forget_deleted(const std::vector<TopicDescription>& topics);

  RecordSource& source_;
  const ManifestStore& manifests_;
  FileChecks files_;
  std::mutex tables_mutex_;
  std::map<TopicId, std::shared_ptr<Table>> tables_;
};

}  // namespace tripos::lambda
