#include "lambda/schema_tracker.h"

namespace tripos::lambda {

Result<SchemaTracker> SchemaTracker::from(const Manifest& manifest) {
  auto type = json::Type::parse(manifest.schema_text(manifest.schema));
  if (!type) return fail(ErrorCode::corrupt, "schema {} of manifest {}: {}", manifest.schema, manifest.version, type.error().message);
  SchemaTracker tracker{json::Inference(*type)};
  for (const ManifestPartition& entry : manifest.partitions) tracker.learned_[entry.partition] = entry.end;
  return tracker;
}

Offset SchemaTracker::learned_end(PartitionId partition) const noexcept {
  const auto found = learned_.find(partition);
  return found == learned_.end() ? Offset(0) : found->second;
}

void SchemaTracker::merge(const SchemaTracker& other) {
  inference_.merge(other.type());
  for (const auto& [partition, end] : other.learned_) learned_[partition] = std::max(learned_end(partition), end);
}

Result<> SchemaTracker::learn(const PartitionRange& range) {
  if (range.end.offset <= learned_end(range.partition)) return {};
  TRIPOS_TRY(scan_.scan(range, [this](const Record& record) { inference_.add(record.value); }));
  learned_[range.partition] = range.end.offset;
  return {};
}

}  // namespace tripos::lambda
