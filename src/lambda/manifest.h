// Manifest: which Parquet files count (docs/format/manifest.md). One for each topic, with all its partitions; immutable and numbered.
// The rows of a topic are those of the manifest's files, up to its end in each partition, and those of the log from there on.
//
// Invariants, checked when one is read: files are sorted by partition and first offset and don't overlap; none goes beyond its
// partition's end; each names a schema that is there; `schema` covers all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "model/ids.h"

namespace tripos::lambda {

using SchemaId = StrongId<struct SchemaIdTag, std::int32_t>;

struct ManifestFile {
  std::string name;  // in the table's directory
  PartitionId partition;
  Offset begin;
  Offset end;  // exclusive
  std::int64_t row_count = 0;
  std::int64_t rejected_count = 0;
  std::int64_t tombstone_count = 0;
  std::int64_t lost_count = 0;
  std::uint64_t size_bytes = 0;
  std::optional<std::uint32_t> crc32c = {};  // of all its bytes; none: written before checksums were
  SchemaId schema;
  friend bool operator==(const ManifestFile&, const ManifestFile&) = default;
};

struct ManifestPartition {
  PartitionId partition;
  Offset end;                       // the live part starts here
  std::int64_t rejected_count = 0;  // below the end
  friend bool operator==(const ManifestPartition&, const ManifestPartition&) = default;
};

struct ManifestSchema {
  SchemaId id;
  std::string type;  // json::Type's text, as inferred
  friend bool operator==(const ManifestSchema&, const ManifestSchema&) = default;
};

struct Manifest {
  std::uint64_t version = 0;  // 0: before the first snapshot; never stored
  TopicId topic_id;
  std::string topic;  // its name when this was made; the id is what counts
  WallTime created;
  SchemaId schema{0};  // covers all records below the ends
  std::vector<ManifestSchema> schemas;
  std::vector<ManifestPartition> partitions;
  std::vector<ManifestFile> files;

  // 0 for a partition that no snapshot has seen.
  [[nodiscard]] Offset end_of(PartitionId partition) const noexcept;
  // "void" for schema 0.
  [[nodiscard]] const std::string& schema_text(SchemaId id) const noexcept;

  [[nodiscard]] std::string text() const;
  // corrupt: it isn't whole, or breaks an invariant. `where` names it in the error.
  [[nodiscard]] static Result<Manifest> parse(Bytes text, std::string_view where);

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

// "manifest-00000000000000000007.json"
[[nodiscard]] std::string manifest_name(std::uint64_t version);
[[nodiscard]] std::optional<std::uint64_t> manifest_version(std::string_view file_name);

// "<topic id>.p0.00000000000000000000-00000000000000003280.s1.parquet"
[[nodiscard]] std::string parquet_name(const TopicId& topic, PartitionId partition, Offset begin, Offset end, SchemaId schema);

}  // namespace tripos::lambda
