// AbortedTransactions: the transactions of one partition that were aborted, for those who read only what was committed.
// Kept in memory and in the producer snapshot (producer_snapshot.h); the segments' .txnindex files are written for Kafka's tools, whose
// format they have (docs/format/segment.md).
// Invariant: sorted by the offset of the marker. Threads: the loop's.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "model/ids.h"
#include "model/ports.h"

namespace tripos::broker {

// An entry of a .txnindex.
struct AbortedEntry {
  AbortedTransaction transaction;
  Offset last_stable;  // where the last stable offset moved: no transaction that ended later begins below it
  friend bool operator==(const AbortedEntry&, const AbortedEntry&) = default;
};

class AbortedTransactions {
 public:
  // Behind all others.
  void add(const AbortedEntry& entry);
  // Those that reach into [from, end), by their first offsets.
  [[nodiscard]] std::vector<AbortedTransaction> overlapping(Offset from, Offset end) const;
  // Forgets those whose markers stood at these offsets (rising).
  void drop(const std::vector<Offset>& markers);
  // Forgets those that end below `start`.
  void drop_below(Offset start);

  [[nodiscard]] const std::vector<AbortedEntry>& all() const noexcept { return entries_; }
  // What a segment that holds the offsets [base, end) has in its .txnindex.
  [[nodiscard]] Buffer index_of(Offset base, Offset end) const;

 private:
  std::vector<AbortedEntry> entries_;
};

// 34 bytes, big-endian: version (2) = 0, producer id (8), first offset (8), last offset (8), last stable offset (8).
void append_index_entry(Buffer& to, const AbortedEntry& entry);

}  // namespace tripos::broker
