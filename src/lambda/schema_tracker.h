// SchemaTracker: the type of a topic's rows, inferred step by step from the log (rules, 4.1).
// It covers exactly what it has learned: the records below a manifest's ends, through the manifest's schema, and the log from there
// to learned_end() of each partition. Learning the same record twice changes nothing.
// Threads: one at a time (the table's lock).
#pragma once

#include <map>

#include "json/infer.h"
#include "lambda/manifest.h"
#include "lambda/record_scan.h"
#include "model/ports.h"

namespace tripos::lambda {

class SchemaTracker {
 public:
  // Starts from what a manifest knows. corrupt: its schema can't be read.
  [[nodiscard]] static Result<SchemaTracker> from(const Manifest& manifest);

  // Where learning goes on; 0 for a partition not yet seen.
  [[nodiscard]] Offset learned_end(PartitionId partition) const noexcept;

  // Learns the records of a range that starts at (or, where the log was trimmed, above) learned_end().
  // After an error some of its records were learned: that is no harm, the caller gives no pin.
  [[nodiscard]] Result<> learn(const PartitionRange& range);

  // How far the type may grow from now on.
  void set_limits(json::TypeLimits limits) noexcept { inference_.set_limits(limits); }

  // What a manifest that was made by somebody else knows.
  void merge(const SchemaTracker& other);

  // As inferred; null-so-far before the first row.
  [[nodiscard]] const json::Type& type() const { return inference_.type(); }
  [[nodiscard]] bool has_rows() const { return type().kind() == json::TypeKind::structure; }

 private:
  explicit SchemaTracker(json::Inference inference) : inference_(std::move(inference)) {}

  json::Inference inference_;
  RecordScan scan_;
  std::map<PartitionId, Offset> learned_;
};

}  // namespace tripos::lambda
